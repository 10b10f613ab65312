elasticsearch:
  version: 8.13.4
  heap: 1g
  password: canary-elastic-password
  nodes:
    - es1
