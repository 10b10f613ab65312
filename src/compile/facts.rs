//! Facts of a host in states: `host`, and `grains`, which also has Salt's names.

use crate::name::HostName;
use crate::observed::Facts;
use crate::pillar::{Node, Table, Value};
use crate::problem::Place;
use std::collections::BTreeMap;

/// Facts that only the host's Engine knows.
pub(super) const OF_ENGINE: [&str; 16] = [
    "arch",
    "cpuarch",
    "cpus",
    "engine_version",
    "fqdn",
    "host",
    "hostname",
    "kernel",
    "labels",
    "localhost",
    "mem_total",
    "memory",
    "nodename",
    "num_cpus",
    "os",
    "osarch",
];

/// `host` and `grains` of a host; without facts what the inventory says of it. `groups` are those that it
/// is in, each with the number of its hosts. `labels` are those of the inventory, which are grains that were given to
/// the host.
pub fn trees(
    host: &HostName,
    facts: Option<&Facts>,
    groups: &[(String, u64)],
    labels: &BTreeMap<String, String>,
) -> (Node, Node) {
    let place = Place::new(format!("facts of {host}"), 0);
    let node = |value| Node::new(value, &place);
    let text = |text: &str| node(Value::String(text.to_owned()));
    let number = |number: u64| node(Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
    let names = groups.iter().map(|(group, _)| text(group)).collect();
    let sizes = groups.iter().map(|(group, hosts)| (group.clone(), number(*hosts))).collect();
    let mut table = Table::from([
        ("name".to_owned(), text(host.as_str())),
        ("groups".to_owned(), node(Value::Array(names))),
        ("group_hosts".to_owned(), node(Value::Table(sizes))),
    ]);
    let given = facts.map_or(labels, |facts| &facts.labels);
    let mut salt: Table = given.iter().map(|(key, value)| (key.clone(), grain(key, value, &place))).collect();
    salt.extend([("id".to_owned(), text(host.as_str()))]);
    if let Some(facts) = facts {
        let labels = facts.labels.iter().map(|(key, value)| (key.clone(), text(value))).collect();
        table.extend([
            ("arch".to_owned(), text(&facts.arch)),
            ("cpus".to_owned(), number(facts.cpus.into())),
            ("engine_version".to_owned(), text(&facts.engine_version)),
            ("hostname".to_owned(), text(&facts.hostname)),
            ("labels".to_owned(), node(Value::Table(labels))),
            ("memory".to_owned(), number(facts.memory)),
            ("os".to_owned(), text(&facts.os)),
        ]);
        let short = facts.hostname.split('.').next().unwrap_or_default();
        let kernel = if facts.os == "linux" { "Linux" } else { facts.os.as_str() };
        salt.extend([
            ("cpuarch".to_owned(), text(machine(&facts.arch))),
            ("fqdn".to_owned(), text(&facts.hostname)),
            ("host".to_owned(), text(short)),
            ("kernel".to_owned(), text(kernel)),
            ("localhost".to_owned(), text(&facts.hostname)),
            ("mem_total".to_owned(), number(facts.memory >> 20)),
            ("nodename".to_owned(), text(&facts.hostname)),
            ("num_cpus".to_owned(), number(facts.cpus.into())),
            ("osarch".to_owned(), text(&facts.arch)),
        ]);
    }
    let about = node(Value::Table(table.clone()));
    // Salt's `os` is the distribution, which an Engine does not tell.
    salt.extend(table.into_iter().filter(|(key, _)| key != "os"));
    (about, node(Value::Table(salt)))
}

/// A label as a grain: `roles` is a list in Salt.
fn grain(name: &str, value: &str, place: &Place) -> Node {
    let text = |text: &str| Node::new(Value::String(text.to_owned()), place);
    match name {
        "roles" => {
            let roles = value.split(',').map(str::trim).filter(|role| !role.is_empty());
            Node::new(Value::Array(roles.map(text).collect()), place)
        }
        _ => text(value),
    }
}

/// `host` with the labels of the inventory alone: an expression that is evaluated without an Engine names one of them.
pub(super) fn with_labels(about: Node, labels: &BTreeMap<String, String>) -> Node {
    let Node { value: Value::Table(mut table), place } = about else { return about };
    let text = |text: &String| Node::new(Value::String(text.clone()), &place);
    let labels = labels.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    table.extend([("labels".to_owned(), Node::new(Value::Table(labels), &place))]);
    Node { value: Value::Table(table), place }
}

/// Whether a path of an expression is a label of the inventory: `host.labels.os`, `grains.roles`.
pub(super) fn is_label(path: &str, labels: &BTreeMap<String, String>) -> bool {
    let mut steps = path.split('.');
    match (steps.next(), steps.next(), steps.next()) {
        (Some("host"), Some("labels"), Some(name)) => labels.contains_key(name),
        // What an Engine tells stands over a label of that name.
        (Some("grains"), Some(name), _) => {
            labels.contains_key(name) && (name == "os" || !OF_ENGINE.contains(&name))
        }
        _ => false,
    }
}

/// An architecture as `uname -m` says it.
fn machine(arch: &str) -> &str {
    match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i686",
        other => other,
    }
}
