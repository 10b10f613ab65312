//! `--only` and `--service`: some resources and what they require, and nothing else of a host.

use super::connect::Connected;
use super::hosts::Hosts;
use super::services::Services;
use crate::desired::{Desired, DesiredState, Item};
use crate::problem::{Problem, Problems, Result, escaped};
use std::collections::BTreeSet;

/// Kinds that a plan prints, and the service that containers are of.
const KINDS: [&str; 6] = ["container", "image", "network", "service", "task", "volume"];

/// A resource as it is typed: `container nginx` as a plan prints it, or `nginx`, of whatever kind; also by the id of
/// its state, and a service by any of its names.
struct Wanted<'t> {
    text: &'t str,
    kind: Option<&'t str>,
    name: &'t str,
    /// The service that it means, if it means one.
    service: Option<String>,
}

impl<'t> Wanted<'t> {
    fn read(text: &'t str, services: &Services) -> Self {
        let parts = text.split_once(char::is_whitespace).filter(|(kind, _)| KINDS.contains(kind));
        let (kind, name) = match parts {
            Some((kind, name)) => (Some(kind), name.trim()),
            None => (None, text),
        };
        Self { text, kind, name, service: services.name(name).ok() }
    }

    fn is(&self, item: &Item) -> bool {
        let of_kind = |kind: &str| self.kind.is_none_or(|wanted| wanted == kind);
        let printed = item.address.to_string();
        let own = printed.split_once(' ').is_some_and(|(kind, name)| name == self.name && of_kind(kind));
        let service = match &item.want {
            DesiredState::Container(want) => want.replica.as_ref().map(|_| want.service().as_str()),
            DesiredState::Surplus { service, .. } => Some(service.as_str()),
            _ => None,
        };
        let declared = || item.declared.iter().any(|(id, _)| id == self.name);
        own || (of_kind("service") && service.is_some() && service == self.service.as_deref())
            || (self.kind.is_none() && declared())
    }
}

/// The hosts that have any of some resources, with these and what they require; all of all where none is named.
///
/// # Errors
/// Where one is on no host.
pub(super) fn only<'v>(
    hosts: Hosts<Connected<'v>>,
    resources: &[String],
    mut services: Services,
) -> Result<Hosts<Connected<'v>>> {
    if resources.is_empty() {
        return Ok(hosts);
    }
    for one in &hosts.ready {
        services.declare(&one.desired);
    }
    let wanted: Vec<Wanted<'_>> = resources.iter().map(|text| Wanted::read(text, &services)).collect();
    let items = || hosts.ready.iter().flat_map(|one| &one.desired.items);
    let missing = wanted.iter().filter(|wanted| !items().any(|item| wanted.is(item)));
    let known: BTreeSet<String> = items().map(|item| item.address.to_string()).collect();
    let problems = missing.map(|wanted| {
        let problem = Problem::usage(format!("no host of this run declares `{}`", escaped(wanted.text)));
        let names = known.iter().map(|address| match wanted.kind {
            Some(_) => address.as_str(),
            None => address.split_once(' ').map_or(address.as_str(), |(_, name)| name),
        });
        problem
            .nearest(wanted.text, names)
            .hint("all of them, as they are named: pillarbox plan -v --offline")
    });
    // A host that could not be asked may be the one that declares it.
    if hosts.failed.is_empty() {
        Problems::check(problems.collect())?;
    }
    let ready = hosts.ready.into_iter().filter_map(|mut one| {
        one.desired = chosen(one.desired, |item| wanted.iter().any(|wanted| wanted.is(item)));
        (!one.desired.items.is_empty()).then_some(one)
    });
    Ok(Hosts { ready: ready.collect(), failed: hosts.failed })
}

/// The hosts that have any of the services that globs match, and the names of these on hosts. All is still wanted
/// there: so it can be told what is not done.
///
/// # Errors
/// Where a glob matches no service.
pub(super) fn having<'v>(
    hosts: Hosts<Connected<'v>>,
    globs: &[String],
    mut services: Services,
) -> Result<(Hosts<Connected<'v>>, Vec<String>)> {
    if globs.is_empty() {
        return Ok((hosts, Vec::new()));
    }
    for one in &hosts.ready {
        services.declare(&one.desired);
    }
    let names = match services.matching(globs) {
        // A host that could not be asked may be the one that declares it.
        Err(_) if !hosts.failed.is_empty() => globs.to_vec(),
        found => found?,
    };
    let Hosts { mut ready, failed } = hosts;
    ready.retain(|one| one.desired.items.iter().any(|item| is_of(item, &names)));
    Ok((Hosts { ready, failed }, names))
}

/// Services of a host, by their names there, and all that they require.
pub(super) fn of_services(desired: &Desired, names: &[String]) -> Desired {
    chosen(desired.clone(), |item| is_of(item, names))
}

fn is_of(item: &Item, names: &[String]) -> bool {
    let name = match &item.want {
        DesiredState::Container(want) => want.service().as_str(),
        DesiredState::Surplus { service, .. } => service.as_str(),
        _ => return false,
    };
    names.iter().any(|one| one == name)
}

/// Some resources of a host and all that they require; what is needed comes first.
fn chosen(desired: Desired, is: impl Fn(&Item) -> bool) -> Desired {
    let mut needed = BTreeSet::new();
    let mut items: Vec<Item> = Vec::new();
    for item in desired.items.into_iter().rev() {
        if is(&item) || needed.contains(&item.address) {
            needed.extend(item.needs.iter().cloned());
            items.push(item);
        }
    }
    items.reverse();
    Desired { items, partial: true, ..desired }
}
