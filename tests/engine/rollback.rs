//! `rollback` and `history` on a real Engine: with the registry stopped, after prunes, killed after every
//! line it prints.

use crate::cut::killed;
use crate::guarded::Guarded;
use crate::service::Service;
use crate::testbed::eventually;
use serde_json::{Value, json};

impl Service {
    fn back(&self, more: &[&str]) -> crate::env::Output {
        let command: Vec<&str> =
            ["rollback", &self.name, "-y"].into_iter().chain(more.iter().copied()).collect();
        self.bed.env.run(&command)
    }

    fn upgraded(&self, version: &str) {
        self.release("healthy", version);
        self.apply().ok();
        self.only(1, version);
    }

    fn id(&self, name: &str) -> String {
        let one = self.bed.engine.container(name);
        one["Id"].as_str().expect("an id").to_owned()
    }

    fn kept(&self, generation: u64) -> String {
        format!("{}.g{generation}.kept", self.name)
    }

    fn remove(&self, name: &str) {
        self.bed.engine.delete(&format!("/containers/{name}"));
        assert!(self.bed.engine.find_container(name).is_none());
    }

    /// What `history` says, newest first: generation, version, what it is.
    fn history(&self) -> Vec<(u64, String, String)> {
        let said = self.bed.env.run(&["--no-identity", "history", &self.name, "--json"]).ok().json();
        let rows = said["hosts"][0]["generations"].as_array().expect("generations").clone();
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        rows.iter()
            .map(|row| {
                (row["generation"].as_u64().expect("a number"), text(&row["version"]), text(&row["state"]))
            })
            .collect()
    }

    /// Nothing is left to do.
    #[track_caller]
    fn rests(&self) {
        self.bed.env.run(&["--no-identity", "plan", "--detailed-exitcode"]).ok();
    }

    fn gate(&self) -> String {
        self.bed.env.read("pillar/apps.toml")
    }
}

/// `gone` as a generation in a `history`.
fn row(generation: u64, version: &str, state: &str) -> (u64, String, String) {
    (generation, version.to_owned(), state.to_owned())
}

#[test]
fn a_kept_container_is_started_again_with_the_registry_stopped_and_the_next_apply_leaves_it() {
    let Some(service) = Service::deployed(1, "") else { return };
    let registry = Guarded::new();
    registry.issuer.public(&format!("{}/", service.bed.name));
    let image = registry.push(&service.bed, "api", "2.0.0");
    registry.push(&service.bed, "api", "2.1.0");
    service.bed.env.run(&["gate", "set", "api", "2.0.0", "--image", &image]).ok();
    service.apply().ok();
    let before = service.id(&service.name);
    service.bed.env.run(&["gate", "set", "api", "2.1.0"]).ok();
    let newer = service.gate();
    service.apply().ok();
    assert_eq!(service.id(&service.kept(2)), before);
    drop(registry);
    assert_eq!(
        service.history(),
        [row(3, "2.1.0", "runs"), row(2, "2.0.0", "kept"), row(1, "1.0.0", "kept")]
    );
    // No key either: nothing is created.
    let said = service.bed.env.run(&["--no-identity", "rollback", &service.name, "-y"]).ok();
    let said = said.says("+/- container").says("back to generation 2: its container is started again");
    drop(said.says("gate api becomes 2.0.0"));
    assert_eq!(service.id(&service.name), before);
    service.only(1, "2.0.0");
    let gate = service.gate();
    assert!(
        gate.contains("version = \"2.0.0\"") && gate.contains(&image) && !gate.contains("hold"),
        "{gate}"
    );
    service.rests();
    assert_eq!(
        service.history(),
        [row(3, "2.1.0", "kept"), row(2, "2.0.0", "runs"), row(1, "1.0.0", "kept")]
    );
    // Once more: not to and fro, but further back. The gate names that image, too.
    service.back(&[]).ok();
    service.only(1, "1.0.0");
    assert!(service.gate().contains(&service.repository), "{}", service.gate());
    service.rests();
    // And forward again.
    service.back(&["--to", "3"]).ok();
    service.only(1, "2.1.0");
    assert_eq!(service.gate(), newer);
    service.back(&["--to", "2.1.0"]).ok().explains("is there already");
    service
        .back(&["--to", "9"])
        .exits(1)
        .explains("there is no generation 9")
        .explains("2.0.0 (generation 2, kept)");
    service.back(&["--to", "0.9"]).exits(1).explains("version 0.9 is not kept").explains("local has 2.1.0");
}

