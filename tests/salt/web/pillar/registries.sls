docker-registries:
  registry.example.com:
    username: shop
    password: canary-registry-password
