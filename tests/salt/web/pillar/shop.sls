shop:
  image: registry.example.com/shop
  version: 1.4.2
  db_password: canary-db-password
  session_key: canary-session-key
  backends:
    api1: 10.0.0.11:8080
    api2: 10.0.0.12:8080
haproxy:
  stats_password: canary-stats-password
smtp:
  password: |
    -----BEGIN PGP MESSAGE-----

    hQEMA2f0
    -----END PGP MESSAGE-----
  token: ENC[AES256_GCM,data:abc=,iv:def=,tag:ghi=,type:str]
  sender: shop@example.com
