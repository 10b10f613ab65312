base:
  '*':
    - elk
