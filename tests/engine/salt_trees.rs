//! A web tier and an ELK node that Salt 3007 deployed: what its Engine said of their containers (`tests/salt`) is made
//! again, and taken over by the page docs/from-salt.md.

use crate::harness::{header, pull};
use crate::salt::{bed, body, identity, recorded, run};
use crate::testbed::EngineEnv;
use serde_json::{Value, json};
use std::fs;

/// A tree of `tests/salt`, with names, ports, paths and images of this test alone.
struct Tree<'t> {
    bed: &'t EngineEnv,
    name: &'t str,
    minion: &'t str,
    /// What its names begin with.
    names: &'t [&'t str],
    images: &'t [&'t str],
    /// Its containers, in the order in which Salt starts them.
    containers: &'t [&'t str],
    ports: &'t [(&'t str, &'t str)],
}

impl Tree<'_> {
    fn home(&self) -> String {
        self.bed.env.home().join("host").display().to_string()
    }

    fn own(&self, text: &str, image: &str) -> String {
        let mut text = text.to_owned();
        for other in self.images {
            text = text.replace(other, image);
        }
        for name in self.names {
            text = text.replace(&format!("\"{name}"), &format!("\"{}-{name}", self.bed.name));
        }
        for folder in ["etc", "srv"] {
            text = text.replace(&format!("\"/{folder}/"), &format!("\"{}/{folder}/", self.home()));
        }
        text.replace("nofile=65536:65536", "nofile=1024:1024").replace("memlock=-1:-1", "nproc=4096:4096")
    }

    /// Salt has deployed it; the page leads to a managed workspace; nothing is restarted.
    fn is_taken_over(&self) {
        let bed = self.bed;
        let program = bed.env.home().join("program");
        fs::write(&program, "#!/bin/sh\nexec /bin/start\n").expect("a program");
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
        let files = ["api", "worker", "curl"].map(|name| format!("{}:/bin/{name}", program.display()));
        let taken: Vec<&str> = files.iter().flat_map(|file| ["--file", file.as_str()]).collect();
        let script = "trap 'exit 0' TERM INT QUIT; while :; do sleep 1 & wait $!; done";
        let repository = bed.push_programs(&taken, script, "app", "1.0.0");
        assert!(pull(bed, &repository, "1.0.0", &header(bed, &bed.password)).contains("Digest:"));
        let image = format!("{repository}:1.0.0");

        let ports: Vec<(String, String)> = self
            .ports
            .iter()
            .map(|(written, port)| {
                let own = bed.port().to_string();
                let (before, after) = written.rsplit_once(&format!("{port}:")).expect("a port");
                bed.env.write(&format!("../port-{port}"), &own);
                (format!("\"{written}\""), format!("\"{before}{own}:{after}\""))
            })
            .collect();
        let mut states = self.own(&recorded(&format!("{}/highstate.json", self.name)), &image);
        for (written, own) in &ports {
            assert!(states.contains(written), "{written}");
            states = states.replace(written, own);
        }
        let subnet = format!("172.29.{}.0/24", bed.port() % 250);
        let states: Value = serde_json::from_str(&states.replace("172.29.7.0/24", &subnet)).expect("JSON");
        let mut states = states.get(self.minion).or(states.get("local")).expect("its states").clone();
        let all = states.as_object_mut().expect("states");
        all.remove("curator");
        for (id, state) in all.iter_mut() {
            let list = |module: &str, state: &mut Value| state[module].as_array_mut().map(std::mem::take);
            if id.ends_with("haproxy-image")
                && let Some(args) = list("docker_image", state)
            {
                let kept =
                    args.into_iter().filter(|arg| arg.get("name").is_none() && arg.get("tag").is_none());
                let named = [json!({"name": repository}), json!({"tag": "1.0.0"})];
                state["docker_image"] = named.into_iter().chain(kept).collect();
            }
            if id.ends_with("-kibana")
                && let Some(args) = list("docker_container", state)
            {
                state["docker_container"] =
                    args.into_iter().filter(|arg| arg.get("links").is_none()).collect();
            }
        }
        bed.env.write("../highstate.json", json!({ self.minion: states }).to_string());
        let pillar: Value =
            serde_json::from_str(&recorded(&format!("{}/pillar.json", self.name))).expect("JSON");
        let mut pillar = pillar.get(self.minion).or(pillar.get("local")).expect("its pillar").clone();
        let credential = json!({"username": bed.user, "password": bed.password});
        pillar["docker-registries"] = json!({ bed.registry.as_str(): credential });
        bed.env.write("../pillar.json", json!({ self.minion: pillar }).to_string());

        // Salt's files, networks, volumes and containers.
        for file in [
            "etc/haproxy/haproxy.cfg",
            "etc/haproxy/errors/503.http",
            "etc/logstash/pipeline/main.conf",
            "srv/elasticsearch/x",
        ] {
            let path = std::path::Path::new(&self.home()).join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "salt\n").expect("written");
        }
        let labels = json!({"io.pillarbox.workspace": bed.name});
        let front = json!({"Name": format!("{}-front", bed.name), "Driver": "bridge", "Labels": labels,
            "IPAM": {"Config": [{"Subnet": subnet}]}});
        let elastic = json!({"Name": format!("{}-elastic", bed.name), "Driver": "bridge", "Labels": labels});
        bed.engine.post("/networks/create", if self.name == "web" { &front } else { &elastic });
        if self.name == "elk" {
            let device = format!("{}/srv/elasticsearch", self.home());
            let options = json!({"type": "none", "o": "bind", "device": device});
            bed.engine.post("/volumes/create", &json!({"Name": format!("{}-elasticsearch-data", bed.name), "Driver": "local", "DriverOpts": options}));
        }
        let mut inspected = self.own(&recorded(&format!("{}/inspect.json", self.name)), &image);
        for (_, port) in self.ports {
            let own = bed.env.read(&format!("../port-{port}"));
            inspected =
                inspected.replace(&format!("\"HostPort\": \"{port}\""), &format!("\"HostPort\": \"{own}\""));
        }
        let inspected: Value = serde_json::from_str(&inspected).expect("JSON");
        let names: Vec<String> = self.containers.iter().map(|name| format!("{}-{name}", bed.name)).collect();
        for name in &names {
            let (body, networks) = body(&image, inspected[name.as_str()].as_object().expect("a container"));
            run(bed, name, &body, &networks).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
        let before: Vec<Value> = names.iter().map(|name| identity(bed, name)).collect();

        // The way of the page.
        let address = format!("{}={}", self.minion, bed.engine.address());
        let import = ["import", "salt", "../highstate.json", "--pillar", "../pillar.json", "--keep-mounts"];
        bed.env.run(&[&import[..], &["--host", &address, "-y"]].concat()).ok().lacks("canary-");
        bed.env.run(&["registry", "import", "../pillar.json", "-y"]).ok();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let adopt = [&["adopt"], all.as_slice(), &["--host", self.minion, "-y"]].concat();
        let said = bed.env.run(&adopt).ok();
        assert!(!said.stdout().contains('≠'), "{}", said.stdout());
        bed.env.run(&["apply", "-y"]).ok();
        let plan = bed.env.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
        let after: Vec<Value> = names.iter().map(|name| identity(bed, name)).collect();
        assert_eq!(before, after, "one of them was touched");

        for name in &names {
            bed.engine.delete(&format!("/containers/{name}?force=1&v=1"));
        }
        for volume in ["haproxy-run", "elasticsearch-data"] {
            bed.engine.delete(&format!("/volumes/{}-{volume}?force=1", bed.name));
        }
    }
}

