//! A Compose project on two hosts: added to a workspace, and taken over on both or on none.

use crate::env::Output;
use crate::own_engine::OwnEngine;
use crate::testbed::{Api, EngineEnv, testbed_var};
use serde_json::{Value, json};

const CANARY: &str = "CANARY-of-the-shop";

struct Two {
    bed: EngineEnv,
    two: OwnEngine,
    image: String,
}

impl Two {
    /// The project runs on both, made by Compose; the workspace knows neither project nor hosts.
    fn new() -> Option<Self> {
        let bed = EngineEnv::initialised(&[])?;
        let inventory = bed.env.read("pillarbox.toml");
        bed.env.write("pillarbox.toml", inventory.split("[groups.").next().unwrap_or_default());
        let (repository, _) = bed.push("serve", "web", "1.0.0");
        let image = repository.replacen(&bed.registry, &testbed_var("PILLARBOX_TEST_OPEN_REGISTRY"), 1);
        let two = OwnEngine::beside(&bed);
        let this = Self { bed, two, image };
        this.bed
            .env
            .write("compose.yaml", this.file("production"))
            .write(".env", format!("DB_PASSWORD={CANARY}\n"));
        for engine in this.engines() {
            this.compose(engine, &["up", "-d"]).ok();
        }
        Some(this)
    }

    fn file(&self, mode: &str) -> String {
        format!(
            "name: {}\nservices:\n  web:\n    image: {}:1.0.0\n    stop_grace_period: 1s\n    \
             environment: {{MODE: {mode}, PASSWORD: \"${{DB_PASSWORD}}\"}}\n",
            self.bed.name, self.image
        )
    }

    fn engines(&self) -> [&Api; 2] {
        [&self.bed.engine, &self.two.api]
    }

    fn web(&self) -> String {
        format!("{}-web-1", self.bed.name)
    }

    fn compose(&self, engine: &Api, arguments: &[&str]) -> Output {
        let program = std::env::var("PILLARBOX_TEST_COMPOSE").expect("scripts/testbed up sets it");
        let run = self.bed.env.program(&program, &[&["-f", "compose.yaml"], arguments].concat());
        run.var("DOCKER_HOST", engine.address()).run()
    }

    fn docker(&self, engine: &Api, arguments: &[&str]) {
        self.bed.env.program("docker", arguments).var("DOCKER_HOST", engine.address()).run().ok();
    }

    fn add(&self, more: &[&str]) -> Output {
        let hosts = [("one", self.engines()[0]), ("two", self.engines()[1])];
        let hosts = hosts.map(|(name, engine)| format!("{name}={}", engine.address()));
        let all = ["compose", "add", "compose.yaml", "--host", &hosts[0], "--host", &hosts[1]];
        self.bed.env.run(&[&all[..], more].concat())
    }

    fn adopt(&self, more: &[&str]) -> Output {
        let all = ["adopt", "--compose", &self.bed.name, "--host", "one", "--host", "two"];
        self.bed.env.run(&[&all[..], more].concat())
    }

    /// Id and start of the container on both.
    fn identities(&self) -> [Value; 2] {
        self.engines().map(|engine| {
            let one = engine.container(&self.web());
            json!([one["Id"], one["State"]["StartedAt"]])
        })
    }

    fn records(&self) -> [usize; 2] {
        self.engines().map(|engine| {
            let volumes = engine.volumes();
            let names = volumes.iter().filter_map(|volume| volume["Name"].as_str());
            names.filter(|name| name.starts_with(&format!("pillarbox-adopted.{}.", self.bed.name))).count()
        })
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        self.bed.env.write("compose.yaml", self.file("production"));
        let _ = self.compose(&self.bed.engine, &["down", "-v", "-t", "0"]);
    }
}

#[test]
fn a_project_is_added_and_taken_over_on_both_hosts_or_on_none() {
    let Some(two) = Two::new() else { return };
    let (env, web) = (&two.bed.env, two.web());
    let before = two.identities();
    // A preview first; without an answer nothing is written.
    let inventory = env.read("pillarbox.toml");
    let files = env.files();
    two.add(&[]).exits(9).explains("sealed").lacks(CANARY);
    assert_eq!(env.files(), files, "written without an answer");
    two.add(&["-y"]).ok().explains("DB_PASSWORD").lacks(CANARY);
    let added = env.read("pillarbox.toml");
    assert!(added.starts_with(inventory.trim_end()) && added.contains("[hosts.two]"), "{added}");
    let pillar = env.read(&format!("pillar/{}.toml", two.bed.name));
    assert!(pillar.contains("DB_PASSWORD = { sealed") && !pillar.contains(CANARY), "{pillar}");
    // What is there is not overwritten.
    let files = env.files();
    env.write(".env", "DB_PASSWORD=CANARY-of-another\n");
    two.add(&["-y"]).ok().explains("1 there already, left as they are (DB_PASSWORD)").lacks("CANARY");
    env.write(".env", format!("DB_PASSWORD={CANARY}\n"));
    assert_eq!(env.files(), files);
    for host in ["one", "two"] {
        env.run(&["known", "accept", host]).ok();
    }

    // One host that runs something else stops both.
    let aside = format!("0123456789ab_{web}");
    two.docker(&two.two.api, &["rename", &web, &aside]);
    let refused = two.adopt(&["-y"]).exits(1).lacks(CANARY);
    let refused = refused.explains(&format!("container {web} on host two is called {aside} there"));
    refused.explains(&format!("docker rename {aside} {web}"));
    assert_eq!(two.records(), [0, 0]);
    two.docker(&two.two.api, &["rename", &aside, &web]);

    // What a recreate of Compose left that was cut off is named; where it runs, nothing is taken over.
    let labels = ["project", "service", "container-number", "oneoff"].map(|key| {
        let value = match key {
            "project" => two.bed.name.as_str(),
            "service" => "web",
            "oneoff" => "False",
            _ => "1",
        };
        format!("com.docker.compose.{key}={value}")
    });
    let labels = labels.each_ref().map(|label| ["--label", label.as_str()]).concat();
    let image = format!("{}:1.0.0", two.image);
    two.docker(&two.two.api, &[&["create", "--name", &aside], &labels[..], &[image.as_str()]].concat());
    two.docker(&two.two.api, &["start", &aside]);
    let refused = two.adopt(&["-y"]).exits(1);
    refused
        .explains(&format!("container {aside} on host two runs in the place of {web}, which is there too"))
        .explains(&format!("docker rm -f {web} && docker rename {aside} {web}"));
    assert_eq!(two.records(), [0, 0]);
    two.docker(&two.two.api, &["stop", "-t", "0", &aside]);
    two.adopt(&[]).exits(9);
    assert_eq!(two.records(), [0, 0]);
    let said = two.adopt(&["-y"]).ok().lacks(CANARY);
    said.says(&format!("Docker Compose made it in the place of {web} and was cut off"))
        .explains("adopted on host one, without a restart")
        .explains("adopted on host two, without a restart");
    assert_eq!(two.records(), [1, 1]);
    assert_eq!(two.identities(), before, "nothing was restarted");
    env.run(&["plan", "--detailed-exitcode"]).ok();

    // From now on it is deployed on both.
    env.write("compose.yaml", two.file("test"));
    env.run(&["apply", "-y"]).ok();
    for (engine, old) in two.engines().into_iter().zip(&before) {
        let now = engine.container(&web);
        assert_ne!(now["Id"], old[0]);
        let env = now["Config"]["Env"].to_string();
        assert!(env.contains("MODE=test") && env.contains(CANARY), "{env}");
    }
    env.run(&["plan", "--detailed-exitcode"]).ok();
}
