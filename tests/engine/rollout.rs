//! Three hosts, each with an Engine of its own, changed in batches.

use crate::own_engine::OwnEngine;
use crate::testbed::{Api, EngineEnv};
use serde_json::Value;

struct Three {
    bed: EngineEnv,
    others: [OwnEngine; 2],
    name: String,
}

impl Three {
    fn new() -> Option<Self> {
        let bed = EngineEnv::initialised(&["api"])?;
        bed.add_registry();
        let others = [OwnEngine::beside(&bed), OwnEngine::also_beside(&bed)];
        let hosts = [
            ("one", bed.engine.address()),
            ("two", others[0].api.address()),
            ("three", others[1].api.address()),
        ];
        let hosts: Vec<(&str, &str)> =
            hosts.iter().map(|(name, address)| (*name, address.as_str())).collect();
        bed.set_inventory(&hosts, &["api"]);
        let (repository, _) = bed.push("healthy", "api", "1.0.0");
        let name = format!("{}-api", bed.name);
        bed.env.write(
            "states/api.toml",
            format!(
                "[api.service.deployed]\nname = \"{name}\"\ngate = \"api\"\nstop_timeout = \"1s\"\n\
                 update = {{ monitor = \"1s\", drain = \"0s\" }}\nstart_timeout = \"8s\"\n"
            ),
        );
        let gate = ["gate", "set", "api", "1.0.0", "--image", &repository, "--in", "apps", "-y"];
        bed.env.run(&gate).ok();
        let this = Self { bed, others, name };
        this.bed.env.run(&["apply", "-y"]).ok();
        assert_eq!(this.versions(), ["1.0.0"; 3]);
        Some(this)
    }

    fn release(&self, kind: &str, version: &str) {
        self.bed.push(kind, "api", version);
        self.bed.env.run(&["gate", "set", "api", version]).ok();
    }

    fn engines(&self) -> [&Api; 3] {
        [&self.bed.engine, &self.others[0].api, &self.others[1].api]
    }

    /// What runs on each host under the plain name.
    fn versions(&self) -> [String; 3] {
        self.engines().map(|engine| {
            let one = engine.container(&self.name);
            assert_eq!(one["State"]["Running"], true);
            one["Config"]["Labels"]["io.pillarbox.version"].as_str().unwrap_or_default().to_owned()
        })
    }

    fn ids(&self) -> [Value; 3] {
        self.engines().map(|engine| engine.container(&self.name)["Id"].clone())
    }
}

#[test]
fn a_rollout_stops_after_the_host_that_failed_and_goes_on_where_it_stopped() {
    let Some(three) = Three::new() else { return };
    // By name: one, three, two. The first fails: the others are not touched.
    three.release("unhealthy", "1.1.0");
    let before = three.ids();
    let plan = three.bed.env.run(&["plan"]).ok();
    plan.says("order:  one, then three, then two");
    let failed = three.bed.env.run(&["apply", "-y", "--max-failures", "2"]).exits(3);
    failed.explains("one: replace").explains("three: 1 skipped").explains("batch 1 of 3: one, 2 left");
    assert_eq!(three.versions(), ["1.0.0"; 3]);
    assert_eq!(three.ids(), before, "the old containers themselves");

    // One batch, then it is paused; the first host that is left is the first of the next run.
    three.release("healthy", "1.2.0");
    let paused = three.bed.env.run(&["apply", "-y", "--batches", "1"]).ok();
    paused.explains("paused: 2 hosts are left; go on with: pillarbox apply");
    assert_eq!(three.versions(), ["1.2.0", "1.0.0", "1.0.0"]);
    let first = three.ids()[0].clone();
    let json = three.bed.env.run(&["--json", "plan", "--batch-size", "100%"]).ok().json();
    assert_eq!(json["batches"][0]["hosts"], serde_json::json!(["three", "two"]));
    assert_eq!(json["options"]["batch_size"], "100%");
    three.bed.env.run(&["plan", "--batch-size", "100%", "-o", "plan.json"]).ok();
    let done = three.bed.env.run(&["apply", "plan.json"]).ok();
    done.explains("done on three, two");
    assert_eq!(three.versions(), ["1.2.0"; 3]);
    assert_eq!(three.ids()[0], first, "what was done is not done again");

    // Back, in other batches.
    let back = three.bed.env.run(&["rollback", &three.name, "-y", "--batch-size", "1,2"]).ok();
    back.says("order:  one, then three and two");
    assert_eq!(three.versions(), ["1.0.0"; 3]);

    // What a restart leaves is restarted, and what it has restarted is not once more.
    let paused = three.bed.env.run(&["restart", &three.name, "-y", "--batches", "1"]).ok();
    let again = format!("pillarbox restart '{}' --failed", three.name);
    paused.explains(&format!("paused: 2 hosts are left; go on with: {again}"));
    let started =
        || three.engines().map(|engine| engine.container(&three.name)["State"]["StartedAt"].clone());
    let before = started();
    three.bed.env.run(&["restart", &three.name, "--failed", "-y"]).ok().explains("done on three, two");
    let after = started();
    assert!(before[0] == after[0] && before[1] != after[1] && before[2] != after[2]);
}

