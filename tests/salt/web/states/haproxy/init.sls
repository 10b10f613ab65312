include:
  - docker

/etc/haproxy/haproxy.cfg:
  file.managed:
    - source: salt://haproxy/haproxy.cfg
    - template: jinja
    - makedirs: True
    - user: root
    - group: root
    - mode: 644
    - context:
        backends: {{ pillar['shop']['backends'] }}

/etc/haproxy/errors/503.http:
  file.managed:
    - source: salt://haproxy/503.http
    - makedirs: True

haproxy-image:
  docker_image.present:
    - name: haproxy
    - tag: "2.9"
    - require:
      - service: docker

haproxy:
  docker_container.running:
    - image: haproxy:2.9
    - restart_policy: always
    - port_bindings:
      - 80:80
      - 127.0.0.1:8404:8404
    - ports:
      - 80
      - 8404
      - 9999
    - binds:
      - /etc/haproxy/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro
      - /etc/haproxy/errors/503.http:/usr/local/etc/haproxy/errors/503.http:ro
      - haproxy-run:/run/haproxy
    - networks:
      - front
    - ulimits: nofile=65536:65536
    - log_driver: json-file
    - log_opt:
      - max-size: 10m
      - max-file: "3"
    - require:
      - docker_image: haproxy-image
      - docker_network: front
    - watch:
      - file: /etc/haproxy/haproxy.cfg

front:
  docker_network.present:
    - driver: bridge
    - subnet: 172.29.7.0/24
