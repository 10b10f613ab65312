//! Podman as a host: the same API, without `/update` before 5.1 and without `/distribution`.

use crate::env::Output;
use crate::shop::Shop;
use crate::testbed::EngineEnv;
use serde_json::{Value, json};
use std::time::Duration;

/// A service on Podman, with a port of the host or without.
struct Pod {
    bed: EngineEnv,
    name: String,
    repository: String,
    port: u16,
}

impl Pod {
    fn deployed(more: &str) -> Option<Self> {
        let bed = EngineEnv::on_podman(&["web"])?;
        bed.add_registry();
        let (repository, digest) = bed.push("serve", "web", "1.0.0");
        let pod = Self { name: format!("{}-web", bed.name), port: bed.port(), repository, bed };
        pod.state(more);
        let set = ["gate", "set", "web", "1.0.0", "--image", &pod.repository, "--in", "apps"];
        pod.bed
            .env
            .run(&set)
            .exits(1)
            .explains("cannot ask a registry")
            .explains("--digest sha256:…")
            .lacks("0000");
        let set: Vec<&str> = set.iter().copied().chain(["--digest", &digest]).collect();
        pod.bed.env.run(&set).ok();
        pod.apply().ok();
        Some(pod)
    }

    fn state(&self, more: &str) {
        let more = more.replace("PORT", &self.port.to_string());
        let state = format!(
            "[web.service.deployed]\nname = \"{}\"\ngate = \"web\"\nrestart = \"always\"\nstop_timeout = \"1s\"\n\
             update = {{ monitor = \"1s\", drain = \"0s\" }}\n{more}\n",
            self.name
        );
        self.bed.env.write("states/web.toml", state);
    }

    fn release(&self, kind: &str, version: &str) {
        let (_, digest) = self.bed.push(kind, "web", version);
        self.bed.env.run(&["gate", "set", "web", version, "--digest", &digest]).ok();
    }

    fn apply(&self) -> Output {
        self.bed.env.run(&["apply", "-y"])
    }

    fn version(&self) -> (u32, u32) {
        let version = self.bed.engine.inspect("/version")["Version"].as_str().expect("a version").to_owned();
        let mut numbers = version.split('.').map(|part| part.parse().expect("a number"));
        (numbers.next().expect("a number"), numbers.next().expect("a second one"))
    }

    /// The containers that are no previous ones, which are kept for a rollback from 5.1 on.
    fn current(&self) -> Vec<Value> {
        let kept = |one: &Value| one["Names"][0].as_str().is_some_and(|name| name.ends_with(".kept"));
        self.bed.containers().into_iter().filter(|one| !kept(one)).collect()
    }

    fn inspect(&self, name: &str) -> Value {
        self.bed.engine.container(name)
    }

    /// One container of this version, with its policy, and nothing to do.
    #[track_caller]
    fn only(&self, version: &str) {
        let all = self.current();
        assert_eq!(all.len(), 1, "{all:?}");
        let one = self.inspect(&self.name);
        assert_eq!(one["Config"]["Labels"]["io.pillarbox.version"], version);
        assert_eq!(one["State"]["Running"], json!(true));
        assert_eq!(one["HostConfig"]["RestartPolicy"]["Name"], json!("always"));
        self.bed.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    }
}

