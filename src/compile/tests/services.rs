//! `service.deployed`.

use super::{compiled, problems};
use crate::desired::{BeforeStop, DesiredState, Order, Replica, Run};

const GATE: &str = "[deploy.api]\nimage = 'r.example.com/api'\nversion = '1.2'\n";

#[test]
fn a_service_is_its_containers_one_after_another_and_no_more_of_them() {
    let state = r#"
[api.service.deployed]
gate = "api"
replicas = "{{ [host.cpus // 4, 1] | max }}"
memory = "{{ host.memory // 8 }}"
shared = ["/data/"]
update = { order = "stop-first", monitor = "10s", drain = "2s", before_stop = { signal = "USR1" }, on_failure = "rollback" }
stop = { signal = "SIGQUIT", timeout = "30s" }
"#;
    let desired = compiled(&[("states/api.toml", state)], GATE).expect("it compiles");
    let addresses: Vec<String> = desired.items.iter().map(|item| item.address.to_string()).collect();
    assert_eq!(addresses, ["container api", "container api-2", "service api"]);
    let needs = |at: usize| desired.items[at].needs.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(needs(1), ["container api"]);
    assert_eq!(needs(2), ["container api", "container api-2"]);
    assert!(desired.items.iter().all(|item| item.gate.as_ref().is_some_and(|gate| gate.app == "api")));
    let DesiredState::Container(want) = &desired.items[1].want else { panic!("no container") };
    assert_eq!((want.name.as_str(), want.service().as_str(), want.run), ("api-2", "api", Run::Running));
    assert_eq!(want.image.to_string(), "r.example.com/api:1.2");
    assert_eq!((want.monitor, want.stop_timeout), (10, Some(30)));
    assert_eq!(want.spec.live["restart"], "unless-stopped");
    assert_eq!(want.spec.live["memory"], (16_i64 << 30) / 8);
    let replica = want.replica.as_ref().expect("of a service");
    assert_eq!((replica.order, replica.drain), (Order::StopFirst, 2));
    assert_eq!(replica.before_stop, Some(BeforeStop::Signal("SIGUSR1".to_owned())));
    assert!(replica.shared.contains("/data"));
}

#[test]
fn numbers_and_limits_follow_from_the_host_and_its_groups() {
    let replicas = |expression: &str| {
        let state = format!("[a.service.deployed]\nimage = 'x/y:1'\nreplicas = \"{{{{ {expression} }}}}\"\n");
        compiled(&[("states/a.toml", &state)], "").expect("it compiles").items.len() - 1
    };
    assert_eq!(replicas("host.cpus // 2"), 4);
    assert_eq!(replicas("12 // host.group_hosts.web"), 4);
    assert_eq!(replicas("1 if host.arch == 'arm64' else 2"), 2);
    assert_eq!(replicas("3 if host.labels.zone == 'a' else 1"), 3);
    assert_eq!(replicas("[host.memory // 1024 // 1024 // 1024 // 4, 2] | max"), 4);
    assert!(!crate::compile::needs_facts(
        &[(
            "states/a.toml".to_owned(),
            "[a.service.deployed]\nreplicas = \"{{ host.group_hosts.web }}\"\n".to_owned()
        )],
        &[],
        &|_| Ok(None),
        &std::collections::BTreeMap::new(),
    ));
}

#[test]
fn so_many_at_a_time_as_the_batch_says() {
    let state = "[a.service.deployed]\nimage = 'x/y:1'\nreplicas = 5\nupdate.batch = 2\n";
    let desired = compiled(&[("states/a.toml", state)], "").expect("it compiles");
    let needs: Vec<String> = desired.items[..5]
        .iter()
        .map(|item| item.needs.iter().map(|need| need.name.clone()).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(needs, ["", "", "a", "a-2", "a-3"]);
    let none = "[a.service.deployed]\nimage = 'x/y:1'\nreplicas = 0\n";
    assert_eq!(compiled(&[("states/a.toml", none)], "").expect("it compiles").items.len(), 1);
}

#[test]
fn how_it_is_replaced_is_in_no_fingerprint() {
    let print = |more: &str| {
        let state = format!("[a.service.deployed]\nimage = 'x/y:1'\n{more}\n");
        let desired = compiled(&[("states/a.toml", &state)], "").expect("it compiles");
        let DesiredState::Container(want) = &desired.items[0].want else { panic!("no container") };
        want.spec.fingerprint()
    };
    for more in
        ["replicas = 3", "update = { drain = '1s', batch = 2 }", "shared = ['/x']", "stop_timeout = 3"]
    {
        assert_eq!(print(""), print(more), "{more}");
    }
}

#[test]
fn as_many_images_are_kept_as_versions_if_nothing_else_is_said() {
    for (more, images) in [
        ("", 3),
        ("retain = 1", 1),
        ("retain = 1\nimages.keep = 5", 5),
        ("retain = 0\nimages = { keep = 0 }", 0),
        ("images.keep = 'all'", Replica::ALL),
    ] {
        let state = format!("[a.service.deployed]\nimage = 'x/y:1'\n{more}\n");
        let desired = compiled(&[("states/a.toml", &state)], "").expect("it compiles");
        let DesiredState::Container(want) = &desired.items[0].want else { panic!("no container") };
        assert_eq!(want.images(), images, "{more}");
    }
}

#[test]
fn what_is_wrong_with_a_service_is_said() {
    for (more, said) in [
        ("replicas = 101", "`replicas` is 101, but must be from 0 to 100"),
        ("replicas = 'many'", "`replicas` must be a whole number"),
        ("update.order = 'both'", "`update.order` is `both`, but can be start-first or stop-first"),
        ("update.on_failure = 'pause'", "can be rollback"),
        ("update.before_stop = {}", "needs either `exec` or `signal`"),
        ("update.before_stop.exec = []", "has an empty command"),
        ("update.odrer = 'x'", "did you mean `order`?"),
        ("auto_remove = true", "`auto_remove` is refused"),
        ("replicas = 2\nports = ['8080:80']", "port 8080/tcp of the host is published twice"),
        ("retain = -1", "must be from 0 to 100"),
        ("images.keep = 2", "`images.keep` is 2, but `retain` keeps the containers of 3 versions"),
        ("images.keep = 'some'", "`images.keep` must be a whole number"),
        ("images.kepe = 2", "did you mean `keep`?"),
        ("[b.container.running]\nname = 'a'\nimage = 'x/y:1'", "container a is declared twice"),
    ] {
        let state = format!("[a.service.deployed]\nimage = 'x/y:1'\n{more}\n");
        let found = problems(&[("states/a.toml", &state)], "");
        assert!(found.contains(said), "{more}: {found}");
    }
}