#[test]
fn a_first_host_that_fails_while_it_is_watched_ends_the_rollout() {
    let Some(three) = Three::new() else { return };
    three.release("healthy", "1.1.0");
    let apply = ["apply", "-y", "--batch-wait", "20s"];
    let running = three.bed.env.command(&apply).spawn();
    let engine = three.engines()[0];
    let came_up = || {
        let one = engine.find_container(&three.name).unwrap_or_default();
        one["Config"]["Labels"]["io.pillarbox.version"] == "1.1.0" && one["State"]["Running"] == true
    };
    assert!(crate::testbed::eventually(came_up));
    std::thread::sleep(std::time::Duration::from_secs(3));
    let docker = ["kill", three.name.as_str()];
    three.bed.env.program("docker", &docker).var("DOCKER_HOST", engine.address()).run().ok();
    let ended = running.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("worked at first, and no longer does"), "{said}");
    assert!(said.contains(&format!("pillarbox logs '{}' --host one", three.name)), "{said}");
    assert!(said.contains("waiting 20s before batch 2 of 3"), "{said}");
    for engine in &three.engines()[1..] {
        let one = engine.container(&three.name);
        assert_eq!(one["Config"]["Labels"]["io.pillarbox.version"], "1.0.0");
        assert_eq!(one["State"]["Running"], true);
    }
}

#[test]
fn a_rollout_that_fails_takes_back_what_it_had_deployed_if_that_is_asked_for() {
    let Some(three) = Three::new() else { return };
    let before = three.ids();
    three.release("healthy", "1.1.0");
    // These Engines share one network: on the second host the port is taken.
    let state = three.bed.env.read("states/api.toml");
    let port = three.bed.port();
    three.bed.env.write("states/api.toml", format!("{state}ports = [\"{port}:80\"]\n"));
    let failed = three.bed.env.run(&["apply", "-y", "--on-failure", "rollback"]).exits(3);
    let failed = failed.explains("rolling back").explains("rolled back afterwards");
    assert_eq!(three.versions(), ["1.0.0"; 3]);
    assert_eq!(three.ids(), before, "the containers from before themselves");
    let gate = three.bed.env.read("pillar/apps.toml");
    assert!(gate.contains("\"1.0.0\""), "{gate}\n{}", failed.stderr());
    // The gate of all hosts went back, so an apply has no version to change.
    assert!(!three.bed.env.workspace().join("pillar/hosts").exists());

    // A host that is left out is no failure of the rollout.
    three.bed.env.write("states/api.toml", state);
    let engines = three.engines().map(Api::address);
    let mut hosts: Vec<(&str, &str)> =
        ["one", "two", "three"].into_iter().zip(engines.iter().map(String::as_str)).collect();
    hosts.push(("away", "unix:///nonexistent/engine.sock"));
    let unhold = ["gate", "unhold", "api"];
    let _ = three.bed.env.run(&unhold);
    three.release("healthy", "1.2.0");
    three.bed.set_inventory(&hosts, &["api"]);
    let arguments = ["apply", "-y", "--skip-unreachable", "--on-failure", "rollback", "--batch-size", "100%"];
    three.bed.env.run(&arguments).exits(3).explains("host away").lacks("rolling back");
    assert_eq!(three.versions(), ["1.2.0"; 3]);
}