#[test]
fn stop_first_on_podman_upgrades_and_takes_back_what_fails() {
    let Some(pod) = Pod::deployed("ports = [\"PORT:80\"]\nenv.LOG = \"info\"") else { return };
    pod.only("1.0.0");
    pod.bed.answers(pod.port, "web 1.0.0");
    pod.release("serve", "1.1.0");
    pod.bed.env.run(&["plan"]).ok().says("-/+ container").says("the old one stops first: port");
    pod.apply().ok();
    pod.bed.answers(pod.port, "web 1.1.0");
    pod.only("1.1.0");
    let before = pod.inspect(&pod.name)["Id"].clone();
    pod.release("exits", "1.2.0");
    pod.apply().exits(3).explains("did not come up").explains("no such table: users");
    pod.bed.answers(pod.port, "web 1.1.0");
    assert_eq!(pod.inspect(&pod.name)["Id"], before, "the old one itself is back");
    pod.release("serve", "1.3.0");
    pod.apply().ok();
    pod.bed.answers(pod.port, "web 1.3.0");
    pod.only("1.3.0");
    // What a stored plan says is done, though Podman has no id of its own.
    pod.release("serve", "1.4.0");
    pod.bed.env.run(&["plan", "-o", "plan.json"]).ok();
    pod.bed.env.run(&["apply", "plan.json"]).ok();
    pod.only("1.4.0");
    pod.bed.env.write("states/web.toml", format!("[gone.container.absent]\nname = \"{}\"\n", pod.name));
    pod.apply().ok();
    assert!(pod.bed.containers().is_empty());
}

#[test]
fn a_limit_on_podman_replaces_before_5_1_and_is_set_in_place_from_then_on() {
    let Some(pod) = Pod::deployed("") else { return };
    if !pod.bed.has_limits() || pod.bed.is_rootless() {
        return;
    }
    pod.state("memory = \"64m\"");
    pod.apply().ok();
    pod.only("1.0.0");
    let before = pod.inspect(&pod.name)["Id"].clone();
    pod.state("memory = \"48m\"");
    let plan = pod.bed.env.run(&["plan"]).ok();
    let in_place = pod.version() >= (5, 1);
    if in_place {
        plan.says("~ container").says("memory changed");
    } else {
        plan.says("+/- container").says("memory changed").says("this Engine cannot change that in place");
    }
    pod.apply().ok();
    assert_eq!(pod.inspect(&pod.name)["Id"] == before, in_place);
    assert_eq!(pod.inspect(&pod.name)["HostConfig"]["Memory"], json!(48 << 20));
    pod.only("1.0.0");
}

/// For a testbed whose Podman runs without root: `scripts/matrix 'no root'`.
#[test]
fn limits_that_a_host_without_root_ignores_are_no_difference() {
    let limits = "memory = \"64m\"\ncpus = 0.5\npids_limit = 100\ncpu_shares = 512\n\
                  ulimits.nofile = \"512:1024\"\ndevices = \"/dev/null:/dev/nothing\"\n";
    let Some(bed) = EngineEnv::on_podman(&["web"]) else { return };
    if !bed.is_rootless() {
        return;
    }
    drop(bed);
    let Some(pod) = Pod::deployed(limits) else { return };
    assert_eq!(pod.inspect(&pod.name)["HostConfig"]["Memory"], json!(0), "the host of the tests ignores it");
    pod.only("1.0.0");
    pod.bed.env.run(&["apply", "-y", "--fix-drift"]).ok().says("no changes");
    let before = pod.inspect(&pod.name)["Id"].clone();
    // What is declared beside them is compared.
    pod.state(&format!("{limits}env.LOG = \"info\""));
    pod.bed.env.run(&["plan"]).ok().says("env.LOG changed").lacks("memory changed").lacks("limits");
    pod.apply().ok();
    assert_ne!(pod.inspect(&pod.name)["Id"], before);
    pod.only("1.0.0");
}

#[test]
fn start_first_on_podman_upgrades_and_takes_back_what_fails() {
    let Some(pod) = Pod::deployed("") else { return };
    pod.only("1.0.0");
    let before = pod.inspect(&pod.name);
    pod.release("exits", "1.1.0");
    pod.apply().exits(3).explains("no such table: users");
    // Podman starts one that crashed again as long as it was not stopped while it ran.
    let failed = format!("{}.g2", pod.name);
    let ended = pod.inspect(&failed)["State"]["StartedAt"].clone();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(pod.inspect(&failed)["State"]["StartedAt"], ended, "what failed stays stopped");
    let after = pod.inspect(&pod.name);
    assert_eq!((&after["Id"], &after["State"]["StartedAt"]), (&before["Id"], &before["State"]["StartedAt"]));
    pod.release("serve", "1.2.0");
    pod.bed.env.run(&["plan"]).ok().says("+/- container");
    pod.apply().ok();
    pod.only("1.2.0");
    pod.state("replicas = 2");
    pod.apply().ok();
    assert_eq!(pod.current().len(), 2);
    pod.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    pod.state("");
    pod.apply().ok();
    pod.only("1.2.0");
}

