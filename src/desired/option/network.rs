//! Networks and extra hosts.

use super::Body;
use super::endpoint::{endpoint, endpoint_differs};
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problems, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

const MODE: &str = "/HostConfig/NetworkMode";
const HOSTS: &str = "/HostConfig/ExtraHosts";

/// Words that are modes, not networks one can join with aliases.
const MODES: [&str; 4] = ["bridge", "default", "host", "none"];

/// A list of names, or a table of them with what each endpoint has.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    match &arg.value {
        ArgValue::Table(table) => {
            for (name, item) in table {
                match endpoint(&format!("{option}.{name}"), item) {
                    Ok(endpoint) => drop(found.insert(name.clone(), endpoint)),
                    Err(more) => problems.extend(more.into_vec()),
                }
            }
        }
        _ => found.extend(read::list(option, arg)?.into_iter().map(|name| (name, json!({})))),
    }
    for name in found.keys() {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !first || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
            let why = format!("has `{}`, which is not a network name", escaped(name));
            problems.push(read::wrong(option, arg, &why));
        } else if MODES.contains(&name.as_str()) {
            let why = format!("has `{name}`, which is a mode");
            problems.push(read::wrong(option, arg, &why).hint(format!("write network_mode = \"{name}\"")));
        }
    }
    Problems::check(problems)?;
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

/// `EndpointSettings` of the Engine by network.
pub(crate) fn endpoints(canonical: &Value) -> BTreeMap<String, Value> {
    let networks = canonical.as_object().into_iter().flatten();
    networks.map(|(name, settings)| (name.clone(), settings.clone())).collect()
}

/// Below API 1.44 an Engine takes one network at creation, so a body names only the first.
pub(super) fn write(canonical: &Value, body: &mut Body) {
    if let Some((first, settings)) = endpoints(canonical).pop_first() {
        body.set(MODE, json!(first));
        if let Some(mac) = settings.get("MacAddress") {
            // Before API 1.44 that of the endpoint is not read.
            body.set("/Config/MacAddress", mac.clone());
        }
        body.set("/NetworkingConfig/EndpointsConfig", json!({ first: settings }));
    }
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    !differing(canonical, inspect).is_empty()
}

/// Names of networks that a container is not in as declared, or is in without being declared.
pub(crate) fn differing(canonical: &Value, inspect: &Inspect) -> BTreeSet<String> {
    let nothing = Map::new();
    let wanted = canonical.as_object().unwrap_or(&nothing);
    let found = inspect.compare("/NetworkSettings/Networks").and_then(Value::as_object).unwrap_or(&nothing);
    let missing = wanted.iter().filter(|(name, endpoint)| match found.get(*name) {
        Some(found) => endpoint_differs(endpoint, found, inspect),
        None => true,
    });
    let extra = found.keys().filter(|name| !wanted.contains_key(*name));
    missing.map(|(name, _)| name.clone()).chain(extra.cloned()).collect()
}

/// `host:address` or a table; `host-gateway` is an address too.
pub(super) fn extra_hosts(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let mut lines = BTreeSet::new();
    let mut add = |name: &str, address: &str, arg: &Arg| -> Result<()> {
        let bare = address.trim_start_matches('[').trim_end_matches(']');
        let address = match bare {
            "host-gateway" => Some(bare.to_owned()),
            _ => bare.parse::<IpAddr>().ok().map(|address| address.to_string()),
        };
        match address {
            Some(address) if !name.is_empty() => {
                lines.insert(format!("{name}:{address}"));
                Ok(())
            }
            _ => Err(read::wrong(option, arg, "needs a name and an IP address, like \"db:10.0.0.5\"").into()),
        }
    };
    match &arg.value {
        ArgValue::Table(table) => {
            for (name, item) in table.iter().filter(|(_, item)| item.value != ArgValue::Unset) {
                add(name, &read::text(option, item)?, item)?;
            }
        }
        _ => {
            let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
            for item in items.iter().filter(|item| item.value != ArgValue::Unset) {
                let line = read::text(option, item)?;
                let (name, address) = line.split_once([':', '=']).unwrap_or((&line, ""));
                add(name, address, item)?;
            }
        }
    }
    Ok(if lines.is_empty() { Value::Null } else { json!(lines) })
}

pub(super) fn write_extra_hosts(canonical: &Value, body: &mut Body) {
    body.set(HOSTS, canonical.clone());
}

pub(super) fn extra_hosts_differ(canonical: &Value, inspect: &Inspect) -> bool {
    let wanted: BTreeSet<String> = compare::texts(Some(canonical)).collect();
    let found: BTreeSet<String> = compare::texts(inspect.compare(HOSTS)).collect();
    wanted != found
}
