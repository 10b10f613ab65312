//! `ports` exposes and `port_bindings` publishes. In Salt's oldest module an entry of `ports` could publish too.

use super::values::{derived, listed, printed, repacked, text};
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// Puts both under our names: `expose` and `ports`.
pub(super) fn ports(args: &mut BTreeMap<String, Arg>) {
    let written = ["ports", "expose"].map(|name| args.remove(name));
    let bound = ["port_bindings", "publish"].map(|name| args.remove(name));
    let place = written.iter().chain(&bound).flatten().next().cloned();
    let Some(place) = place else { return };
    let (mut exposed, mut published) = (Vec::new(), Vec::new());
    for arg in written.into_iter().flatten() {
        for item in entries(&arg) {
            if is_bare(&item) { exposed.push(item) } else { published.push(item) }
        }
    }
    published.extend(bound.iter().flatten().flat_map(entries));
    // What is published is exposed by that.
    let of: Vec<String> = published.iter().filter_map(container_port).collect();
    exposed.retain(|item| printed(item).is_none_or(|port| !of.contains(&with_protocol(&port))));
    for (name, items) in [("expose", exposed), ("ports", published)] {
        if !items.is_empty() {
            args.insert(name.to_owned(), derived(&place, ArgValue::Array(items)));
        }
    }
}

/// The entries of a list, and of a table from ports of the container to those of the host.
fn entries(arg: &Arg) -> Vec<Arg> {
    let arg = repacked(arg.clone());
    match &arg.value {
        ArgValue::Table(table) if table.contains_key("target") => vec![arg.clone()],
        ArgValue::Table(table) => table.iter().flat_map(|(port, host)| bound(port, host)).collect(),
        _ => listed(&arg)
            .into_iter()
            .flat_map(|item| match &item.value {
                ArgValue::Table(_) => entries(&item),
                _ => vec![item],
            })
            .collect(),
    }
}

/// `80/tcp` with a port of the host, an address and a port, `{ HostIp, HostPort }`, or a list of those.
fn bound(port: &str, host: &Arg) -> Vec<Arg> {
    let joined = |address: Option<String>, host_port: Option<String>| {
        let host_port = host_port.unwrap_or_default();
        match address.filter(|address| !address.is_empty()) {
            Some(address) => text(host, format!("{address}:{host_port}:{port}")),
            None if host_port.is_empty() => text(host, port),
            None => text(host, format!("{host_port}:{port}")),
        }
    };
    match &host.value {
        ArgValue::Unset => vec![joined(None, None)],
        ArgValue::Table(table) => {
            let of = |names: [&str; 2]| names.iter().find_map(|name| table.get(*name)).and_then(printed);
            vec![joined(of(["HostIp", "host_ip"]), of(["HostPort", "host_port"]))]
        }
        ArgValue::Array(items) => match items.as_slice() {
            [address, host_port] if printed(address).is_some_and(|text| text.contains(['.', ':'])) => {
                vec![joined(printed(address), printed(host_port))]
            }
            items => items.iter().flat_map(|item| bound(port, item)).collect(),
        },
        _ => vec![joined(None, printed(host))],
    }
}

/// `5432`, `"53/udp"`, `"8000-8002"`.
fn is_bare(port: &Arg) -> bool {
    match &port.value {
        ArgValue::Integer(_) => true,
        ArgValue::Text(text) => text.as_clear().is_some_and(|text| !text.contains(':')),
        _ => false,
    }
}

fn container_port(published: &Arg) -> Option<String> {
    let written = printed(published)?;
    Some(with_protocol(written.rsplit(':').next().unwrap_or(&written)))
}

fn with_protocol(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}