#[test]
fn a_web_tier_that_salt_deployed_becomes_managed_without_a_restart() {
    let Some(bed) = bed() else { return };
    let tree = Tree {
        bed: &bed,
        name: "web",
        minion: "web1",
        names: &["haproxy", "shop-", "front"],
        images: &["haproxy:2.9", "registry.example.com/shop:1.4.2"],
        containers: &["shop-api", "shop-worker", "haproxy"],
        ports: &[("80:80", "80"), ("127.0.0.1:8404:8404", "8404")],
    };
    tree.is_taken_over();
}

#[test]
fn an_elk_node_that_salt_deployed_becomes_managed_without_a_restart() {
    let Some(bed) = bed() else { return };
    let tree = Tree {
        bed: &bed,
        name: "elk",
        minion: "elk1",
        names: &["elasticsearch", "logstash", "kibana", "elastic\""],
        images: &[
            "docker.elastic.co/elasticsearch/elasticsearch:8.13.4",
            "docker.elastic.co/logstash/logstash:8.13.4",
            "docker.elastic.co/kibana/kibana:8.13.4",
        ],
        containers: &["elasticsearch", "logstash", "kibana"],
        ports: &[("127.0.0.1:9200:9200", "9200"), ("5044:5044", "5044")],
    };
    tree.is_taken_over();
}
