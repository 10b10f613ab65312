//! Options that must be compatible, and containers that share something of another one.

use super::{compiled, problems};

fn one(text: &str) -> String {
    problems(&[("states/a.toml", text)], "")
}

#[test]
fn what_other_tools_have_and_is_refused_says_what_to_do_instead() {
    let text = "[a.container.running]\nimage = 'a'\nenv_file = '.env'\nrm = true\nauto-remove = true\nkernel_memory = '1g'\nnetwork_disabled = true\nscale = 2\n";
    insta::assert_snapshot!(one(text));
}

#[test]
fn options_that_exclude_each_other() {
    let of = |options: &str| {
        one(&format!("[db.container.running]\nimage = 'a'\n[a.container.running]\nimage = 'a'\n{options}"))
    };
    let all = [
        "network_mode = 'container:db'\nports = ['80']\nhostname = 'a'\ndns = ['1.1.1.1']\nexpose = 80",
        "network_mode = 'container:db'\nnetworks = ['back']",
        "network_mode = 'host'\nmac_address = '02:42:ac:11:00:02'\nlinks = ['db']",
        "networks = ['back']\nmac_address = '02:42:ac:11:00:02'\nlinks = ['db']",
        "uts = 'host'\nhostname = 'a'",
        "cpus = 1\ncpu_period = 5000\ncpu_quota = 5000",
        "oom_kill_disable = true",
    ];
    insta::assert_snapshot!(all.map(of).join("\n"));
}

#[test]
fn a_container_that_another_is_made_with_must_be_declared_and_run() {
    let all = [
        "[a.container.running]\nimage = 'a'\nnetwork_mode = 'container:dv'\n[db.container.running]\nimage = 'a'\n",
        "[a.container.running]\nimage = 'a'\nipc = 'container:a'\n",
        "[a.container.running]\nimage = 'a'\npid = 'container:db'\nvolumes_from = ['db']\n[db.container.stopped]\nimage = 'a'\n",
        "[a.container.running]\nimage = 'a'\nlinks = ['db']\n[db.container.absent]\n",
        "[a.container.running]\nimage = 'a'\nnetworks = { back = { links = ['missing:x'] } }\n",
    ];
    insta::assert_snapshot!(all.map(one).join("\n"));
}

#[test]
fn a_dependency_cycle_of_containers_is_printed() {
    insta::assert_snapshot!(one(
        "[a.container.running]\nimage = 'a'\nnetwork_mode = 'container:b'\n[b.container.running]\nimage = 'a'\nvolumes_from = ['a']\n"
    ));
}

#[test]
fn a_container_that_shares_something_of_another_comes_after_it() {
    let text = "[a.container.running]\nimage = 'a'\nnetwork_mode = 'service:api'\n[b.container.running]\nimage = 'a'\nlinks = ['a:x']\n[api.service.deployed]\nimage = 'a'\nreplicas = 2\n";
    let desired = compiled(&[("states/a.toml", text)], "").expect("it compiles");
    let needs = |name: &str| {
        let item = desired.items.iter().find(|item| item.address.to_string() == name).expect(name);
        item.needs.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(needs("container a"), ["container api"]);
    assert_eq!(needs("container b"), ["container a"]);
    let names: Vec<String> = desired.items.iter().map(|item| item.address.to_string()).collect();
    assert_eq!(names, ["container api", "container a", "container b", "container api-2", "service api"]);
}

#[test]
fn a_service_takes_every_option_and_refuses_to_be_removed_by_its_engine() {
    insta::assert_snapshot!(one("[a.service.deployed]\nimage = 'a'\nauto_remove = true\ngpus = 'none'\n"));
}
