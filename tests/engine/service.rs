//! `service.deployed` on a real Engine: two containers behind a balancer and a client that asks all
//! through upgrades, good and bad; a replacement that is killed after every line it prints.

use crate::cut::killed;
use crate::env::{Output, Run, repository};
use crate::testbed::{EngineEnv, eventually};
use serde_json::{Value, json};
use std::fs;

/// A service in a network of its own.
pub(crate) struct Service {
    pub(crate) bed: EngineEnv,
    /// Its name, unique on the Engine.
    pub(crate) name: String,
    pub(crate) repository: String,
}

impl Service {
    /// Version 1.0.0, deployed with so many containers.
    pub(crate) fn deployed(replicas: usize, more: &str) -> Option<Self> {
        let bed = EngineEnv::initialised(&["api"])?;
        bed.add_registry();
        let (repository, _) = bed.push("healthy", "api", "1.0.0");
        let name = format!("{}-api", bed.name);
        let labels = json!({ "io.pillarbox.workspace": bed.name });
        bed.engine.post("/networks/create", &json!({ "Name": bed.name, "Labels": labels }));
        let service = Self { bed, name, repository };
        service.replicas(replicas, more);
        let repository = service.repository.clone();
        service
            .bed
            .env
            .run(&["gate", "set", "api", "1.0.0", "--image", &repository, "--in", "apps", "-y"])
            .ok();
        service.apply().ok();
        Some(service)
    }

    pub(crate) fn replicas(&self, replicas: usize, more: &str) {
        let (name, network) = (&self.name, &self.bed.name);
        let state = format!(
            "[api.service.deployed]\nname = \"{name}\"\ngate = \"api\"\nreplicas = {replicas}\n\
             networks = [\"{network}\"]\nstop_timeout = \"2s\"\nupdate = {{ drain = \"3s\", monitor = \"1s\" }}\n{more}\n"
        );
        self.bed.env.write("states/api.toml", state);
    }

    pub(crate) fn release(&self, kind: &str, version: &str) {
        self.bed.push(kind, "api", version);
        self.bed.env.run(&["gate", "set", "api", version]).ok();
    }

    /// An apply that says each line of progress.
    pub(crate) fn applying(&self) -> Run {
        self.bed.env.command(&["apply", "-y", "-v"])
    }

    pub(crate) fn apply(&self) -> Output {
        self.bed.env.run(&["apply", "-y"])
    }

    /// Its containers by name, each with whether it runs and the version it was made from.
    pub(crate) fn containers(&self) -> Vec<(String, bool, String)> {
        let mut found: Vec<(String, bool, String)> = self
            .bed
            .containers()
            .iter()
            .filter(|one| one["Labels"]["io.pillarbox.service"] == self.name.as_str())
            .map(|one| {
                let name = one["Names"][0].as_str().unwrap_or_default().trim_start_matches('/');
                let version = one["Labels"]["io.pillarbox.version"].as_str().unwrap_or_default();
                (name.to_owned(), one["State"] == "running", version.to_owned())
            })
            .collect();
        found.sort();
        found
    }

    /// Runs so many of this version, and nothing else is there but what is kept for a rollback.
    #[track_caller]
    pub(crate) fn only(&self, replicas: usize, version: &str) {
        let slot = |n: usize| if n == 1 { self.name.clone() } else { format!("{}-{n}", self.name) };
        let expected: Vec<_> = (1..=replicas).map(|n| (slot(n), true, version.to_owned())).collect();
        let (kept, others): (Vec<_>, Vec<_>) =
            self.containers().into_iter().partition(|one| one.0.ends_with(".kept"));
        assert_eq!(others, expected);
        assert!(kept.iter().all(|one| !one.1), "{kept:?}");
    }

