//! `import salt`: what Salt 3007 rendered (`tests/salt`) becomes a workspace.

use crate::env::{TestEnv, repository};
use crate::terminal::typed;
use std::fs;

/// A workspace with nothing in it, and the output of Salt for a tree beside it.
fn workspace(tree: &str) -> (TestEnv, String) {
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", "# the shop\nworkspace = \"shop\" # its name\n");
    for file in ["states/nginx.toml", "pillar/apps.toml"] {
        fs::remove_file(env.workspace().join(file)).expect("a file of init");
    }
    (env, repository().join("tests/salt").join(tree).display().to_string())
}

fn import<'a>(tree: &str, more: &[&'a str]) -> (TestEnv, Vec<String>, Vec<&'a str>) {
    let (env, folder) = workspace(tree);
    let args = ["highstate.json", "--pillar", "pillar.json", "--grains", "grains.json"];
    let args = args
        .iter()
        .map(|arg| if arg.starts_with('-') { (*arg).to_owned() } else { format!("{folder}/{arg}") });
    (env, args.collect(), more.to_vec())
}

/// Runs it, and looks for secrets in everything that was said and written.
fn run(env: &TestEnv, args: &[String], more: &[&str]) -> crate::env::Output {
    let mut all: Vec<&str> = vec!["import", "salt"];
    all.extend(args.iter().map(String::as_str));
    all.extend(more);
    let output = env.run(&all);
    for canary in [
        "canary-db-password",
        "canary-session-key",
        "canary-stats-password",
        "canary-registry-password",
        "canary-elastic-password",
        "canary-article-password",
    ] {
        assert!(!output.stdout.contains(canary) && !output.stderr.contains(canary), "{canary}");
        for (path, bytes) in env.files() {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(canary), "{canary} in {path:?}");
        }
    }
    output
}

