//! Namespaces that a container has for itself, shares with its host, or with another container.
//!
//! `container:NAME` is canonical: the Engine finds the container of that name when it creates another
//! with it, and keeps its id, which does not contain the name. The planner, which sees both, decides whether
//! that is still the container of the name.

use super::Body;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::name::ContainerName;
use crate::problem::{Result, escaped};
use crate::state::Arg;
use serde_json::{Value, json};

/// Before the name of a container whose namespace is shared.
pub(crate) const SHARED: &str = "container:";

/// Compose's word for it; a service's first container has its name.
const SERVICE: &str = "service:";

pub(super) fn network(option: &str, arg: &Arg) -> Result<Value> {
    let mode = read::word(option, arg)?;
    match mode.as_str() {
        "default" => Ok(json!("bridge")),
        "host" | "none" | "bridge" => Ok(json!(mode)),
        _ => match shared(option, arg, &mode)? {
            Some(shared) => Ok(shared),
            None => Err(read::wrong(option, arg, &format!("is `{}`, which is not a mode", escaped(&mode)))
                .hint("there are host, none, bridge and container:NAME; a network of your own goes into `networks`")
                .into()),
        },
    }
}

pub(super) fn ipc(option: &str, arg: &Arg) -> Result<Value> {
    one_of(option, arg, &["none", "private", "shareable", "host"], true)
}

pub(super) fn pid(option: &str, arg: &Arg) -> Result<Value> {
    one_of(option, arg, &["host"], true)
}

/// UTS and user namespace.
pub(super) fn host(option: &str, arg: &Arg) -> Result<Value> {
    one_of(option, arg, &["host"], false)
}

pub(super) fn cgroup(option: &str, arg: &Arg) -> Result<Value> {
    one_of(option, arg, &["host", "private"], false)
}

pub(super) fn isolation(option: &str, arg: &Arg) -> Result<Value> {
    one_of(option, arg, &["default", "process", "hyperv"], false)
}

fn one_of(option: &str, arg: &Arg, words: &[&str], shares: bool) -> Result<Value> {
    let mode = read::word(option, arg)?;
    if words.contains(&mode.as_str()) {
        return Ok(json!(mode));
    }
    if shares && let Some(shared) = shared(option, arg, &mode)? {
        return Ok(shared);
    }
    let mut there = words.to_vec();
    there.extend(shares.then_some("container:NAME"));
    let why = format!("is `{}`, but can be {}", escaped(&mode), there.join(", "));
    Err(read::wrong(option, arg, &why).into())
}

fn shared(option: &str, arg: &Arg, mode: &str) -> Result<Option<Value>> {
    let Some(name) = mode.strip_prefix(SHARED).or_else(|| mode.strip_prefix(SERVICE)) else {
        return Ok(None);
    };
    match ContainerName::parse(name.trim_start_matches('/')) {
        Ok(name) => Ok(Some(json!(format!("{SHARED}{name}")))),
        Err(_) => {
            let why = format!("has `{}`, which is not a container name", escaped(name));
            Err(read::wrong(option, arg, &why).into())
        }
    }
}

pub(super) fn write(canonical: &Value, body: &mut Body, pointer: &str) {
    body.set(pointer, canonical.clone());
}

/// `empty` is the word for what an Engine may leave empty.
pub(super) fn differs(canonical: &Value, inspect: &Inspect, pointer: &str, empty: &[&str]) -> bool {
    let found = inspect.compare(pointer).and_then(Value::as_str).unwrap_or_default();
    let wanted = canonical.as_str().unwrap_or_default();
    if wanted.starts_with(SHARED) {
        return !found.starts_with(SHARED);
    }
    wanted != found && !(empty.contains(&wanted) && (found.is_empty() || empty.contains(&found)))
}