    /// The balancer of the documentation in front of it; the port that it is published on.
    fn balancer(&self) -> u16 {
        let page = fs::read_to_string(repository().join("docs/services.md")).expect("the page");
        let config = page.split("```haproxy\n").nth(1).and_then(|rest| rest.split("```").next());
        let config = config.expect("the configuration").replace("api:80", &format!("{}:80", self.name));
        self.bed.env.write("haproxy.cfg", config);
        let file = self.bed.env.workspace().join("haproxy.cfg");
        let port = self.bed.port();
        // Debian's haproxy, from this machine, in a container of any image.
        let body = json!({
            "Image": format!("{}@{}", self.repository, self.digest()),
            "Entrypoint": ["/usr/sbin/haproxy", "-db", "-f", "/haproxy.cfg"],
            "Healthcheck": { "Test": ["NONE"] },
            "Labels": { "io.pillarbox.workspace": self.bed.name },
            "ExposedPorts": { "80/tcp": {} },
            "HostConfig": {
                "NetworkMode": self.bed.name,
                "PortBindings": { "80/tcp": [{ "HostPort": port.to_string() }] },
                "Binds": [
                    "/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro",
                    format!("{}:/haproxy.cfg:ro", file.display()),
                ],
            },
        });
        let made = self.bed.engine.post(&format!("/containers/create?name={}-lb", self.bed.name), &body);
        let id = made["Id"].as_str().expect("an id");
        self.bed.engine.post(&format!("/containers/{id}/start"), &Value::Null);
        port
    }

    fn digest(&self) -> String {
        let one = self.bed.engine.container(&self.name);
        let label = one["Config"]["Labels"]["io.pillarbox.image"].as_str().expect("a label").to_owned();
        label.split('@').nth(1).expect("a digest").to_owned()
    }
}

#[test]
fn behind_a_balancer_no_request_fails_in_an_upgrade_a_failed_one_a_rollback_and_another_number() {
    let Some(service) = Service::deployed(2, "") else { return };
    assert!(
        fs::exists("/usr/sbin/haproxy").expect("a look"),
        "haproxy is missing: run scripts/testbed needs"
    );
    let port = service.balancer();
    service.bed.answers(port, "api 1.0.0");
    service.release("healthy", "1.1.0");
    let (said, asked, failed) = service.bed.while_asked(port, || service.apply());
    said.ok().says("+/- container");
    assert!(failed.is_empty() && asked > 100, "{asked} asked, {failed:?}");
    service.only(2, "1.1.0");
    service.bed.answers(port, "api 1.1.0");
    service.release("unhealthy", "1.2.0");
    let (said, asked, failed) = service.bed.while_asked(port, || service.apply());
    said.exits(3).explains("its health check fails");
    assert!(failed.is_empty() && asked > 50, "{asked} asked, {failed:?}");
    let running: Vec<String> =
        service.containers().into_iter().filter(|one| one.1).map(|(_, _, version)| version).collect();
    assert_eq!(running, ["1.1.0", "1.1.0"]);
    // After one that failed it goes back to what runs already: the gate alone is written.
    service.bed.env.run(&["rollback", &service.name, "-y"]).ok();
    service.bed.env.run(&["get", "deploy.api.version"]).ok().says("1.1.0");
    service.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    // Then to what ran before that.
    let back = || service.bed.env.run(&["rollback", &service.name, "-y"]);
    let (said, asked, failed) = service.bed.while_asked(port, back);
    said.ok().says("its container is started again");
    assert!(failed.is_empty() && asked > 100, "{asked} asked, {failed:?}");
    service.bed.answers(port, "api 1.0.0");
    service.only(2, "1.0.0");
    service.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    service.bed.env.run(&["gate", "set", "api", "1.1.0"]).ok();
    for replicas in [3, 1, 2] {
        service.replicas(replicas, "");
        let (said, _, failed) = service.bed.while_asked(port, || service.apply());
        said.ok();
        assert!(failed.is_empty(), "{replicas}: {failed:?}");
        service.only(replicas, "1.1.0");
    }
}

#[test]
fn before_it_stops_the_old_one_is_told_and_one_that_cannot_be_told_goes_on_running() {
    let Some(service) = Service::deployed(1, "") else { return };
    let state = service.bed.env.read("states/api.toml");
    let with = |command: &str| {
        let told = format!("update = {{ drain = \"0s\", before_stop = {{ exec = {command} }} }}");
        let told = state.replace("update = { drain = \"3s\", monitor = \"1s\" }", &told);
        assert_ne!(told, state);
        service.bed.env.write("states/api.toml", told);
    };
    with("[\"false\"]");
    service.release("healthy", "1.1.0");
    service.apply().exits(3).explains("it ended with exit code 1");
    let running: Vec<_> = service.containers().into_iter().filter(|one| one.1).collect();
    assert_eq!(running.len(), 1, "{running:?}");
    assert_eq!(running[0].2, "1.0.0");
    with("[\"true\"]");
    service.apply().ok();
    service.only(1, "1.1.0");
}

