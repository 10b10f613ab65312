//! In which order things are done: as declared, but what frees a host port comes before what takes it, and
//! what uses a network, volume or image before that goes.

use super::course::Choice;
use super::instances::runs;
use super::{Decision, Entry};
use crate::desired::Address;
use serde_json::Value;
use std::collections::BTreeSet;

/// One thing in its turn.
pub(super) struct Turn {
    /// Its index.
    pub(super) entry: usize,
    /// Things it waits for although nobody declared it.
    pub(super) waits: Vec<Address>,
}

/// All things in order.
pub(super) fn turns(entries: &[Entry<'_>]) -> Vec<Turn> {
    let mut before: Vec<BTreeSet<usize>> = entries.iter().map(|entry| declared(entries, entry)).collect();
    let mut waits: Vec<Vec<Address>> = vec![Vec::new(); entries.len()];
    for (taker, frees) in ports(entries).into_iter().chain(users(entries)) {
        // Two that change places cannot wait for each other; the second start fails and says why.
        if !leads(&before, frees, taker) {
            before[taker].insert(frees);
            waits[taker].push(entries[frees].address.clone());
        }
    }
    let mut done = BTreeSet::new();
    let mut order = Vec::new();
    while order.len() < entries.len() {
        let mut open = (0..entries.len()).filter(|index| !done.contains(index));
        let first = open.clone().next();
        // What compiles has no cycle; were there one, the order of declaration is as good as any.
        let next = open.find(|index| before[*index].is_subset(&done)).or(first);
        let Some(entry) = next else { break };
        done.insert(entry);
        order.push(Turn { entry, waits: std::mem::take(&mut waits[entry]) });
    }
    order
}

fn declared(entries: &[Entry<'_>], entry: &Entry<'_>) -> BTreeSet<usize> {
    let index = |address: &Address| entries.iter().position(|other| other.address == *address);
    entry.needs.iter().filter_map(index).collect()
}

/// Whether `from` has to wait for `to`, directly or not.
fn leads(before: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        if next == to {
            return true;
        }
        if seen.insert(next) {
            open.extend(&before[next]);
        }
    }
    false
}

/// Pairs: who takes a host port, who frees it.
fn ports(entries: &[Entry<'_>]) -> Vec<(usize, usize)> {
    let taken: Vec<BTreeSet<String>> = entries.iter().map(|entry| takes(&entry.decision)).collect();
    let freed: Vec<BTreeSet<String>> = entries.iter().map(|entry| frees(&entry.decision)).collect();
    let pairs = (0..entries.len()).flat_map(|a| (0..entries.len()).map(move |b| (a, b)));
    pairs.filter(|(a, b)| a != b && !taken[*a].is_disjoint(&freed[*b])).collect()
}

/// Pairs: what goes, or is made anew, and the containers that use it until they go or do without it.
fn users(entries: &[Entry<'_>]) -> Vec<(usize, usize)> {
    let used = entries.iter().map(|entry| uses(&entry.decision));
    let held: Vec<BTreeSet<&str>> = entries.iter().map(|entry| containers(&entry.decision)).collect();
    let mut pairs = Vec::new();
    for (goes, used) in used.enumerate().filter(|(_, used)| !used.is_empty()) {
        // What joins a network waits until it is made anew, and does not run.
        let anew = matches!(&entries[goes].decision, Decision::Resource(course) if course.makes());
        let user = held.iter().enumerate().filter(|(user, held)| {
            let gone = matches!(entries[*user].decision, Decision::Absent { .. });
            *user != goes && (gone || !anew) && !held.is_disjoint(&used)
        });
        pairs.extend(user.map(|(user, _)| (goes, user)));
    }
    pairs
}

fn uses<'e>(decision: &'e Decision<'_>) -> BTreeSet<&'e str> {
    match decision {
        Decision::Resource(course) => course.users().iter().map(|user| user.id.as_str()).collect(),
        Decision::Untagged { users, .. } => users.iter().map(|user| user.id.as_str()).collect(),
        _ => BTreeSet::new(),
    }
}

fn containers<'e>(decision: &'e Decision<'_>) -> BTreeSet<&'e str> {
    match decision {
        Decision::Container(course) => course.instances.all().map(|ours| ours.id.as_str()).collect(),
        Decision::Absent { instances, .. } => instances.all().map(|ours| ours.id.as_str()).collect(),
        _ => BTreeSet::new(),
    }
}

fn takes(decision: &Decision<'_>) -> BTreeSet<String> {
    let Decision::Container(course) = decision else { return BTreeSet::new() };
    let starts = match &course.choice {
        Choice::New { .. } => course.runs,
        Choice::Existing(chosen) => course.runs && !runs(chosen),
    };
    if starts { wanted(decision) } else { BTreeSet::new() }
}

fn wanted(decision: &Decision<'_>) -> BTreeSet<String> {
    match decision {
        Decision::Container(course) if course.runs => {
            host_ports(course.wish.spec.create_body().pointer("/HostConfig/PortBindings"))
        }
        _ => BTreeSet::new(),
    }
}

fn frees(decision: &Decision<'_>) -> BTreeSet<String> {
    let stopped: Vec<_> = match decision {
        Decision::Container(course) => course.retire.clone(),
        Decision::Absent { instances, .. } => instances.everything().filter(|ours| runs(ours)).collect(),
        _ => Vec::new(),
    };
    let bound = stopped.iter().map(|old| host_ports(old.inspect.compare("/HostConfig/PortBindings")));
    let kept = wanted(decision);
    bound.flatten().filter(|port| !kept.contains(port)).collect()
}

/// `8080/tcp` for each port of the host in a `PortBindings`.
fn host_ports(bindings: Option<&Value>) -> BTreeSet<String> {
    let bindings = bindings.and_then(Value::as_object).into_iter().flatten();
    bindings
        .flat_map(|(port, bound)| {
            let protocol = port.rsplit_once('/').map_or("tcp", |(_, protocol)| protocol);
            let bound = bound.as_array().into_iter().flatten();
            let numbers = bound.filter_map(|binding| binding.get("HostPort").and_then(Value::as_str));
            let fixed = numbers.filter(|number| !number.is_empty() && *number != "0");
            fixed.map(move |number| format!("{number}/{protocol}")).collect::<Vec<_>>()
        })
        .collect()
}
