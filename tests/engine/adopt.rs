//! `pillarbox adopt`: containers of `docker run` and of Compose become ours where they stand.

use crate::env::{Checked, Output, has_program};
use crate::relay::Relay;
use crate::shop::Shop;
use crate::testbed::encoded;
use serde_json::{Value, json};
use std::time::Duration;

/// A shop whose image is on the host and whose container does not exist yet.
struct Taken {
    shop: Shop,
    image: String,
}

impl Taken {
    fn new(more: &str) -> Option<Self> {
        let mut shop = Shop::new()?;
        let engine = shop.engine.address();
        shop.bed.env.set_var("DOCKER_HOST", engine);
        let image = format!("{}:1.0.0", shop.repository);
        let pulled = format!("[image.image.pulled]\nname = \"{}\"\ntag = \"1.0.0\"\n", shop.repository);
        shop.env.write("states/web.toml", pulled);
        shop.apply().ok();
        shop.options(more);
        Some(Self { shop, image })
    }

    fn docker(&self, arguments: &[&str]) -> String {
        let done = self.shop.env.program("docker", arguments).run().ok();
        done.stdout().trim().to_owned()
    }

    /// `docker run -d` under the wanted name with the wanted port; answers the id.
    fn run(&self, more: &[&str]) -> String {
        let published = format!("{}:80", self.shop.port);
        let mut arguments = vec!["run", "-d", "--name", &self.shop.web, "-p", &published];
        arguments.extend(more);
        arguments.push(&self.image);
        let id = self.docker(&arguments);
        self.shop.answers(self.shop.port, "web 1.0.0");
        id
    }

    fn adopt(&self, more: &[&str]) -> Output {
        let mut arguments = vec!["adopt", self.shop.web.as_str(), "--host", "local"];
        arguments.extend(more);
        self.shop.env.run(&arguments)
    }

