//! `stop`, `start`, `restart` and `down` on a real Engine.

use crate::env::Output;
use crate::service::Service;
use crate::testbed::eventually;

impl Service {
    fn asks(&self, command: &str, more: &[&str]) -> Output {
        let command: Vec<&str> = [command, &self.name].into_iter().chain(more.iter().copied()).collect();
        self.bed.env.run(&command)
    }

    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.bed.containers().iter().map(|one| one["Id"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        ids
    }

    fn started(&self, name: &str) -> String {
        self.bed.engine.container(name)["State"]["StartedAt"].as_str().expect("a time").to_owned()
    }

    fn running(&self) -> usize {
        self.containers().iter().filter(|one| one.1).count()
    }
}

#[test]
fn what_is_stopped_stays_so_and_says_why_until_it_is_started_or_its_time_is_over() {
    let Some(service) = Service::deployed(2, "restart = \"always\"") else { return };
    let ids = service.ids();
    // Without a terminal nothing is stopped by mistake.
    drop(service.asks("stop", &[]).exits(9));
    assert_eq!(service.running(), 2);
    drop(
        service
            .asks("stop", &["-y", "-m", "a new\u{1b}[31m disk", "--for", "2h"])
            .ok()
            .says("a new\\u{1b}[31m disk"),
    );
    assert_eq!(service.running(), 0);
    let policy =
        |name: &str| service.bed.engine.container(name)["HostConfig"]["RestartPolicy"]["Name"].clone();
    assert_eq!(policy(&service.name), "unless-stopped");

    // A new version changes nothing of it, and no monitoring is alarmed.
    service.release("healthy", "1.1.0");
    let plan = service.bed.env.run(&["plan", "--detailed-exitcode"]).exits(4);
    drop(plan.says("stopped by").says("1.0.0 → 1.1.0").says("until 20"));
    drop(service.apply().ok());
    assert_eq!((service.running(), service.ids()), (0, ids.clone()));
    drop(service.bed.env.run(&["--no-identity", "status", "--exit-code"]).ok().says("stopped by"));
    drop(service.asks("restart", &["-y"]).exits(1).explains("pillarbox start"));

    drop(service.bed.env.run(&["--no-identity", "start", &service.name]).ok());
    assert_eq!((service.running(), service.ids()), (2, ids));
    assert_eq!(policy(&service.name), "always");
    let volumes = service.bed.engine.volumes();
    let left = volumes
        .iter()
        .filter_map(|one| one["Name"].as_str())
        .any(|name| name.starts_with("pillarbox-stopped.") && name.contains(&service.bed.name));
    assert!(!left);
    drop(service.apply().ok());
    service.only(2, "1.1.0");

    // Its time is over: the next apply starts it, and forgets that it was stopped.
    drop(service.asks("stop", &["-y", "--for", "1s"]).ok());
    let over = || {
        let plan = service.bed.env.run(&["--no-identity", "plan", "--detailed-exitcode"]);
        plan.code == 2
    };
    assert!(eventually(over));
    drop(service.apply().ok());
    assert_eq!(service.running(), 2);
    drop(service.bed.env.run(&["--no-identity", "plan", "--detailed-exitcode"]).ok());
}

#[test]
fn a_restart_keeps_the_containers_and_a_new_one_takes_their_place_as_declared() {
    let Some(service) = Service::deployed(2, "") else { return };
    drop(service.bed.env.run_with_input(&["seal", "api.token", "--in", "apps"], "canary-token\n").ok());
    service.replicas(2, "env.TOKEN = \"{{ pillar.api.token }}\"");
    drop(service.apply().ok());
    let (ids, before) = (service.ids(), service.started(&service.name));
    drop(service.bed.env.run(&["--no-identity", "restart", &service.name, "-y"]).ok());
    assert_eq!(service.ids(), ids);
    assert_ne!(service.started(&service.name), before);
    service.only(2, "1.0.0");

    // A new container needs the secret, and so the identity.
    drop(service.bed.env.run(&["--no-identity", "restart", &service.name, "--new", "-y"]).exits(10));
    assert_eq!(service.ids(), ids);
    let said = service.asks("restart", &["--new", "-y"]).ok().says("a new container is asked for");
    drop(said.lacks("canary-token"));
    for command in [&["df", "--json"][..], &["clean", "-y", "--json"], &["ps", "-v"]] {
        drop(service.bed.env.run(command).ok().lacks("canary-token"));
    }
    service.only(2, "1.0.0");
    let now = service.ids();
    assert!(ids.iter().filter(|old| now.contains(old)).count() >= 2, "the old ones are kept for a rollback");
    assert!(now.len() > ids.len());
    drop(service.bed.env.run(&["--no-identity", "plan", "--detailed-exitcode"]).ok());

    // What is not as declared is for an apply.
    service.release("healthy", "1.1.0");
    drop(
        service.asks("restart", &["--new", "-y"]).exits(1).explains("1.0.0 → 1.1.0").explains("apply --only"),
    );
    assert_eq!(service.ids(), now);
}

#[test]
fn what_is_taken_down_is_gone_but_for_volumes_and_what_is_not_ours() {
    let Some(service) = Service::deployed(1, "") else { return };
    let data = format!("{}-data", service.bed.name);
    service.replicas(
        1,
        &format!(
            "volumes = [\"{data}:/data\"]\nshared = [\"/data\"]\n[data.volume.present]\nname = \"{data}\"\n"
        ),
    );
    service.release("healthy", "1.1.0");
    drop(service.apply().ok());
    let there = || {
        let volumes = service.bed.engine.volumes();
        volumes.iter().any(|one| one["Name"] == data.as_str())
    };
    assert!(there());
    drop(service.asks("down", &[]).exits(9).explains("--yes-remove="));
    drop(service.asks("down", &["--yes-remove=other"]).exits(64));
    // A habit of other commands removes nothing.
    let said = service.asks("down", &["-y", "--volumes"]).exits(64);
    drop(said.explains(&format!("pillarbox down '{0}' --volumes --yes-remove='{0}'", service.name)));
    assert_eq!(service.containers().len(), 2);
    let yes = format!("--yes-remove={}", service.name);
    drop(
        service.bed.env.run(&["--no-identity", "down", &service.name, &yes]).exits(0).explains("next apply"),
    );
    assert!(service.containers().is_empty() && there());
    let images = service.image_names();
    assert!(images.is_empty(), "{images:?}");
    // The network of the test is ours as well; the bridge is not.
    let networks = service.bed.engine.networks();
    assert!(networks.iter().any(|one| one["Name"] == "bridge"));

    drop(service.apply().ok());
    service.only(1, "1.1.0");
    let all = format!("--yes-remove={}", service.bed.name);
    drop(
        service
            .bed
            .env
            .run(&["--no-identity", "down", "--all", "--volumes", &all])
            .ok()
            .says("its data is lost"),
    );
    assert!(service.containers().is_empty() && !there());
    drop(service.bed.env.run(&["--no-identity", "down", "--all", "--volumes", &all]).ok());
}

#[test]
fn what_is_cleaned_is_a_failed_attempt_of_ours_with_its_image_and_df_says_so_before() {
    let Some(service) = Service::deployed(1, "") else { return };
    service.release("unhealthy", "1.1.0");
    drop(service.apply().exits(3));
    assert_eq!(service.containers().len(), 2);
    // As long as a gate names its image, that is not of use to nothing.
    drop(service.bed.env.run(&["gate", "set", "api", "1.0.0"]).ok());
    let digest = service.digest_of("unhealthy", "1.1.0");
    assert!(service.bed.engine.find_image(&digest).is_some());

    let said =
        service.bed.env.run(&["--no-identity", "df"]).ok().says("1 running, 0 kept, 1 failed attempts");
    drop(said.says("a failed attempt, kept for its log"));
    let json = service.bed.env.run(&["--no-identity", "df", "--json"]).ok().json();
    let host = &json["hosts"][0];
    assert_eq!((host["failed"].as_u64(), host["clean"]["count"].as_u64()), (Some(1), Some(2)), "{host}");
    assert!(host["layers"].as_u64() > Some(0) && host["images"]["bytes"].as_u64() > Some(0), "{host}");

    drop(service.bed.env.run(&["--no-identity", "clean"]).exits(9));
    drop(service.bed.env.run(&["--no-identity", "clean", "-y", "--older", "1d"]).ok());
    drop(service.bed.env.run(&["--no-identity", "clean", "-y", "--images"]).ok());
    assert_eq!(service.containers().len(), 2);
    drop(service.bed.env.run(&["--no-identity", "clean", "-y"]).ok().says("a failed attempt"));
    service.only(1, "1.0.0");
    assert!(service.bed.engine.find_image(&digest).is_none(), "{:?}", service.image_names());
    drop(service.bed.env.run(&["--no-identity", "clean", "-y"]).ok());
}

#[test]
fn a_service_that_is_stopped_is_not_rolled_back_until_it_is_started() {
    let Some(service) = Service::deployed(2, "") else { return };
    service.release("healthy", "1.1.0");
    drop(service.apply().ok());
    drop(service.asks("stop", &["-y", "-m", "a new disk"]).ok());
    let (ids, gates) = (service.ids(), service.bed.env.read("pillar/apps.toml"));
    let refused = service.asks("rollback", &["-y"]).exits(1);
    let refused = refused.explains("is stopped on host local, by ").explains("because of: a new disk");
    let refused = refused.explains(&format!("pillarbox start {}", service.name));
    assert_eq!(refused.stderr().matches("is stopped on host").count(), 1, "{}", refused.stderr());
    assert_eq!((service.ids(), service.running()), (ids, 0), "nothing was changed");
    assert_eq!(service.bed.env.read("pillar/apps.toml"), gates, "no gate was written");
    drop(service.asks("start", &[]).ok());
    drop(service.asks("rollback", &["-y"]).ok());
    service.only(2, "1.0.0");
}