impl Service {
    /// The version of its gate as a person writes it, without a digest.
    fn written(&self, version: &str) {
        let gate = format!("[deploy.api]\nimage = \"{}\"\nversion = \"{version}\"\n", self.repository);
        self.bed.env.write("pillar/apps.toml", gate);
    }

    /// What `history` says of where a rollback goes.
    fn rollback_target(&self) -> (Option<u64>, Option<String>) {
        let said = self.bed.env.run(&["--no-identity", "history", &self.name, "--json"]).ok().json();
        let host = &said["hosts"][0];
        (host["rollback"].as_u64(), host["rollback_stays"].as_str().map(str::to_owned))
    }
}

#[test]
fn after_a_failed_upgrade_back_is_the_version_that_works_with_a_digest_and_without_one() {
    let Some(service) = Service::deployed(1, "") else { return };
    service.upgraded("1.1.0");
    let works = service.id(&service.name);
    service.bed.push("unhealthy", "api", "1.2.0");
    for with_digest in [true, false] {
        match with_digest {
            true => drop(service.bed.env.run(&["gate", "set", "api", "1.2.0"]).ok()),
            false => service.written("1.2.0"),
        }
        let failed = service.apply();
        assert_ne!(failed.code, 0);
        assert!(failed.stderr.contains(&format!("pillarbox rollback {}\n", service.name)), "{failed}");
        assert_eq!(
            service.rollback_target(),
            (Some(2), Some("the deployment of generation 3 failed".to_owned()))
        );
        let said = service.back(&[]).ok().says("1.1.0 (generation 2, runs) stays in service");
        drop(said.says("gate api becomes 1.1.0"));
        assert_eq!(service.id(&service.name), works);
        service.only(1, "1.1.0");
        service.rests();
        assert_eq!(service.rollback_target(), (Some(1), None));
    }
    // One that never came so far as a container takes nothing away either.
    service.written("9.9.9");
    assert_ne!(service.apply().code, 0);
    assert_eq!(service.rollback_target().0, Some(2));
    service.back(&[]).ok().says("the declared version was never in service here");
    assert_eq!(service.id(&service.name), works);
    service.back(&[]).ok();
    service.only(1, "1.0.0");
}

#[test]
fn after_prunes_a_new_container_is_made_from_the_kept_image_and_without_that_nothing_is_touched() {
    let Some(service) = Service::deployed(1, "") else { return };
    service.upgraded("1.1.0");
    service.upgraded("1.2.0");
    // What `docker container prune` does to these two.
    service.remove(&service.kept(1));
    service.remove(&service.kept(2));
    // Tags protect from a plain prune.
    service.bed.prune_images();
    let states: Vec<String> = service.history().into_iter().map(|row| row.2).collect();
    assert_eq!(states, ["runs", "image only", "image only"]);
    // The tags say which versions they are.
    let versions: Vec<String> = service.history().into_iter().map(|row| row.1).collect();
    assert_eq!(versions, ["1.2.0", "1.1.0", "1.0.0"]);
    let digest = service.gate();
    let said = service
        .back(&["--to", "1.1.0"])
        .ok()
        .says("back to generation 2: a new container from its image, as declared today");
    drop(said);
    assert!(service.bed.containers().iter().any(|one| one["State"] == "running"));
    assert_ne!(service.gate(), digest);
    service.rests();
    let label = service.bed.engine.container(&service.name);
    assert_eq!(label["Config"]["Labels"]["io.pillarbox.generation"], "4");
    // `image prune -a` removes what no container uses: then no earlier generation is left.
    let tag = format!("pillarbox.invalid/{}/{}:g1-1.0.0", service.bed.name, service.name);
    service.bed.engine.delete(&format!("/images/{tag}"));
    let before = service.containers();
    service.back(&["--to", "1"]).exits(1).explains("there is no generation 1").explains("local has");
    assert_eq!(service.containers(), before);
}

