//! Two hosts, each with an Engine of its own: what goes forward and back does so on both, or on none.

use crate::env::Output;
use crate::own_engine::OwnEngine;
use crate::testbed::{Api, EngineEnv};
use serde_json::Value;

/// A service and its migration on the hosts `one` and `two`.
struct Two {
    bed: EngineEnv,
    two: OwnEngine,
    /// The service's name.
    name: String,
}

impl Two {
    fn new() -> Option<Self> {
        let bed = EngineEnv::initialised(&["api"])?;
        bed.add_registry();
        let two = OwnEngine::beside(&bed);
        bed.set_inventory(&[("one", &bed.engine.address()), ("two", &two.api.address())], &["api"]);
        let (repository, _) = bed.push("healthy", "api", "1.0.0");
        let name = format!("{}-api", bed.name);
        let this = Self { bed, two, name };
        this.declare("");
        this.bed.env.run(&["gate", "set", "api", "1.0.0", "--image", &repository, "--in", "apps", "-y"]).ok();
        this.apply().ok();
        this.both_run("1.0.0");
        Some(this)
    }

    fn declare(&self, more: &str) {
        let (name, network) = (&self.name, &self.bed.name);
        let state = format!(
            r#"
[back.network.present]
name = "{network}"

[migrate.task.ran]
gate = "api"
command = ["sh", "-c", "echo ran >>/data/ran"]
volumes = ["{network}:/data"]

[aside.network.present]
name = "{network}-aside"

[data.volume.present]
name = "{network}"

[api.service.deployed]
name = "{name}"
gate = "api"
networks = ["{network}"]
volumes = ["{network}:/data:ro"]
stop_timeout = "2s"
update = {{ monitor = "1s", drain = "0s" }}
require = ["migrate"]
env.HOST = "{{{{ host.name }}}}"
{more}
"#
        );
        self.bed.env.write("states/api.toml", state);
    }

    fn release(&self, version: &str) {
        self.bed.push("healthy", "api", version);
        self.bed.env.run(&["gate", "set", "api", version]).ok();
    }

    fn apply(&self) -> Output {
        self.bed.env.run(&["apply", "-y"])
    }

    fn back(&self, more: &[&str]) -> Output {
        self.bed.env.run(&[&["rollback", &self.name, "-y"], more].concat())
    }

    /// Of each host the id and the version of what has the plain name and runs.
    fn running(&self) -> [(Value, Value); 2] {
        let of = |engine: &Api| {
            let one = engine.container(&self.name);
            assert_eq!(one["State"]["Running"], true);
            (one["Id"].clone(), one["Config"]["Labels"]["io.pillarbox.version"].clone())
        };
        [of(&self.bed.engine), of(&self.two.api)]
    }

    #[track_caller]
    fn both_run(&self, version: &str) {
        assert_eq!(self.running().map(|(_, version)| version), [version, version]);
    }

    /// How often the migration ran, on each host.
    fn migrated(&self) -> [usize; 2] {
        [&self.bed.engine, &self.two.api].map(|engine| {
            let read = ["exec", &self.name, "cat", "/data/ran"];
            let output = self.bed.env.program("docker", &read).var("DOCKER_HOST", engine.address()).run();
            output.stdout.lines().count()
        })
    }

    #[track_caller]
    fn rests(&self) {
        self.bed.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    }

    fn gate(&self) -> String {
        self.bed.env.read("pillar/apps.toml")
    }
}

#[test]
fn a_rollback_goes_back_on_both_hosts_or_on_none() {
    let Some(two) = Two::new() else { return };
    assert_eq!(two.migrated(), [1, 0], "a task runs on one host of all");
    two.rests();
    two.release("1.1.0");
    two.apply().ok();
    two.both_run("1.1.0");
    let history = two.bed.env.run(&["--no-identity", "history", &two.name]).ok();
    history.says("one").says("two").says("kept");

    // Both go back; what a migration did is said and not done again.
    let plan = two.back(&[]).ok();
    plan.says("task migrate ran between generation 1 and generation 2").lacks("no state declares");
    two.both_run("1.0.0");
    assert_eq!(two.migrated(), [2, 0]);
    two.rests();
    two.back(&["--to", "1.1.0"]).ok();
    two.both_run("1.1.0");
    two.rests();

    // An Engine that does not answer: no host is rolled back.
    let (before, gate) = (two.running(), two.gate());
    two.two.stop("TERM");
    two.back(&["--to", "1.0.0"]).exits(1).explains("host two: its Engine").explains("does not answer");
    two.two.run();
    let mut came_back = Value::Null;
    assert!(crate::testbed::eventually(|| {
        came_back = two.two.api.find_container(&two.name).unwrap_or_default();
        came_back["State"]["Running"] == true
    }));
    assert_eq!((two.running(), two.gate()), (before.clone(), gate.clone()));

    // One host lacks it.
    let kept = format!("{}.g1.kept", two.name);
    two.two.api.delete(&format!("/containers/{kept}?force=1"));
    let tag = format!("pillarbox.invalid/{}/{}:g1-1.0.0", two.bed.name, two.name);
    two.two.api.delete(&format!("/images/{tag}"));
    let refused = two.back(&["--to", "1.0.0"]).exits(1);
    refused.explains("version 1.0.0 is not kept").explains("on two; nothing was changed");
    assert_eq!((two.running(), two.gate()), (before, gate));
    // The other one alone can.
    two.back(&["--to", "1.0.0", "--host", "one"]).ok();
    assert_eq!(two.running().map(|(_, version)| version), ["1.0.0", "1.1.0"]);
    two.rests();
}

#[test]
fn after_a_deployment_that_failed_on_the_second_host_both_go_back_to_what_ran_before() {
    let Some(two) = Two::new() else { return };
    two.release("1.1.0");
    two.declare(
        "healthcheck = { test = [\"CMD-SHELL\", \"test $HOST = one\"], interval = \"1s\", retries = 1 }",
    );
    two.apply().exits(3).explains("two");
    assert_eq!(two.running().map(|(_, version)| version), ["1.1.0", "1.0.0"]);
    let second = two.running()[1].0.clone();
    two.back(&[]).ok();
    two.both_run("1.0.0");
    assert_eq!(two.running()[1].0, second, "it was not touched");
    // It was declared otherwise, so it is held until the state is put right.
    assert_eq!(two.bed.env.run(&["plan", "--detailed-exitcode"]).code, 4);
    two.declare("");
    two.bed.env.run(&["gate", "unhold", "api"]).ok();
    two.rests();
}
