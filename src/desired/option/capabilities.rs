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

fn differs(canonical: &Value, inspect: &Inspect, pointer: &str) -> bool {
    let wanted: BTreeSet<String> = compare::texts(Some(canonical)).collect();
    let found: BTreeSet<String> =
        compare::texts(inspect.compare(pointer)).map(|name| normal(&name)).collect();
    wanted != found
}