#[test]
fn what_was_declared_otherwise_comes_back_as_it_was_and_the_gate_is_held() {
    let Some(service) = Service::deployed(1, "env.LOG = \"info\"") else { return };
    service.replicas(1, "env.LOG = \"debug\"");
    service.upgraded("1.1.0");
    let said = service.back(&[]).ok();
    let said = said.says("was declared otherwise than today: env.LOG").says("and is held: ");
    drop(said);
    service.only(1, "1.0.0");
    let one = service.bed.engine.container(&service.name);
    assert!(one["Config"]["Env"].as_array().expect("variables").contains(&json!("LOG=info")));
    service
        .bed
        .env
        .run(&["plan", "--detailed-exitcode"])
        .exits(4)
        .says("was rolled back to 1.0.0 (generation 1");
    service.apply().ok();
    service.only(1, "1.0.0");
    service.bed.env.run(&["gate", "unhold", "api"]).ok();
    service.apply().ok();
    service.only(1, "1.0.0");
    let one = service.bed.engine.container(&service.name);
    assert!(one["Config"]["Env"].as_array().expect("variables").contains(&json!("LOG=debug")));
}

#[test]
fn killed_after_every_line_one_works_and_the_next_apply_does_what_the_gate_says() {
    let Some(service) = Service::deployed(1, "") else { return };
    let state =
        service.bed.env.read("states/api.toml").replace("\"3s\"", "\"1s\"").replace("\"1s\" }", "\"0s\" }");
    service.bed.env.write("states/api.toml", state);
    service.upgraded("1.1.0");
    let mut moments = 0;
    for lines in 1.. {
        let to = ["1.0.0", "1.1.0"][moments % 2];
        let command = ["rollback", &service.name, "--to", to, "-y", "-v"];
        let Some(cut) = killed(service.bed.env.command(&command), lines) else { break };
        moments += 1;
        let healthy = |one: &Value| one["Status"].as_str().is_some_and(|status| status.contains("(healthy)"));
        assert!(
            service.bed.containers().iter().any(healthy),
            "{:?} after {}",
            service.containers(),
            cut.said
        );
        let gate = service.gate();
        let wanted =
            ["1.0.0", "1.1.0"].into_iter().find(|version| gate.contains(&format!("version = \"{version}\"")));
        service.apply().ok();
        service.only(1, wanted.expect("a version"));
        let settled = eventually(|| service.bed.env.run(&["plan", "--detailed-exitcode"]).code == 0);
        assert!(settled, "the plan is not empty");
        // What was asked for is still possible.
        service.back(&["--to", to]).ok();
        service.only(1, to);
    }
    assert!(moments >= 10, "only {moments} moments");
}

#[test]
fn without_a_gate_it_is_refused_unless_it_is_for_once() {
    let Some(service) = Service::deployed(1, "") else { return };
    service.upgraded("1.1.0");
    let state = service.bed.env.read("states/api.toml");
    let image = format!("image = \"{}:1.1.0\"", service.repository);
    service.bed.env.write("states/api.toml", state.replace("gate = \"api\"", &image));
    service.rests_with_registry();
    let refused = service.back(&[]).exits(1).explains("no gate names the version");
    refused.explains("states/api.toml:3").explains("--once").explains(":1.0.0@sha256:");
    service.only(1, "1.1.0");
    service.back(&["--once"]).ok().says("the next apply undoes this: states/api.toml:3");
    service.only(1, "1.0.0");
    service.apply().ok();
    service.only(1, "1.1.0");
}

impl Service {
    #[track_caller]
    fn rests_with_registry(&self) {
        self.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    }
}

#[test]
fn without_a_gate_the_hint_names_what_differs() {
    let Some(service) = Service::deployed(1, "labels.team = \"a\"") else { return };
    let state = service.bed.env.read("states/api.toml");
    let image = format!("image = \"{}:1.0.0\"", service.repository);
    let state = state.replace("gate = \"api\"", &image);
    service.bed.env.write("states/api.toml", state.replace("\"a\"", "\"b\""));
    service.apply().ok();
    let refused = service.back(&[]).exits(1).explains("was declared otherwise in 1.0.0 (generation 1, kept)");
    let refused = refused.explains("change labels.team back in the state: states/api.toml:");
    drop(refused.explains("--once").lacks("name "));
}

#[test]
fn what_else_is_made_by_the_gate_that_is_written_is_said() {
    let Some(service) = Service::deployed(1, "") else { return };
    let other = format!("{}-worker", service.bed.name);
    let state = service.bed.env.read("states/api.toml");
    let worker = format!("\n[worker.container.running]\nname = \"{other}\"\ngate = \"api\"\n");
    service.bed.env.write("states/api.toml", format!("{state}{worker}"));
    service.upgraded("1.1.0");
    let said = service.back(&[]).ok();
    drop(said.says(&format!("is read for container {other} as well")));
}

