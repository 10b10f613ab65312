//! The settings of a container in a network.

use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

const KNOWN: [&str; 8] = [
    "aliases",
    "driver_opts",
    "gw_priority",
    "ipv4_address",
    "ipv6_address",
    "link_local_ips",
    "links",
    "mac_address",
];

/// Canonical is the Engine's own `EndpointSettings`.
pub(super) fn endpoint(option: &str, arg: &Arg) -> Result<Value> {
    if arg.value == ArgValue::Unset {
        return Ok(json!({}));
    }
    let mut settings = json!({});
    for (name, arg) in read::fields(option, arg, &KNOWN)? {
        let full = format!("{option}.{name}");
        match name {
            "driver_opts" => {
                let options = read::pairs(&full, arg, '=')?;
                if !options.is_empty() {
                    settings["DriverOpts"] = json!(options);
                }
            }
            "gw_priority" => match read::integer(&full, arg, i64::from(i32::MIN), i64::from(i32::MAX))? {
                0 => {}
                priority => settings["GwPriority"] = json!(priority),
            },
            "link_local_ips" => {
                let addresses = super::simple::addresses(&full, arg)?;
                if !addresses.is_null() {
                    settings["IPAMConfig"]["LinkLocalIPs"] = addresses;
                }
            }
            "links" => {
                let links = super::references::links(&full, arg)?;
                if !links.is_null() {
                    settings["Links"] = links;
                }
            }
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
                let address =
                    fits.ok_or_else(|| read::wrong(&full, arg, "must be an IP address of that version"))?;
                let field = if address.is_ipv4() { "IPv4Address" } else { "IPv6Address" };
                settings["IPAMConfig"][field] = json!(address.to_string());
            }
        }
    }
    Ok(settings)
}

/// That of the only network, where none is declared by name.
pub(super) fn mac(option: &str, arg: &Arg) -> Result<Value> {
    Ok(Value::from(mac_address(option, arg)?))
}

fn mac_address(option: &str, arg: &Arg) -> Result<String> {
    let mac = read::word(option, arg)?.to_ascii_lowercase().replace('-', ":");
    let parts: Vec<&str> = mac.split(':').collect();
    let hex = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.len() != 6 || !parts.iter().all(hex) {
        return Err(read::wrong(option, arg, "must be six bytes like \"02:42:ac:11:00:02\"").into());
    }
    Ok(mac)
}

/// Whether a running container has another hardware address in a network than was declared. It is given
/// at creation: before API 1.54 the call that joins a network does not read it.
pub(crate) fn mac_differs(wanted: &str, network: &str, inspect: &Inspect) -> bool {
    let found = inspect.compare("/NetworkSettings/Networks").and_then(|networks| networks.get(network));
    let found = found.and_then(|endpoint| endpoint["MacAddress"].as_str()).unwrap_or_default();
    !found.is_empty() && !found.eq_ignore_ascii_case(wanted)
}

/// The hardware address that was declared for each network.
pub(crate) fn macs(canonical: &Value) -> impl Iterator<Item = (&str, &str)> {
    let networks = canonical.as_object().into_iter().flatten();
    networks.filter_map(|(network, endpoint)| Some((network.as_str(), endpoint["MacAddress"].as_str()?)))
}

pub(super) fn endpoint_differs(wanted: &Value, found: &Value, inspect: &Inspect) -> bool {
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
        // Podman knows the addresses of what runs.
        let unsaid = inspect.gaps().partial && parsed(found).is_none();
        wanted.pointer(pointer).is_some() && !unsaid && parsed(wanted) != parsed(found)
    };
    let list = |of: &Value, pointer: &str| compare::texts(of.pointer(pointer)).collect::<BTreeSet<_>>();
    let lists = ["/Links", "/IPAMConfig/LinkLocalIPs"];
    let listed = lists
        .iter()
        .any(|pointer| wanted.pointer(pointer).is_some() && list(wanted, pointer) != list(found, pointer));
    let plain = ["DriverOpts", "GwPriority"];
    let plain = plain
        .iter()
        .any(|field| wanted.get(field).is_some_and(|wanted| !compare::same(wanted, found.get(field))));
    let more = !inspect.gaps().partial && (listed || plain);
    aliases || address("/IPAMConfig/IPv4Address") || address("/IPAMConfig/IPv6Address") || more
}

/// Aliases that every container has: short id, host name, its own name.
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
