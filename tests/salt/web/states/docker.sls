docker-ce:
  pkg.installed: []

docker:
  service.running:
    - enable: True
    - require:
      - pkg: docker-ce

deploy:
  user.present:
    - groups:
      - docker