#[test]
fn a_second_plan_is_empty_and_a_container_of_its_name_becomes_the_first() {
    let Some(service) = Service::deployed(2, "memory = \"32m\"\nenv.LOG = \"info\"") else { return };
    service.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    let before = service.bed.engine.container(&service.name)["Id"].clone();
    service.replicas(3, "memory = \"48m\"\nenv.LOG = \"info\"");
    service.apply().ok();
    service.only(3, "1.0.0");
    let after = service.bed.engine.container(&service.name);
    assert_eq!((&after["Id"], &after["RestartCount"]), (&before, &json!(0)), "it was replaced");
    assert_eq!(after["HostConfig"]["Memory"], 48 << 20);
    service.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn killed_after_every_line_one_works_and_the_next_apply_converges() {
    let Some(service) = Service::deployed(1, "") else { return };
    let state =
        service.bed.env.read("states/api.toml").replace("\"3s\"", "\"1s\"").replace("\"1s\" }", "\"0s\" }");
    service.bed.env.write("states/api.toml", state);
    service.bed.push("healthy", "api", "1.1.0");
    let mut moments = 0;
    for lines in 1.. {
        let version = ["1.1.0", "1.0.0"][moments % 2];
        service.bed.env.run(&["gate", "set", "api", version]).ok();
        let Some(cut) = killed(service.applying(), lines) else { break };
        moments += 1;
        // All from one call: the Engine may be renaming one this very moment.
        let healthy = |one: &Value| one["Status"].as_str().is_some_and(|status| status.contains("(healthy)"));
        assert!(
            service.bed.containers().iter().any(healthy),
            "{:?} after {}",
            service.containers(),
            cut.said
        );
        service.apply().ok();
        service.only(1, version);
        let settled = eventually(|| service.bed.env.run(&["plan", "--detailed-exitcode"]).code == 0);
        assert!(settled, "the plan is not empty");
    }
    assert!(moments >= 15, "only {moments} moments");
}

#[test]
fn killed_while_containers_are_replaced_added_and_removed_the_next_apply_converges() {
    let Some(service) = Service::deployed(2, "") else { return };
    service.bed.push("healthy", "api", "1.1.0");
    let hasty = |replicas| {
        service.replicas(replicas, "");
        let state = service.bed.env.read("states/api.toml");
        service
            .bed
            .env
            .write("states/api.toml", state.replace("\"3s\"", "\"0s\"").replace("\"1s\" }", "\"0s\" }"));
    };
    let wants = [("1.1.0", 2), ("1.1.0", 3), ("1.0.0", 1), ("1.1.0", 2), ("1.1.0", 1), ("1.0.0", 2)];
    let mut moments = 0;
    for (at, lines) in (1..).step_by(3).take(18).enumerate() {
        let (version, replicas) = wants[at % wants.len()];
        service.bed.env.run(&["gate", "set", "api", version]).ok();
        hasty(replicas);
        moments += usize::from(killed(service.applying(), lines).is_some());
        let healthy = |one: &Value| one["Status"].as_str().is_some_and(|status| status.contains("(healthy)"));
        assert!(service.bed.containers().iter().any(healthy), "{:?}", service.containers());
        service.apply().ok();
        service.only(replicas, version);
    }
    assert!(moments >= 8, "only {moments} moments");
    service.bed.env.run(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn killed_while_a_limit_is_changed_in_place_it_is_the_same_container_afterwards() {
    let Some(service) = Service::deployed(1, "memory = \"32m\"") else { return };
    let inspect = || service.bed.engine.container(&service.name);
    let before = inspect();
    let mut moments = 0;
    for lines in 1.. {
        let megabytes = 40 + lines;
        service.replicas(1, &format!("memory = \"{megabytes}m\""));
        let cut = killed(service.applying(), lines);
        service.apply().ok();
        let after = inspect();
        assert_eq!(after["HostConfig"]["Memory"], megabytes << 20);
        assert_eq!(
            (&after["Id"], &after["State"]["StartedAt"]),
            (&before["Id"], &before["State"]["StartedAt"])
        );
        if cut.is_none() {
            break;
        }
        moments += 1;
    }
    assert!(moments >= 2, "only {moments} moments");
}