#[test]
fn a_secret_is_opened_only_for_a_container_that_is_recreated_and_shown_nowhere() {
    let Some(service) = Service::deployed(1, "") else { return };
    service.bed.env.run_with_input(&["seal", "api.token", "--in", "apps"], "CANARY-t0ken").ok();
    service.replicas(1, "env.TOKEN = \"{{ pillar.api.token }}\"");
    service.release("healthy", "1.1.0");
    service.apply().ok();
    service.upgraded("1.2.0");
    let said = service.bed.env.run(&["--no-identity", "rollback", &service.name, "-y", "-v"]).ok();
    drop(said.lacks("CANARY"));
    service.only(1, "1.1.0");
    service.bed.env.run(&["--no-identity", "history", &service.name, "--json"]).ok().lacks("CANARY");
    service.remove(&service.kept(3));
    service.upgraded("1.3.0");
    service.remove(&service.kept(2));
    let to = ["rollback", &service.name, "--to", "2", "-y", "--json"];
    let without: Vec<&str> = std::iter::once("--no-identity").chain(to).collect();
    service.bed.env.run(&without).exits(10).lacks("CANARY");
    service.only(1, "1.3.0");
    service.bed.env.run(&to).ok().lacks("CANARY");
    let one = service.bed.engine.container(&service.name);
    assert!(one["Config"]["Env"].as_array().expect("variables").contains(&json!("TOKEN=CANARY-t0ken")));
}

#[test]
fn fewer_are_kept_when_it_says_so_and_one_started_by_hand_is_stopped() {
    let Some(service) = Service::deployed(1, "retain = 2") else { return };
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        service.upgraded(version);
    }
    let kept = |service: &Service| -> Vec<u64> {
        service.history().into_iter().filter(|row| row.2 == "kept").map(|row| row.0).collect()
    };
    assert_eq!(kept(&service), [3, 2]);
    let before = service.bed.engine.container(&service.name);
    service.bed.engine.post(&format!("/containers/{}/start", service.kept(2)), &Value::Null);
    service.replicas(1, "retain = 1");
    // It ended last, so it is the one that stays.
    service.apply().ok().says("it was started by hand").says("more than the one version that is kept");
    assert_eq!(kept(&service), [2]);
    assert_eq!(service.bed.engine.container(&service.kept(2))["State"]["Running"], false);
    service.rests();
    let after = service.bed.engine.container(&service.name);
    assert_eq!(before["State"]["StartedAt"], after["State"]["StartedAt"], "it was restarted");
    let tags = Value::from(service.bed.engine.images()).to_string();
    assert!(!tags.contains(&format!("{}:g1-", service.name)), "{tags}");
    service.replicas(0, "retain = 1");
    service.apply().ok();
    assert!(service.containers().is_empty(), "{:?}", service.containers());
}

#[test]
fn a_network_that_is_gone_is_no_obstacle_unless_it_belongs_to_what_comes_back_as_it_was() {
    for otherwise in [false, true] {
        let Some(service) = Service::deployed(1, "") else { return };
        let (old, new) = (service.bed.name.clone(), format!("{}-new", service.bed.name));
        let network = |name: &str| {
            let labels = json!({ "io.pillarbox.workspace": service.bed.name });
            service.bed.engine.post("/networks/create", &json!({ "Name": name, "Labels": labels }));
        };
        network(&new);
        if otherwise {
            service.replicas(1, "env.LOG = \"debug\"");
        }
        let state = service.bed.env.read("states/api.toml");
        let moved = state.replace(&format!("networks = [\"{old}\"]"), &format!("networks = [\"{new}\"]"));
        assert_ne!(moved, state);
        service.bed.env.write("states/api.toml", moved);
        service.upgraded("1.1.0");
        let running = || service.containers().into_iter().filter(|one| one.1).collect::<Vec<_>>();
        let before = running();
        // What `docker network prune` does to a network in which nothing runs.
        service.bed.engine.delete(&format!("/networks/{old}"));
        if otherwise {
            service
                .back(&[])
                .exits(1)
                .explains(&format!("is to be in network {old}, which is not on host local"));
            assert_eq!(running(), before);
            network(&old);
        }
        service.back(&[]).ok();
        service.only(1, "1.0.0");
        let one = service.bed.engine.container(&service.name);
        assert!(
            one["NetworkSettings"]["Networks"][&new].is_object(),
            "{}",
            one["NetworkSettings"]["Networks"]
        );
    }
}