#[test]
fn two_minions_become_a_group_with_its_states_files_pillar_and_secrets() {
    let (env, args, _) = import("web", &[]);
    let tree = repository().join("tests/salt/web");
    let (files, rendered) =
        (tree.join("states").display().to_string(), tree.join("rendered").display().to_string());
    let more = ["--files", &files, "--rendered", &rendered, "-y"];
    let done = run(&env, &args, &more).ok();
    for text in [
        "from Salt: 2 minions, 14 states of containers, 5 states left out",
        "left out: pkg.installed (docker-ce): packages of the host stay with Salt",
        "left out: pillar smtp.password: it is encrypted with PGP",
        "left out: pillar smtp.token: it is encrypted with SOPS or eyaml",
        "hint: decrypt it with its own tool, then: pillarbox seal smtp.token",
        "pillarbox registry import ",
        "~ pillar/salt.toml: 8 values, 3 sealed (haproxy.stats_password, shop.db_password, shop.session_key)",
        "imported 14 states",
    ] {
        assert!(done.stderr().contains(text), "{text}\n---\n{}", done.stderr());
    }
    insta::assert_snapshot!(env.read("pillarbox.toml"), @r#"
# the shop
workspace = "shop" # its name

[groups.web]
pillar = ["registries/*", "salt"]
states = ["haproxy", "shop"]

[hosts.web1]
engine = "ssh://web1.example.com"
groups = ["web"]
labels = { datacenter = "fra1", os = "Debian", os_family = "Debian", rack = "web1", roles = "web" }

[hosts.web2]
engine = "ssh://web2.example.com"
groups = ["web"]
labels = { datacenter = "fra1", os = "Debian", os_family = "Debian", rack = "web2", roles = "web" }
"#);
    insta::assert_snapshot!(env.read("states/haproxy.toml"), @r#"
# From Salt's `haproxy`, imported by pillarbox.

# docker_image.present
# it required service `docker`, which is not imported
[haproxy-image.image.pulled]
name = "haproxy"
tag = "2.9"

# docker_container.running
# Salt did nothing in the container when /etc/haproxy/errors/503.http changed; here the container is replaced
[haproxy.container.running]
image = "haproxy:2.9"
expose = [9999]
log_driver = "json-file"
log_options = { max-file = "3", max-size = "10m" }
networks = ["front"]
ports = ["80:80", "127.0.0.1:8404:8404"]
restart = "always"
stop_timeout = 30
ulimits = ["nofile=65536:65536"]
volumes = ["haproxy-run:/run/haproxy"]
require = ["haproxy-image", "front", "shop-api", "shop-worker"]

[haproxy.container.running.files."/usr/local/etc/haproxy/haproxy.cfg"]
source = "files/haproxy/haproxy.cfg"
template = true
mode = "0644"

[haproxy.container.running.files."/usr/local/etc/haproxy/errors/503.http"]
source = "files/haproxy/503.http"

# docker_network.present
[front.network.present]
driver = "bridge"
subnet = "172.29.7.0/24"
"#);
    insta::assert_snapshot!(env.read("states/shop.toml"), @r#"
# From Salt's `shop`, imported by pillarbox.
#
# Not imported:
#   cmd.run `shop-migrate`: pillarbox runs no commands on hosts; what runs once for a version, in a container, is `task.ran`
#   cron.present `cleanup`: what the host runs at a time stays with Salt; what runs once for a version is `task.ran`

# docker_container.running
# `client_timeout` was left out: it says how Salt calls the Engine
# `force` was left out: what differs from its declaration is replaced, and nothing else
[shop-api.container.running]
image = "registry.example.com/shop:1.4.2"
command = "api --verbose"
hostname = "{{ host.name }}-api"
labels = { app = "api" }
memory = "256m"
networks = { front = { aliases = ["api"] } }
restart = "on-failure:5"

[shop-api.container.running.env]
DATABASE_URL = "postgres://shop:{{ pillar.shop.db_password }}@db.example.com/shop"
DEBUG = "False"
SESSION_KEY = "{{ pillar.shop.session_key }}"
WORKERS = 4

# docker_container.running
# `client_timeout` was left out: it says how Salt calls the Engine
# `force` was left out: what differs from its declaration is replaced, and nothing else
[shop-worker.container.running]
image = "registry.example.com/shop:1.4.2"
command = "worker --verbose"
hostname = "{{ host.name }}-worker"
labels = { app = "worker" }
memory = "256m"
networks = { front = { aliases = ["worker"] } }
restart = "on-failure:5"

[shop-worker.container.running.env]
DATABASE_URL = "postgres://shop:{{ pillar.shop.db_password }}@db.example.com/shop"
DEBUG = "False"
SESSION_KEY = "{{ pillar.shop.session_key }}"
WORKERS = 4

# docker_container.absent
# of `names` of the state `shop-old`
# `force` was left out: a container that runs is stopped and then removed
[shop-legacy.container.absent]

# docker_container.absent
# of `names` of the state `shop-old`
# `force` was left out: a container that runs is stopped and then removed
[shop-cron.container.absent]
"#);
    assert!(
        env.read("files/haproxy/haproxy.cfg")
            .ends_with("stats auth admin:{{ pillar.haproxy.stats_password }}\n")
    );
    let crlf = fs::read(tree.join("states/haproxy/503.http")).expect("a file");
    assert_eq!(fs::read(env.workspace().join("files/haproxy/503.http")).expect("the same"), crlf);
    let opened = env.run(&["reveal", "shop.db_password"]).ok();
    assert_eq!(opened.stdout().trim_end(), "canary-db-password");
    env.run(&["--no-identity", "compile"]).ok().says("web1-api").says("web2-worker");

    let files = env.files();
    run(&env, &args, &more).ok().explains("all of it is there already");
    assert_eq!(env.files(), files, "a second time changes nothing");
}

#[test]
fn a_node_is_imported_with_what_its_options_mean() {
    let (env, args, _) = import("elk", &[]);
    let done = run(&env, &args, &["-y"]);
    // `docker_container.run` is about containers and is no state here.
    done.exits(1)
        .explains("docker_container.run `curator`")
        .explains("a container that runs to its end, once for a version, is `task.ran`")
        .explains("it ends with 1 because states of containers were left out");
    insta::assert_snapshot!(env.read("states/elk.toml"), @r#"
# From Salt's `elk`, imported by pillarbox.
#
# Not imported:
#   sysctl.present `vm.max_map_count`: the host itself stays with Salt
#   file.directory `/srv/elasticsearch`: files of the host stay with Salt; one that a container mounts is written as its `files.PATH`
#   docker_container.run `curator`: `docker_container.run` is not available

# docker_network.present
[elastic.network.present]

# docker_volume.present
# it required file `/srv/elasticsearch`, which is not imported
[elasticsearch-data.volume.present]
driver = "local"
driver_opts = { device = "/srv/elasticsearch", o = "bind", type = "none" }

# docker_container.running
[elasticsearch.container.running]
image = "docker.elastic.co/elasticsearch/elasticsearch:8.13.4"
cap_add = ["IPC_LOCK"]
networks = { elastic = { aliases = ["es"] } }
ports = ["127.0.0.1:9200:9200"]
restart = "unless-stopped"
ulimits = ["memlock=-1:-1", "nofile=65536:65536"]
volumes = ["elasticsearch-data:/usr/share/elasticsearch/data"]
require = ["elasticsearch-data"]

[elasticsearch.container.running.env]
ELASTIC_PASSWORD = "{{ pillar.elasticsearch.password }}"
ES_JAVA_OPTS = "-Xms1g -Xmx1g"
"bootstrap.memory_lock" = "true"
"discovery.type" = "single-node"

[elasticsearch.container.running.healthcheck]
interval = "10s"
retries = 12
test = ["CMD", "curl", "-fsS", "http://localhost:9200/"]
timeout = "5s"

# docker_container.running
# /etc/logstash/pipeline of the host was mounted at /usr/share/logstash/pipeline; here are the files that Salt puts there
[logstash.container.running]
image = "docker.elastic.co/logstash/logstash:8.13.4"
log_driver = "json-file"
log_options = { max-file = "5", max-size = "50m" }
networks = ["elastic"]
ports = ["5044:5044"]
require = ["elasticsearch"]

[logstash.container.running.files."/usr/share/logstash/pipeline/main.conf"]
content = """
input { beats { port => 5044 } }
output { elasticsearch { hosts => ["http://es:9200"] password => "{{ pillar.elasticsearch.password }}" index => "%{[@metadata][beat]}-%{+YYYY.MM.dd}" } }
"""
on_change = "restart" # was signal:HUP: it holds a secret

# docker_container.running
# `links` was for the default network; it is written in the network `elastic`
[kibana.container.running]
image = "docker.elastic.co/kibana/kibana:8.13.4"
env = { ELASTICSEARCH_HOSTS = "http://es:9200", SERVER_NAME = "elk1" }
labels = { monitored = "", team = "ops" }
networks = { elastic = { links = ["elasticsearch:es"] } }
ports = [5601]
require = ["elasticsearch"]
"#);
    env.run(&["--no-identity", "compile"]).ok();
}

#[test]
fn the_article_is_imported_from_the_python_renderer() {
    let (env, args, _) = import("article", &[]);
    run(&env, &args, &["-y"]).ok();
    insta::assert_snapshot!(env.read("states/nginx.toml"), @r#"
# From Salt's `nginx`, imported by pillarbox.
#
# Not imported:
#   pip.installed `docker-py`: packages of the host stay with Salt; what a container needs is in its image
#   file.managed `docker_compare_running`: files of the host stay with Salt; one that a container mounts is written as its `files.PATH`

# docker.pulled
# it required pip `docker-py`, which is not imported
[nginx_pulled.image.pulled]
name = "registry.example.com/web/nginx"
tag = "latest"
force = true
order = 200

# cmd.run that stopped and removed a container whose image had changed
# it required file `docker_compare_running`, which is not imported
[ournginx_absent.container.absent]
name = "ournginx"
stop_timeout = 10
when = "outdated"
order = 201

# docker.installed
[ournginx_container.container.installed]
name = "ournginx"
image = "registry.example.com/web/nginx:latest"
expose = [80]
order = 210
require = ["nginx_pulled"]

# docker.running
[ournginx_running.container.running]
name = "ournginx"
image = "registry.example.com/web/nginx:latest"
ports = ["127.0.0.1:8080:80/tcp"]
order = 211
require = ["ournginx_container"]
"#);
    env.run(&["--no-identity", "compile"]).ok();
    // The credentials have a command of their own, and it reads the same file.
    let pillar = args[2].clone();
    env.run(&["registry", "import", &pillar, "-y"]).ok().explains("imported 1 credential");
}

#[test]
fn a_file_that_a_container_mounts_is_never_left_to_an_empty_folder() {
    let (env, args, _) = import("web", &[]);
    let tree = repository().join("tests/salt/web/states").display().to_string();
    let before = env.files();
    let said = run(&env, &args, &["--files", &tree]);
    said.exits(9);
    assert_eq!(env.files(), before, "nothing is written without an answer");
    let said = run(&env, &args, &["--files", &tree, "-y"]);
    said.exits(1)
        .explains("docker_container.running `haproxy`: /etc/haproxy/haproxy.cfg is a template, which Salt renders only when it writes the file")
        .explains("scp HOST:/etc/haproxy/haproxy.cfg DIR/etc/haproxy/haproxy.cfg, then --rendered DIR");
    assert!(!env.read("states/haproxy.toml").contains("[haproxy.container.running]"));

    let (env, args, _) = import("web", &[]);
    run(&env, &args, &["--keep-mounts", "-y"]).ok();
    let text = env.read("states/haproxy.toml");
    assert!(text.contains("\"/etc/haproxy/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro\""), "{text}");
    assert!(text.contains("# /etc/haproxy/haproxy.cfg of the host goes on to be filled by Salt"), "{text}");
}

#[test]
fn nothing_is_overwritten_and_what_is_sealed_can_be_said() {
    let (env, args, _) = import("elk", &[]);
    let before = env.files();
    let command = format!("import salt {} --clear elasticsearch.password", args.join(" "));
    // In clear it is found in a state, whose variable is called a password.
    let (code, said) = typed(&env, &command, &[("Import 5 states, and seal 1 value?", "n")]);
    assert!(code != 0, "{said}");
    assert_eq!(env.files(), before);
    run(&env, &args, &["--seal", "elasticsearch.heep", "-y"])
        .exits(64)
        .explains("the pillar has no value elasticsearch.heep")
        .explains("did you mean `elasticsearch.heap`?");
    env.write("states/elk.toml", "# mine\n");
    env.write("pillar/salt.toml", "[elasticsearch]\nheap = \"2g\" # mine\n");
    run(&env, &args, &["-y"]).exits(1).explains("states/elk.toml is there already and says otherwise");
    assert_eq!(env.read("states/elk.toml"), "# mine\n");
    fs::remove_file(env.workspace().join("states/elk.toml")).expect("removed");
    run(&env, &args, &["-y"]).exits(1).explains("1 value of the pillar");
    let pillar = env.read("pillar/salt.toml");
    assert!(pillar.starts_with("[elasticsearch]\nheap = \"2g\" # mine\n"), "{pillar}");
    assert!(pillar.contains("password = { sealed"), "{pillar}");
}

#[test]
fn what_is_no_highstate_is_said_with_the_command_that_makes_one() {
    let (env, folder) = workspace("failed");
    for (file, said) in [
        ("jinja.json", "Rendering SLS 'base:bad' failed: Jinja variable 'nope' is undefined; line 1"),
        ("missing.json", "No matching sls found for 'nosuch' in env 'base'"),
        ("applied.json", "they are the results of state.apply"),
        ("low.json", "they are the low states, without their ids and requisites"),
    ] {
        env.run(&["import", "salt", &format!("{folder}/{file}"), "-y"]).exits(1).explains(said);
    }
    env.write("shop.sls", "web:\n  docker_container.running:\n    - image: {{ pillar['image'] }}\n");
    env.run(&["import", "salt", "shop.sls"])
        .exits(1)
        .explains("shop.sls:3: this line holds Jinja")
        .explains("salt-call --local --out json state.show_sls NAME > states.json");
    env.write(
        "shop.sls",
        "web:\n  docker_container.running:\n    - image: registry.example.com/web:1\n    - ports: [80]\n",
    );
    env.run(&["import", "salt", "shop.sls", "--host", "vm1=ssh://deploy@vm1", "-y"]).ok();
    env.run(&["--no-identity", "compile"]).ok().says("registry.example.com/web:1");
}

#[test]
fn the_json_of_a_preview_names_everything_and_no_value() {
    let (env, args, _) = import("elk", &[]);
    let said = run(&env, &args, &["--json", "-y"]);
    let object: serde_json::Value =
        serde_json::from_str(said.stdout.lines().collect::<Vec<_>>().join("\n").as_str()).expect("JSON");
    assert_eq!(object["pillar"][0]["sealed"], serde_json::json!(["elasticsearch.password"]));
    assert_eq!(object["hosts"], serde_json::json!(["elk1"]));
    let missing = object["left_out"].as_array().into_iter().flatten().filter(|one| one["missing"] == true);
    assert_eq!(missing.count(), 1);
}
