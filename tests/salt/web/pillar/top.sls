base:
  '*':
    - shop
    - registries
