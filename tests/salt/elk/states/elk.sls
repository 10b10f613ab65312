{% set es = pillar['elasticsearch'] %}

vm.max_map_count:
  sysctl.present:
    - value: 262144

elastic:
  docker_network.present:
    - containers:
      - kibana

/srv/elasticsearch:
  file.directory:
    - user: 1000
    - group: 1000
    - makedirs: True

elasticsearch-data:
  docker_volume.present:
    - driver: local
    - driver_opts:
      - type: none
      - o: bind
      - device: /srv/elasticsearch
    - require:
      - file: /srv/elasticsearch

elasticsearch:
  docker_container.running:
    - image: docker.elastic.co/elasticsearch/elasticsearch:{{ es['version'] }}
    - environment:
      - discovery.type: single-node
      - ES_JAVA_OPTS: -Xms{{ es['heap'] }} -Xmx{{ es['heap'] }}
      - bootstrap.memory_lock: "true"
      - ELASTIC_PASSWORD: {{ es['password'] }}
    - ulimits:
      - memlock=-1:-1
      - nofile=65536:65536
    - port_bindings: 127.0.0.1:9200:9200
    - volumes: /usr/share/elasticsearch/data
    - binds: elasticsearch-data:/usr/share/elasticsearch/data
    - cap_add: IPC_LOCK
    - healthcheck:
        Test: ["CMD", "curl", "-fsS", "http://localhost:9200/"]
        Interval: 10000000000
        Timeout: 5000000000
        Retries: 12
    - networks:
      - elastic:
        - aliases:
          - es
    - restart_policy: unless-stopped
    - require:
      - docker_volume: elasticsearch-data

logstash-pipeline:
  file.managed:
    - name: /etc/logstash/pipeline/main.conf
    - makedirs: True
    - contents: |
        input { beats { port => 5044 } }
        output { elasticsearch { hosts => ["http://es:9200"] password => "{{ es['password'] }}" index => "%{[@metadata][beat]}-%{+YYYY.MM.dd}" } }

logstash:
  docker_container.running:
    - image: docker.elastic.co/logstash/logstash:{{ es['version'] }}
    - binds:
      - /etc/logstash/pipeline:/usr/share/logstash/pipeline:ro
    - port_bindings:
      - 5044:5044
    - log_driver: json-file
    - log_opt: max-size=50m,max-file=5
    - networks: elastic
    - watch_action: SIGHUP
    - watch:
      - file: logstash-pipeline
    - require:
      - docker_container: elasticsearch

kibana:
  docker_container.running:
    - image: docker.elastic.co/kibana/kibana:{{ es['version'] }}
    - environment: ELASTICSEARCH_HOSTS=http://es:9200,SERVER_NAME={{ grains['id'] }}
    - port_bindings:
      - 5601
    - links:
      - elasticsearch: es
    - labels:
      - monitored
      - team=ops
    - require:
      - docker_container: elasticsearch

curator:
  docker_container.run:
    - image: docker.elastic.co/curator:5
