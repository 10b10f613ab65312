//! Published ports, exploded to one entry for each port of the container.

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// By port of the container, `80/tcp`: addresses and ports of the host. An empty address is all of
/// them, an empty port one that the Engine chooses.
type Bindings = BTreeMap<String, BTreeSet<(String, String)>>;

/// Ports are exploded, and a range of all of them is a slip.
const MOST: usize = 4096;

const EXPOSED: &str = "/Config/ExposedPorts";

/// Canonical is the Engine's own `PortBindings`, sorted. Written as
/// `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `[::1]:8080:80`, `8000-8002:9000-9002`, `8000-8009:80` (the first
/// free one of them), or
/// `{ target, published, host_ip, protocol }`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let mut found = Bindings::new();
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let all = read::each(items, |item| one(option, item))?;
    for (port, host) in all.into_iter().flatten() {
        found.entry(port).or_default().insert(host);
    }
    if found.len() > MOST {
        return Err(read::wrong(option, arg, &format!("publishes more than {MOST} ports")).into());
    }
    if found.is_empty() {
        return Ok(Value::Null);
    }
    let shown = found.into_iter().map(|(port, hosts)| {
        let hosts: Vec<Value> =
            hosts.into_iter().map(|(ip, port)| json!({ "HostIp": ip, "HostPort": port })).collect();
        (port, Value::Array(hosts))
    });
    Ok(Value::Object(shown.collect()))
}

type Pairs = Vec<(String, (String, String))>;

fn one(option: &str, arg: &Arg) -> Result<Pairs> {
    let (host, published, target, protocol) = match &arg.value {
        ArgValue::Table(_) => {
            let fields = read::fields(option, arg, &["target", "published", "host_ip", "protocol"])?;
            let text = |name: &str| fields.get(name).map(|arg| read::text(option, arg)).transpose();
            let target =
                text("target")?.ok_or_else(|| read::wrong(option, arg, "has an entry without `target`"))?;
            let host = text("host_ip")?.unwrap_or_default();
            (host, text("published")?.unwrap_or_default(), target, text("protocol")?)
        }
        _ => {
            let whole = read::word(option, arg)?;
            let (rest, protocol) = match whole.split_once('/') {
                Some((rest, protocol)) => (rest, Some(protocol.to_owned())),
                None => (whole.as_str(), None),
            };
            let (before, target) = rest.rsplit_once(':').unwrap_or(("", rest));
            let (host, published) = before.rsplit_once(':').unwrap_or(("", before));
            (host.to_owned(), published.to_owned(), target.to_owned(), protocol)
        }
    };
    let shown = || match &arg.value {
        ArgValue::Text(text) => escaped(&text.to_string()),
        _ => escaped(&format!("{published}:{target}")),
    };
    let wrong = |why: &str| -> Problem {
        read::wrong(option, arg, &format!("has `{}`: {why}", shown()))
            .hint("write it like \"8080:80\", \"127.0.0.1:8080:80/udp\" or \"8000-8002:9000-9002\"")
    };
    let protocol = protocol.unwrap_or_else(|| "tcp".to_owned()).to_ascii_lowercase();
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(wrong("the protocol is tcp, udp or sctp").into());
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let address = match bare {
        "" => String::new(),
        text => text.parse::<IpAddr>().map_err(|_| wrong("the address is not an IP address"))?.to_string(),
    };
    let target = range(&target).ok_or_else(|| wrong("a port is a number from 1 to 65535"))?;
    let published = match published.as_str() {
        "" => None,
        text => Some(range(text).ok_or_else(|| wrong("a port is a number from 1 to 65535"))?),
    };
    let count = target.1 - target.0;
    if usize::from(count) >= MOST {
        return Err(wrong("these are too many ports").into());
    }
    if let (Some((first, last)), 0) = (published, count)
        && first < last
    {
        let port = format!("{}/{protocol}", target.0);
        return Ok(vec![(port, (address, format!("{first}-{last}")))]);
    }
    if published.is_some_and(|(first, last)| last - first != count) {
        return Err(wrong("the ranges have different lengths").into());
    }
    let each = (0..=count).map(|step| {
        let host_port = published.map_or_else(String::new, |(first, _)| (first + step).to_string());
        (format!("{}/{protocol}", target.0 + step), (address.clone(), host_port))
    });
    Ok(each.collect())
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?);
    (first > 0 && first <= last).then_some((first, last))
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let ports = canonical.as_object().into_iter().flatten();
    let exposed: Map<String, Value> = ports.map(|(port, _)| (port.clone(), json!({}))).collect();
    body.add(EXPOSED, exposed);
    body.set("/HostConfig/PortBindings", canonical.clone());
}

/// Ports that are exposed without being published: `80`, `53/udp`, `8000-8002`. Canonical is a sorted list.
pub(super) fn exposed(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let mut found = BTreeSet::new();
    for text in read::each(items, |item| read::word(option, item))? {
        let wrong = |why: &str| {
            read::wrong(option, arg, &format!("has `{}`: {why}", escaped(&text)))
                .hint("write it like \"80\", \"53/udp\" or \"8000-8002\"")
        };
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let protocol = protocol.to_ascii_lowercase();
        if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
            return Err(wrong("the protocol is tcp, udp or sctp").into());
        }
        let (first, last) = range(ports).ok_or_else(|| wrong("a port is a number from 1 to 65535"))?;
        if usize::from(last - first) >= MOST {
            return Err(wrong("these are too many ports").into());
        }
        found.extend((first..=last).map(|port| (port, protocol.clone())));
    }
    let shown: Vec<String> = found.iter().map(|(port, protocol)| format!("{port}/{protocol}")).collect();
    Ok(if shown.is_empty() { Value::Null } else { json!(shown) })
}

pub(super) fn write_exposed(canonical: &Value, body: &mut Body) {
    let ports = compare::texts(Some(canonical));
    body.add(EXPOSED, ports.map(|port| (port, json!({}))).collect());
}

/// Those of the image and the published ones are there too. An Engine keeps them as they were given: Compose gives
/// `90` and `95-96` without a protocol (measured with 2.26.1 and 2.40.3).
pub(super) fn exposed_differ(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(EXPOSED).and_then(Value::as_object);
    let found: BTreeSet<String> = found.into_iter().flatten().flat_map(|(port, _)| each_port(port)).collect();
    compare::texts(Some(canonical)).any(|port| !found.contains(&port))
}

/// The ports that a key of an Engine stands for, each with its protocol.
fn each_port(key: &str) -> Vec<String> {
    let (ports, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let (first, last) = range(ports).unwrap_or((1, 0));
    (first..=last).map(|port| format!("{port}/{protocol}")).collect()
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    bindings(Some(canonical)) != bindings(inspect.compare("/HostConfig/PortBindings"))
}

/// Bindings of a canonical value or an Engine's; all addresses of IPv4 are as good as none given.
fn bindings(value: Option<&Value>) -> Bindings {
    let mut found = Bindings::new();
    for (target, hosts) in value.and_then(Value::as_object).into_iter().flatten() {
        for host in hosts.as_array().into_iter().flatten() {
            let text = |key: &str| host[key].as_str().unwrap_or_default().to_owned();
            let address = match text("HostIp") {
                any if any == "0.0.0.0" => String::new(),
                address => address.parse::<IpAddr>().map_or(address, |address| address.to_string()),
            };
            let port = match text("HostPort") {
                chosen if chosen == "0" => String::new(),
                port => port,
            };
            found.entry(target.clone()).or_default().insert((address, port));
        }
    }
    found
}
