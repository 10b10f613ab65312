salt-front:
  docker_network.present:
    - driver: bridge

salt-plain:
  docker_container.running:
    - image: {{ pillar['image'] }}

salt-environment:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - environment:
      - MODE: production
      - DEBUG: False
      - WORKERS: 4

salt-environment-text:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - environment: A=1,B=two

salt-ports:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - ports:
      - 5432
      - 53/udp

salt-port-bindings:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - port_bindings:
      - 127.0.0.1:38080:80
      - 127.0.0.1:38081:81/udp

salt-ports-both:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - ports: 9999
    - port_bindings: 127.0.0.1:38082:82

salt-binds:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - binds:
      - /etc/hostname:/srv/hostname:ro
      - salt-data:/data

salt-binds-text:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - binds: salt-more:/more:ro
    - volumes: /cache,/spool

salt-volumes:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - volumes:
      - /cache

salt-labels:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - labels:
      - team=ops
      - bare

salt-labels-table:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - labels:
        team: web
        tier: front

salt-mem-limit:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - mem_limit: 64m
    - memswap_limit: 128m

salt-cpu-shares:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - cpu_shares: 512

salt-cpuset:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - cpuset_cpus: "0"

salt-restart-policy:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - restart_policy: on-failure:5

salt-restart-always:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - restart_policy: always

salt-hostname:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - hostname: web1
    - domainname: example.com

salt-user:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - user: 1000

salt-working-dir:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - working_dir: /srv

salt-cap:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - cap_add: NET_ADMIN,SYS_TIME
    - cap_drop:
      - MKNOD

salt-privileged:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - privileged: True

salt-dns:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - dns: 10.0.0.1,10.0.0.2
    - dns_search: a.example.com
    - dns_opt: ndots:2

salt-extra-hosts:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - extra_hosts: db:10.0.0.5,mq:10.0.0.6

salt-devices:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - devices: /dev/null:/dev/nothing:r

salt-ulimits:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - ulimits: nofile=1024:2048,nproc=50

salt-sysctls:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - sysctls:
      - net.core.somaxconn: 1024

salt-log:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - log_driver: json-file
    - log_opt:
      - max-size: 1m
      - max-file: "3"

salt-healthcheck:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - healthcheck:
        test: ["CMD", "true"]
        interval: 10000000000
        timeout: 1500000000
        retries: 3

salt-command:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - command: serve --all 'two words'

salt-command-list:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - command:
      - serve
      - two words

salt-entrypoint:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - entrypoint: /bin/serve -v

salt-tty:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - tty: True
    - stdin_open: True

salt-read-only:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - read_only: True
    - tmpfs:
        /run: size=64m

salt-stop:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - stop_signal: SIGQUIT
    - stop_timeout: 30

salt-security-opt:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - security_opt: no-new-privileges

salt-group-add:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - group_add: "10,20"

salt-network-mode:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - network_mode: none

salt-networks:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - networks:
      - salt-front:
        - aliases:
          - api
    - require:
      - docker_network: salt-front

salt-pid-mode:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - pid_mode: host
    - ipc_mode: shareable

salt-shm-size:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - shm_size: 32m

salt-oom:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - oom_score_adj: 100

salt-pids-limit:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - pids_limit: 100

salt-blkio:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - blkio_weight: 300

salt-publish-all:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - publish_all_ports: True
    - ports: 80

salt-volumes-from:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - volumes_from: salt-volumes
    - require:
      - docker_container: salt-volumes

salt-userns:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - userns_mode: host

salt-device-rates:
  docker_container.running:
    - image: {{ pillar['image'] }}
    - device_read_bps: /dev/null:1048576
    - device_write_iops: /dev/null:100