    /// The ids of containers that the host has a record of.
    fn records(&self) -> Vec<String> {
        let volumes = self.shop.engine.volumes();
        let names = volumes.iter();
        let names = names.filter_map(|volume| volume["Name"].as_str());
        let prefix = format!("pillarbox-adopted.{}.", self.shop.name);
        names.filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    #[track_caller]
    fn plans(&self, code: i32) -> Checked {
        self.shop.env.run(&["plan", "--detailed-exitcode"]).exits(code)
    }
}

#[test]
fn what_agrees_is_taken_over_without_a_restart_and_the_next_plan_is_empty() {
    let Some(it) = Taken::new("restart = \"always\"\nenv.LOG = \"info\"\nmemory = \"64m\"") else { return };
    let id = it.run(&["--restart", "always", "-e", "LOG=info", "-m", "64m"]);
    let shop = &it.shop;
    let before = shop.identity(&id);
    let hint = format!("pillarbox adopt {} --host local", shop.web);
    shop.apply().exits(1).explains("was not made by").explains(&hint);
    // The question was not answered.
    let shown = it.adopt(&[]).exits(9);
    shown.says("All that is declared agrees").says("= env.LOG").says("= ports").explains("-y");
    assert!(it.records().is_empty());
    shop.apply().exits(1);

    it.adopt(&["-y"]).ok().explains("adopted: container");
    assert_eq!(it.records(), [id.as_str()]);
    it.plans(0);
    shop.apply().ok();
    assert_eq!(shop.identity(&id), before, "it was touched");
    shop.env.run(&["status"]).ok().says(&shop.web).says("1.0.0");
    let status = shop.env.run(&["status", "--json"]).ok().json();
    assert_eq!(status["hosts"][0]["containers"][0]["adopted"], json!(true), "{status}");
    it.adopt(&["-y"]).ok().explains("is already managed by pillarbox");

    // From now on it is managed: in place, back after a failure, and replaced.
    shop.options("restart = \"always\"\nenv.LOG = \"info\"\nmemory = \"48m\"");
    shop.env.run(&["plan"]).ok().says("~ container").says("memory changed");
    shop.apply().ok();
    assert_eq!(shop.inspect(&id)["HostConfig"]["Memory"], json!(48 << 20));
    assert_eq!(shop.identity(&id), before);
    shop.release("exits", "1.1.0");
    shop.apply().exits(3).explains("no such table");
    shop.answers(shop.port, "web 1.0.0");
    let back = shop.inspect(&shop.web);
    assert_eq!((&back["Id"], &back["HostConfig"]["RestartPolicy"]["Name"]), (&json!(id), &json!("always")));
    shop.release("serve", "1.2.0");
    shop.apply().ok();
    shop.only("web 1.2.0");
    assert!(it.records().is_empty(), "the record goes with its container");
    it.plans(0);
}

#[test]
fn what_differs_is_shown_field_by_field_without_what_it_has_and_the_next_apply_does_what_was_said() {
    let Some(it) = Taken::new("restart = \"always\"\nenv.LOG = \"info\"\nuser = \"0\"") else { return };
    let id = it.run(&["-e", "LOG=hunter2-debug"]);
    let shop = &it.shop;
    let shown = it.adopt(&["-y"]).ok();
    shown.says("≠ env.LOG").says("info").says("states/web.toml:").says("≠ restart").says("≠ user");
    let shown = it.adopt(&["-y"]).ok();
    assert!(!shown.stdout().contains("hunter2"));
    let plan = it.plans(2);
    plan.says("-/+ container")
        .says("env.LOG changed")
        .says("user changed")
        .lacks("same tag")
        .lacks("hunter2");
    assert_eq!(it.records(), [id.as_str()]);
    shop.apply().ok();
    shop.only("web 1.0.0");
    assert!(it.records().is_empty());
    assert_ne!(shop.inspect(&shop.web)["Id"], json!(id));
    shop.rests();
}

#[test]
fn live_fields_that_differ_are_changed_in_place_afterwards() {
    let Some(it) = Taken::new("restart = \"always\"\nmemory = \"32m\"") else { return };
    let id = it.run(&[]);
    let before = it.shop.identity(&id);
    let json = it.shop.env.run(&["adopt", &it.shop.web, "--host", "local", "-y", "--json"]).ok().json();
    assert_eq!((&json["recorded"], &json["agrees"]), (&json!(true), &json!(false)), "{json}");
    assert_eq!(json["then"][0]["actions"], json!(["update"]));
    let differing: Vec<&str> = json["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .filter(|field| field["agrees"] == false)
        .filter_map(|field| field["field"].as_str())
        .collect();
    assert_eq!(differing, ["memory", "restart"]);
    it.shop.apply().ok();
    assert_eq!(it.shop.identity(&id), before, "it was restarted");
    assert_eq!(it.shop.inspect(&id)["HostConfig"]["Memory"], json!(32 << 20));
    it.plans(0);
}

#[test]
fn another_image_under_the_same_tag_is_another_image() {
    let Some(it) = Taken::new("") else { return };
    let id = it.run(&[]);
    it.shop.push_page("serve", "web", "1.0.0", "web moved");
    it.adopt(&["-y"]).ok().says("≠ image").says("-/+ container");
    it.plans(2).says("same tag, other image");
    it.shop.apply().ok();
    it.shop.only("web moved");
    assert_ne!(it.shop.inspect(&it.shop.web)["Id"], json!(id));
}

#[test]
fn secrets_are_compared_with_what_they_are_and_shown_nowhere() {
    let Some(it) = Taken::new("env.DB_URL = \"postgres://api:{{ pillar.db.password }}@db\"") else { return };
    let shop = &it.shop;
    shop.seal("db.password", "correct-horse");
    let id = it.run(&["-e", "DB_URL=postgres://api:correct-horse@db"]);
    let before = shop.identity(&id);
    // The registry's own credential is not needed, the image is pinned.
    shop.env.run(&["gate", "set", "web", "1.0.0"]).ok();
    let image = "image = \"{{ pillar.deploy.web.image }}:{{ pillar.deploy.web.version }}\"";
    let pinned = "image = \"{{ pillar.deploy.web.image }}:{{ pillar.deploy.web.version }}@{{ pillar.deploy.web.digest }}\"";
    let states = shop.env.read("states/web.toml").replace(image, pinned).replace("force = true", "");
    shop.env.write("states/web.toml", states.replace("require = [\"web_image\"]", "").replace("[web_image.image.pulled]\nname = \"{{ pillar.deploy.web.image }}\"\ntag = \"{{ pillar.deploy.web.version }}\"\n", ""));
    let blind = shop.env.run(&["--no-identity", "adopt", &shop.web, "--host", "local", "-y"]);
    blind.exits(10).explains("--identity FILE");
    assert!(it.records().is_empty());
    let said = it.adopt(&["-y", "-v"]).ok();
    assert!(said.stdout().contains("= env.DB_URL"), "{}", said.stdout());
    for text in [said.stdout(), said.stderr()] {
        assert!(!text.contains("correct-horse"), "{text}");
    }
    let volumes = Value::from(shop.engine.volumes()).to_string();
    assert!(!volumes.contains("correct-horse"));
    it.plans(0);
    assert_eq!(shop.identity(&id), before);

    // Another secret in it: said, and replaced by the next apply.
    shop.engine.delete(&format!("/containers/{id}?force=1"));
    it.run(&["-e", "DB_URL=postgres://api:battery-staple@db"]);
    let said = it.adopt(&["-y"]).ok();
    said.says("≠ env.DB_URL").says("-/+ container").lacks("battery").lacks("correct-horse");
    let plan = it.plans(2);
    plan.says("env.DB_URL changed").says("adoption").lacks("battery");
}

#[test]
fn a_container_of_compose_is_taken_over_with_its_network_and_compose_is_named() {
    let Some(it) = Taken::new("") else { return };
    assert!(has_program("docker-compose"), "docker-compose is missing: run scripts/testbed needs");
    let shop = &it.shop;
    let network = format!("{}-net", shop.name);
    shop.options(&format!("networks = [\"{network}\"]\nvolumes = [\"{network}:/data\"]\nenv.LOG = \"info\""));
    let file = format!(
        "version: \"3\"\nservices:\n  {web}:\n    image: {image}\n    container_name: {web}\n    environment: {{ LOG: info }}\n    \
         ports: [\"{port}:80\"]\n    networks: [net]\n    volumes: [\"data:/data\"]\n\
         networks:\n  net: {{ name: {network} }}\nvolumes:\n  data: {{ name: {network} }}\n",
        web = shop.web,
        image = it.image,
        port = shop.port,
    );
    shop.env.write("compose.yaml", file);
    let compose = |arguments: &[&str]| {
        let all: Vec<&str> = ["-f", "compose.yaml"].iter().chain(arguments).copied().collect();
        shop.env.program("docker-compose", &all).run()
    };
    compose(&["up", "-d"]).ok();
    shop.answers(shop.port, "web 1.0.0");
    let before = shop.identity(&shop.web);
    let said = it.adopt(&["-y"]).ok();
    said.says("All that is declared agrees")
        .says("Docker Compose made it")
        .says("'docker compose up' would replace it");
    it.plans(0);
    assert_eq!(shop.identity(&shop.web), before);
    shop.release("serve", "1.1.0");
    shop.apply().ok();
    shop.only("web 1.1.0");
    assert!(it.records().is_empty());
    let _ = compose(&["down", "-v"]);
    shop.only("web 1.1.0");
    shop.absent();
    shop.apply().ok();
    let _ = compose(&["down", "-v"]);
}

#[test]
fn what_cannot_be_adopted_is_said_with_the_reason_and_nothing_is_recorded() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    let refused = |why: &str| {
        it.adopt(&["-y"]).exits(1).explains(why);
        assert!(it.records().is_empty());
    };
    refused("there is no container");
    shop.env
        .run(&["adopt", "missing", "--host", "local", "-y"])
        .exits(1)
        .explains("no state of host local declares");
    shop.env.run(&["adopt", &shop.web, "--host", "web7", "-y"]).exits(64).explains("no host matches");
    shop.env.run(&["adopt", &shop.web]).exits(64);
    for (more, why) in [
        (vec!["--label", "io.pillarbox.workspace=elsewhere"], "belongs to workspace elsewhere"),
        (vec!["--rm"], "--rm"),
        (vec!["--label", &format!("io.pillarbox.workspace={}", shop.name)], "has the labels of pillarbox"),
    ] {
        let id = it.run(&more);
        let before = shop.identity(&id);
        refused(why);
        let said = shop.apply().exits(1);
        assert!(!said.stderr().contains("pillarbox adopt"), "{}", said.stderr());
        assert_eq!(shop.identity(&id), before);
        shop.engine.delete(&format!("/containers/{id}?force=1"));
    }
}

#[test]
fn an_adopted_container_that_was_removed_by_hand_is_recreated_and_its_record_is_cleared() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    let id = it.run(&[]);
    it.adopt(&["-y"]).ok();
    shop.engine.delete(&format!("/containers/{id}?force=1"));
    it.plans(2).says("+ container").says("- adoption").says("the container is gone");
    shop.apply().ok();
    shop.only("web 1.0.0");
    assert!(it.records().is_empty());
    it.plans(0);
}

