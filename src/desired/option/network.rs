//! Networks, network mode and extra hosts.

use super::Body;
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

pub(super) fn mode(option: &str, arg: &Arg) -> Result<Value> {
    let mode = read::word(option, arg)?;
    match mode.as_str() {
        "default" => Ok(json!("bridge")),
        "host" | "none" | "bridge" => Ok(json!(mode)),
        _ if mode.starts_with("container:") => {
            Err(read::wrong(option, arg, "`container:` is not available in this version").into())
        }
        _ => Err(read::wrong(option, arg, &format!("is `{}`, which is no mode", escaped(&mode)))
            .hint("there are host, none and bridge; a network of your own goes into `networks`")
            .into()),
    }
}

pub(super) fn write_mode(canonical: &Value, body: &mut Body) {
    body.set(MODE, canonical.clone());
}

/// `default` is what older Engines say for `bridge`.
pub(super) fn mode_differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(MODE).and_then(Value::as_str).unwrap_or("bridge");
    let found = if matches!(found, "" | "default") { "bridge" } else { found };
    canonical.as_str() != Some(found)
}

/// A list of names, or a table of them with `aliases`, `ipv4_address`, `ipv6_address` and
/// `mac_address`.
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
            let why = format!("has `{}`, which is no name of a network", escaped(name));
            problems.push(read::wrong(option, arg, &why));
        } else if MODES.contains(&name.as_str()) {
            let why = format!("has `{name}`, which is a mode");
            problems.push(read::wrong(option, arg, &why).hint(format!("write network_mode = \"{name}\"")));
        }
    }
    Problems::check(problems)?;
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

/// Canonical is the Engine's own `EndpointSettings`.
fn endpoint(option: &str, arg: &Arg) -> Result<Value> {
    if arg.value == ArgValue::Unset {
        return Ok(json!({}));
    }
    let fields = read::fields(option, arg, &["aliases", "ipv4_address", "ipv6_address", "mac_address"])?;
    let mut settings = json!({});
    for (name, arg) in fields {
        let full = format!("{option}.{name}");
        match name {
            "aliases" => {
                let aliases: BTreeSet<String> = read::list(&full, arg)?.into_iter().collect();
                if aliases.contains("") {
                    return Err(read::wrong(&full, arg, "has an empty alias").into());
                }
                if !aliases.is_empty() {
                    settings["Aliases"] = json!(aliases);
                }
            }
            "mac_address" => settings["MacAddress"] = json!(mac_address(&full, arg)?),
            _ => {
                let address = read::word(&full, arg)?.trim().parse::<IpAddr>().ok();
                let fits = address.filter(|address| address.is_ipv4() == (name == "ipv4_address"));
                let address = fits.ok_or_else(|| read::wrong(&full, arg, "wants an address of that kind"))?;
                let field = if address.is_ipv4() { "IPv4Address" } else { "IPv6Address" };
                settings["IPAMConfig"][field] = json!(address.to_string());
            }
        }
    }
    Ok(settings)
}

fn mac_address(option: &str, arg: &Arg) -> Result<String> {
    let mac = read::word(option, arg)?.to_ascii_lowercase().replace('-', ":");
    let parts: Vec<&str> = mac.split(':').collect();
    let hex = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.len() != 6 || !parts.iter().all(hex) {
        return Err(read::wrong(option, arg, "wants six bytes like \"02:42:ac:11:00:02\"").into());
    }
    Ok(mac)
}

/// `EndpointSettings` of the Engine by network.
pub(crate) fn endpoints(canonical: &Value) -> BTreeMap<String, Value> {
    let networks = canonical.as_object().into_iter().flatten();
    networks.map(|(name, settings)| (name.clone(), settings.clone())).collect()
}

/// Below API 1.44 an Engine takes one network at creation, so a body names the first alone.
pub(super) fn write(canonical: &Value, body: &mut Body) {
    if let Some((first, settings)) = endpoints(canonical).pop_first() {
        body.set(MODE, json!(first));
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

fn endpoint_differs(wanted: &Value, found: &Value, inspect: &Inspect) -> bool {
    let declared: BTreeSet<String> = compare::texts(wanted.get("Aliases")).collect();
    let by_itself = own_names(inspect);
    // Before API 1.45 the Engine lists the short id among the aliases.
    let present: BTreeSet<String> = compare::texts(found.get("Aliases")).collect();
    let its_name = own_name(inspect);
    // Found by its own name it is without an alias, too.
    let aliases = declared.iter().any(|alias| !present.contains(alias) && alias != its_name)
        || present.iter().any(|alias| !declared.contains(alias) && !by_itself.contains(alias));
    let address = |pointer: &str| {
        let parsed = |of: &Value| of.pointer(pointer)?.as_str()?.parse::<IpAddr>().ok();
        wanted.pointer(pointer).is_some() && parsed(wanted) != parsed(found)
    };
    let mac = wanted.get("MacAddress").is_some_and(|mac| {
        // A container that does not run has none.
        let found = found.get("MacAddress").and_then(Value::as_str).unwrap_or_default();
        !found.is_empty() && mac.as_str() != Some(found)
    });
    aliases || address("/IPAMConfig/IPv4Address") || address("/IPAMConfig/IPv6Address") || mac
}

/// Aliases that a container has without anybody asking: short id, host name, its own name.
fn own_names(inspect: &Inspect) -> BTreeSet<String> {
    let id = text_at(inspect, "/Id");
    let short = id.get(..12).unwrap_or(id);
    [short, text_at(inspect, "/Config/Hostname"), own_name(inspect)].map(str::to_owned).into()
}

fn own_name(inspect: &Inspect) -> &str {
    text_at(inspect, "/Name").trim_start_matches('/')
}

fn text_at<'a>(inspect: &'a Inspect, pointer: &str) -> &'a str {
    inspect.compare(pointer).and_then(Value::as_str).unwrap_or_default()
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
            _ => Err(read::wrong(option, arg, "wants a name and an IP address, like \"db:10.0.0.5\"").into()),
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