/// The testbed's Podman has no systemd.
#[test]
fn without_systemd_podman_runs_no_health_checks_and_pillarbox_has_them_run() {
    let check = "healthcheck = { test = \"echo probed; test -e /tmp/ready || { touch /tmp/ready; false; }\", interval = \"1s\" }";
    let Some(pod) = Pod::deployed(check) else { return };
    let health = pod.inspect(&pod.name)["State"]["Health"].clone();
    assert_eq!(health["Status"], json!("healthy"), "{health}");
    pod.release("serve", "1.1.0");
    pod.bed.env.run(&["plan"]).ok().says("Podman runs no health checks on this host");
    pod.apply().ok();
    pod.only("1.1.0");
    pod.state("healthcheck = { test = \"echo never; false\", interval = \"1s\", retries = 2 }");
    pod.apply().exits(3).explains("its health check fails").explains("exit code 1: never");
}

#[test]
fn a_tag_without_a_digest_is_refused_on_podman_with_the_ways_on() {
    let Some(bed) = EngineEnv::on_podman(&["web"]) else { return };
    bed.add_registry();
    let (repository, _) = bed.push("serve", "web", "1.0.0");
    let state = format!("[web.container.running]\nname = \"{}\"\nimage = \"{repository}:1.0.0\"\n", bed.name);
    bed.env.write("states/web.toml", state);
    let said = bed.env.run(&["apply", "-y"]).exits(1).explains("cannot tell which image");
    said.explains("@sha256:…").explains("--offline").explains("gate set");
    assert!(bed.containers().is_empty());
}

#[test]
fn a_container_of_podman_run_is_adopted() {
    let Some(pod) = Pod::deployed("env.LOG = \"info\"") else { return };
    let image = pod.inspect(&pod.name)["Config"]["Image"].clone();
    pod.bed.env.write("states/web.toml", format!("[gone.container.absent]\nname = \"{}\"\n", pod.name));
    // Its image stays for the next one.
    pod.bed.engine.post(
        &format!("/images/{}/tag?repo=localhost/{}&tag=kept", image.as_str().expect("text"), pod.bed.name),
        &Value::Null,
    );
    pod.apply().ok();
    pod.state("env.LOG = \"info\"");
    let body = json!({
        "Image": image, "Env": ["LOG=info"], "HostConfig": { "RestartPolicy": { "Name": "always" } },
    });
    let made = pod.bed.engine.post(&format!("/containers/create?name={}", pod.name), &body);
    let id = made["Id"].as_str().expect("an id").to_owned();
    pod.bed.engine.post(&format!("/containers/{id}/start"), &Value::Null);
    let started = pod.inspect(&id)["State"]["StartedAt"].clone();
    pod.apply().exits(1).explains("pillarbox adopt");
    pod.bed.env.run(&["adopt", &pod.name, "--host", "pod", "-y"]).ok().says("All that is declared agrees");
    pod.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    assert_eq!(pod.inspect(&id)["State"]["StartedAt"], started);
    pod.release("serve", "1.1.0");
    pod.apply().ok();
    pod.only("1.1.0");
}

#[test]
fn doctor_and_status_say_podman_and_its_version() {
    let Some(shop) = Shop::on_podman() else { return };
    let version = shop.engine.inspect("/version")["Version"].as_str().expect("a version").to_owned();
    let named = if shop.is_rootless() {
        format!("Podman {version} without root")
    } else {
        format!("Podman {version}")
    };
    let doctor = shop.env.run(&["doctor"]);
    assert!(doctor.stdout.contains(&format!("pod: {named}, API")), "{doctor}");
    shop.env.run(&["status"]).ok().says(&format!(", {named}"));
}