#[test]
fn without_its_record_it_is_a_stranger_again_and_with_it_prune_and_absent_take_it() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    let states = shop.env.read("states/web.toml");
    let id = it.run(&[]);
    let before = shop.identity(&id);
    it.adopt(&["-y"]).ok();
    it.docker(&["volume", "rm", &format!("pillarbox-adopted.{}.{id}", shop.name)]);
    shop.apply().exits(1).explains("pillarbox adopt");
    shop.absent();
    shop.env.run(&["apply", "-y", "--prune"]).ok().says("left alone");
    assert_eq!(shop.identity(&id), before);
    shop.env.write("states/web.toml", &states);
    it.adopt(&["-y"]).ok();
    shop.env.write("states/web.toml", "");
    shop.env.run(&["plan"]).ok().says("no state declares it any more");
    shop.env.run(&["apply", "-y", "--prune"]).ok().says(&format!("- container {}", shop.web));
    assert!(shop.engine.find_container(&id).is_none());
    assert!(it.records().is_empty() && shop.kept().is_empty());
}

#[test]
fn a_container_of_a_service_is_adopted_by_its_own_name() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    shop.env.write(
        "states/web.toml",
        format!(
            "[web.service.deployed]\nname = \"{}\"\nimage = \"{}\"\nreplicas = 2\nupdate = {{ monitor = \"1s\" }}\nstop_timeout = \"1s\"\n",
            shop.web, it.image
        ),
    );
    let second = format!("{}-2", shop.web);
    let id = it.docker(&["run", "-d", "--restart", "unless-stopped", "--name", &second, &it.image]);
    let before = shop.identity(&id);
    shop.apply().exits(1).explains(&format!("pillarbox adopt {second} --host local"));
    shop.env.run(&["adopt", &second, "--host", "local", "-y"]).ok().says("All that is declared agrees");
    shop.apply().ok().says(&format!("+ container {}", shop.web));
    assert_eq!(shop.identity(&id), before);
    it.plans(0);
    // Fewer of them: it goes like any other.
    let states = shop.env.read("states/web.toml").replace("replicas = 2", "replicas = 1");
    shop.env.write("states/web.toml", states);
    shop.apply().ok();
    assert_eq!(shop.names(), [shop.web.as_str()]);
    assert!(it.records().is_empty());
}

