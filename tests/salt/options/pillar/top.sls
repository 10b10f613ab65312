base:
  '*':
    - image
