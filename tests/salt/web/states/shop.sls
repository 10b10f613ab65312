include:
  - docker

{% for app in ['api', 'worker'] %}
shop-{{ app }}:
  docker_container.running:
    - image: {{ pillar['shop']['image'] }}:{{ pillar['shop']['version'] }}
    - command: {{ app }} --verbose
    - hostname: {{ grains['id'] }}-{{ app }}
    - environment:
      - DATABASE_URL: postgres://shop:{{ pillar['shop']['db_password'] }}@db.example.com/shop
      - SESSION_KEY: {{ pillar['shop']['session_key'] }}
      - DEBUG: False
      - WORKERS: 4
    - labels:
      - app={{ app }}
    - mem_limit: 256m
    - restart_policy: on-failure:5
    - networks:
      - front:
        - aliases:
          - {{ app }}
    - client_timeout: 120
    - force: True
    - require_in:
      - docker_container: haproxy
{% endfor %}

extend:
  haproxy:
    docker_container:
      - stop_timeout: 30

shop-old:
  docker_container.absent:
    - names:
      - shop-legacy
      - shop-cron
    - force: True

shop-migrate:
  cmd.run:
    - name: /usr/local/bin/migrate
    - onchanges:
      - docker_container: shop-api

cleanup:
  cron.present:
    - name: docker system prune -f
    - hour: 3