#[test]
fn cut_off_at_any_call_it_is_either_ours_or_a_stranger_and_the_next_adopt_ends_it() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    let id = it.run(&[]);
    let before = shop.identity(&id);
    let relay = Relay::new(shop.engine.socket(), &shop.env.runtime());
    shop.set_inventory(&[("local", &relay.address())], &["web"]);
    shop.env.run(&["known", "accept", "local"]).ok();
    let mut moments = 0;
    for calls in 1.. {
        relay.cut_after(calls, Some(Duration::ZERO));
        let output = it.adopt(&["-y"]);
        if !relay.restore() {
            let _ = output.ok();
            break;
        }
        moments += 1;
        assert!([0, 1].contains(&output.code), "{output}");
        assert_eq!(shop.identity(&id), before);
        // A stranger, or ours.
        let plan = shop.env.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, i32::from(it.records().is_empty()), "{plan}");
        for record in it.records() {
            shop.engine.delete(&format!("/volumes/pillarbox-adopted.{}.{record}", shop.name));
        }
        shop.lease_is_over();
    }
    assert!(moments >= 8, "only {moments} moments");
    it.plans(0);
    assert_eq!(shop.identity(&id), before);
}

#[test]
fn while_another_apply_holds_the_lock_nothing_is_recorded() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    it.run(&[]);
    let labels = json!({
        "io.pillarbox.lock": shop.name, "io.pillarbox.lock.token": "theirs", "io.pillarbox.lock.state": "held",
        "io.pillarbox.lock.lease": "180", "io.pillarbox.lock.who": "bob", "io.pillarbox.lock.from": "elsewhere",
    });
    let name = format!("pillarbox-lock.{}.00000099", shop.name);
    shop.engine.post("/volumes/create", &json!({ "Name": name, "Labels": labels }));
    it.adopt(&["-y"]).exits(6).explains("bob on elsewhere");
    assert!(it.records().is_empty());
    shop.lease_is_over();
    it.adopt(&["-y"]).ok();
}

#[test]
fn a_commit_of_ours_under_our_name_is_neither_adopted_nor_replaced() {
    let Some(it) = Taken::new("") else { return };
    let shop = &it.shop;
    shop.apply().ok();
    let repository = format!("copy/{}/web", shop.name);
    let commit = format!("/commit?container={}&repo={}&tag=1", shop.web, encoded(&repository));
    shop.engine.post(&commit, &Value::Null);
    shop.absent();
    shop.apply().ok();
    shop.options("");
    let id = it.docker(&["run", "-d", "--name", &shop.web, &format!("{repository}:1")]);
    let before = shop.identity(&id);
    it.adopt(&["-y"]).exits(1).explains("has the labels of pillarbox");
    shop.env.run(&["plan"]).exits(1).explains("has the labels of pillarbox");
    shop.env.run(&["apply", "-y", "--prune", "--fix-drift"]).exits(1);
    let status = shop.env.run(&["status"]).ok();
    assert!(status.stdout().contains("has the labels of pillarbox"), "{}", status.stdout());
    assert_eq!(shop.identity(&id), before);
    assert!(it.records().is_empty());
}
