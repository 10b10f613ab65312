base:
  'web*':
    - haproxy
    - shop
