//! Ports of the host that are published by two containers, or twice by one.

use crate::compile::Draft;
use crate::desired::{DesiredContainer, DesiredState, Run};
use crate::problem::{Place, Problem};
use std::collections::BTreeMap;

/// Who publishes a port: its address (empty is all), the container's port, its name and line.
type Publisher<'a> = (&'a str, &'a str, &'a DesiredContainer);

/// Reports ports of the host that are published twice. A container that is declared stopped publishes none.
pub(super) fn check(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let mut taken: BTreeMap<(String, String), Vec<Publisher>> = BTreeMap::new();
    for draft in drafts {
        let DesiredState::Container(want) = &draft.item.want else { continue };
        if want.run == Run::Stopped {
            continue;
        }
        for (port, hosts) in
            want.spec.fixed.get("ports").and_then(|ports| ports.as_object()).into_iter().flatten()
        {
            let protocol = port.rsplit('/').next().unwrap_or_default();
            for host in hosts.as_array().into_iter().flatten() {
                let text = |key: &str| host[key].as_str().unwrap_or_default();
                let (address, published) = (text("HostIp"), text("HostPort"));
                // Of a range the Engine takes a free one.
                if published.is_empty() || published.contains('-') {
                    continue;
                }
                let others = taken.entry((published.to_owned(), protocol.to_owned())).or_default();
                if let Some(other) = others.iter().find(|other| overlaps(other.0, address)) {
                    problems.push(clash(published, protocol, *other, (address, port, want)));
                }
                others.push((address, port, want));
            }
        }
    }
}

/// Whether two addresses of a host conflict at the same port.
fn overlaps(one: &str, other: &str) -> bool {
    let all = |address: &str, of: &str| match address {
        "" => true,
        "0.0.0.0" => !of.contains(':'),
        "::" => of.contains(':') || of.is_empty(),
        _ => false,
    };
    one == other || all(one, other) || all(other, one)
}

fn clash(published: &str, protocol: &str, one: Publisher, other: Publisher) -> Problem {
    let line = |publisher: Publisher| -> Option<Place> { publisher.2.sources.get("ports")?.last().cloned() };
    let (first, second) = if line(one) <= line(other) { (one, other) } else { (other, one) };
    let who = |publisher: Publisher| format!("port {} of container {}", publisher.1, publisher.2.name);
    let what = format!("port {published}/{protocol} of the host is published twice");
    let mut problem = Problem::failed(what);
    problem.place = line(second);
    let at = line(first).map(|place| format!(", {place}")).unwrap_or_default();
    problem.cause(format!("for {}{at}", who(first))).cause(format!("and for {}", who(second)))
}
