//! Kernel capabilities: sets of names, upper case with `CAP_`, as the Engine keeps them.

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::Arg;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ADD: &str = "/HostConfig/CapAdd";
const DROP: &str = "/HostConfig/CapDrop";

pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let names: BTreeSet<String> = read::list(option, arg)?.iter().map(|name| normal(name)).collect();
    if let Some(bad) = names.iter().find(|name| !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    {
        let why = format!("has `{}`, which is not a capability", crate::problem::escaped(bad));
        return Err(read::wrong(option, arg, &why).into());
    }
    Ok(if names.is_empty() { Value::Null } else { json!(names) })
}

fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_uppercase();
    match name.as_str() {
        "ALL" => name,
        _ if name.starts_with("CAP_") => name,
        _ => format!("CAP_{name}"),
    }
}

pub(super) fn write_add(canonical: &Value, body: &mut Body) {
    body.set(ADD, canonical.clone());
}

pub(super) fn write_drop(canonical: &Value, body: &mut Body) {
    body.set(DROP, canonical.clone());
}

pub(super) fn add_differs(canonical: &Value, inspect: &Inspect) -> bool {
    differs(canonical, inspect, ADD)
}

pub(super) fn drop_differs(canonical: &Value, inspect: &Inspect) -> bool {
    differs(canonical, inspect, DROP)
}

/// Capabilities that every Podman gives a container; it reports those of them that are missing as dropped, and
/// none of them as added.
const OF_PODMAN: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// What is left is all that it tells: of two ways to the same the one that was declared is right.
fn effective_differ(wanted: &BTreeSet<String>, found: &BTreeSet<String>, pointer: &str) -> bool {
    let given = |name: &str| OF_PODMAN.contains(&name);
    match (wanted.contains("ALL"), pointer == DROP) {
        (true, true) => found.is_empty(),
        (true, false) => found.is_empty() && wanted.len() == 1,
        (false, true) => wanted.iter().any(|name| given(name) && !found.contains(name)),
        (false, false) => wanted.iter().any(|name| !given(name) && !found.contains(name)),
    }
}

fn differs(canonical: &Value, inspect: &Inspect, pointer: &str) -> bool {
    let wanted: BTreeSet<String> = compare::texts(Some(canonical)).collect();
    let found: BTreeSet<String> =
        compare::texts(inspect.compare(pointer)).map(|name| normal(&name)).collect();
    match inspect.gaps().partial {
        true => effective_differ(&wanted, &found, pointer),
        false => wanted != found,
    }
}
