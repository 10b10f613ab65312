//! `task.ran`.

use super::{compiled, problems};
use crate::desired::{DesiredState, Kind, Run};

const GATE: &str = "[deploy.api]\nimage = 'r.example.com/api'\nversion = '1.2'\n";

#[test]
fn a_task_has_a_container_a_timeout_and_a_host() {
    let state = r#"
[migrate.task.ran]
gate = "api"
command = ["/api", "migrate"]
env.URL = "db"
timeout = "5m"
on = "web2"
networks = ["back"]
[api.service.deployed]
gate = "api"
replicas = 2
require = ["migrate"]
"#;
    let desired = compiled(&[("states/api.toml", state)], GATE).expect("it compiles");
    let addresses: Vec<String> = desired.items.iter().map(|item| item.address.to_string()).collect();
    assert_eq!(addresses, ["task migrate", "container api", "container api-2", "service api"]);
    let DesiredState::Task(task) = &desired.items[0].want else { panic!("no task") };
    assert_eq!((task.timeout, task.container.run), (300, Run::Created));
    assert_eq!(task.on.word(), Some("web2"));
    let each = compiled(&[("states/api.toml", &state.replace("web2", "each"))], GATE).expect("it compiles");
    assert!(matches!(&each.items[0].want, DesiredState::Task(task) if task.on == crate::desired::On::Each));
    assert_eq!(task.container.image.to_string(), "r.example.com/api:1.2");
    assert!(desired.items[0].gate.as_ref().is_some_and(|gate| gate.app == "api"));
    for item in &desired.items[1..3] {
        assert!(item.needs.iter().any(|need| need.kind == Kind::Task && need.name == "migrate"));
    }
}

#[test]
fn what_a_task_uses_is_there_before_it() {
    let state = r#"
[migrate.task.ran]
image = "r.example.com/api:1.2"
networks = ["back"]
volumes = ["data:/data"]
[back.network.present]
[data.volume.present]
"#;
    let desired = compiled(&[("states/api.toml", state)], "").expect("it compiles");
    let addresses: Vec<String> = desired.items.iter().map(|item| item.address.to_string()).collect();
    assert_eq!(addresses, ["network back", "volume data", "task migrate"]);
    let gone = state.replace("present", "absent");
    insta::assert_snapshot!(problems(&[("states/api.toml", &gone)], ""), @r#"
    error: states/api.toml:6: network back is declared absent and used
    caused by: task migrate joins it
    error: states/api.toml:7: volume data is declared absent and used
    caused by: task migrate mounts it
    "#);
}

#[test]
fn what_a_task_runs_as_is_fixed() {
    let state = "[migrate.task.ran]\nimage = 'r.example.com/api:1.2'\ncommand = ['/api', 'migrate']\n";
    let of = |state: &str| {
        let desired = compiled(&[("states/api.toml", state)], "").expect("it compiles");
        let DesiredState::Task(task) = &desired.items[0].want else { panic!("no task") };
        task.fingerprint("r.example.com/api@sha256:00")
    };
    // Another value here would run every task of every user again.
    insta::assert_snapshot!(of(state), @"5d637d7850cd1df5");
    assert_eq!(
        of(state),
        of(&format!("{state}memory = '64m'\n").replace("memory = '64m'\n", "timeout = 5\n"))
    );
    assert_ne!(of(state), of(&format!("{state}env.A = 'b'\n")));
}

#[test]
fn what_is_wrong_with_a_task_is_said_with_its_line() {
    let state = r#"
[migrate.task.ran]
image = "r.example.com/api:1.2"
restart = "always"
timeout = 0
on = "-web"
monitor = "3s"
[same.task.ran]
name = "api"
image = "r.example.com/api:1.2"
[api.service.deployed]
image = "r.example.com/api:1.2"
require = ["migrat"]
[none.task.ran]
command = "x"
"#;
    insta::assert_snapshot!(problems(&[("states/a.toml", state)], ""), @r#"
    error: states/a.toml:4: a task runs to its end: it has no restart policy
    hint: leave `restart` out
    error: states/a.toml:5: `timeout` is zero, but a task needs time to end
    error: states/a.toml:6: `-web` is not a host name
    hint: use up to 128 letters, digits, `.`, `_` and `-`, beginning with a letter or digit
    error: states/a.toml:7: task.ran has no field `monitor`
    error: states/a.toml:8: a task and a container are both called api
    caused by: container api is in states/a.toml:11
    hint: give one of them a `name`
    error: states/a.toml:13: no state of this host has the id `migrat`
    hint: did you mean `migrate`?
    error: states/a.toml:14: container none has no image
    hint: write `image` or `gate` in one of its declarations
    "#);
}
