//! In which order resources change: as declared, but what frees a host port comes before what takes it, and
//! what uses a network, volume or image before that goes.

use super::choice::Choice;
use super::decision::{Decided, Decision};
use super::image::ImageDecision;
use super::instances::runs;
use crate::desired::Address;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One resource in its turn.
pub(in crate::planner) struct Turn {
    /// Its index.
    pub(in crate::planner) entry: usize,
    /// Resources it waits for although no state declares it.
    pub(in crate::planner) waits: Vec<Address>,
}

/// All resources in order.
pub(in crate::planner) fn turns(entries: &[Decided<'_>]) -> Vec<Turn> {
    let mut at: BTreeMap<&Address, usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        at.entry(&entry.address).or_insert(index);
    }
    let declared =
        |entry: &Decided<'_>| entry.needs.iter().filter_map(|need| at.get(need).copied()).collect();
    let mut before: Vec<BTreeSet<usize>> = entries.iter().map(declared).collect();
    let mut waits: Vec<Vec<Address>> = vec![Vec::new(); entries.len()];
    for (taker, frees) in ports(entries).into_iter().chain(users(entries)) {
        // Two that change places cannot wait for each other; the second start fails and says why.
        if !leads(&before, frees, taker) {
            before[taker].insert(frees);
            waits[taker].push(entries[frees].address.clone());
        }
    }
    let order = sorted(&before);
    order.into_iter().map(|entry| Turn { entry, waits: std::mem::take(&mut waits[entry]) }).collect()
}

/// Each after all that is before it, else as declared. What compiles has no cycle; were there one, the
/// order of declaration is as good as any.
fn sorted(before: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); before.len()];
    for (index, needed) in before.iter().enumerate() {
        needed.iter().for_each(|needed| after[*needed].push(index));
    }
    let mut missing: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut left: BTreeSet<usize> = (0..before.len()).collect();
    let mut ready: BTreeSet<usize> = left.iter().copied().filter(|index| missing[*index] == 0).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(next) = ready.pop_first().or_else(|| left.first().copied()) {
        left.remove(&next);
        order.push(next);
        for follower in &after[next] {
            missing[*follower] = missing[*follower].saturating_sub(1);
            if missing[*follower] == 0 && left.contains(follower) {
                ready.insert(*follower);
            }
        }
    }
    order
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

/// Pairs: the container that takes a host port, and the one that frees it.
fn ports(entries: &[Decided<'_>]) -> Vec<(usize, usize)> {
    let mut freed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        for port in frees(&entry.decision) {
            freed.entry(port).or_default().push(index);
        }
    }
    let takes = entries.iter().enumerate().map(|(index, entry)| (index, takes(&entry.decision)));
    let pairs = takes.flat_map(|(taker, ports)| {
        let by: BTreeSet<usize> =
            ports.iter().filter_map(|port| freed.get(port)).flatten().copied().collect();
        by.into_iter().filter(move |by| *by != taker).map(move |by| (taker, by))
    });
    pairs.collect()
}

/// Pairs: what is removed or recreated, and the containers that use it until they go or do without it.
fn users(entries: &[Decided<'_>]) -> Vec<(usize, usize)> {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        held.extend(containers(&entry.decision).into_iter().map(|id| (id, index)));
    }
    let mut pairs = Vec::new();
    for (goes, entry) in entries.iter().enumerate() {
        // What joins a network waits until it is recreated, and does not run.
        let anew = matches!(&entry.decision, Decision::Resource(resource) if resource.makes());
        let users: BTreeSet<usize> =
            uses(&entry.decision).into_iter().filter_map(|id| held.get(id).copied()).collect();
        let waits = users.into_iter().filter(|user| {
            let gone = matches!(entries[*user].decision, Decision::Absent(_));
            *user != goes && (gone || !anew)
        });
        pairs.extend(waits.map(|user| (goes, user)));
    }
    pairs
}

fn uses<'e>(decision: &'e Decision<'_>) -> BTreeSet<&'e str> {
    match decision {
        Decision::Resource(resource) => resource.users().iter().map(|user| user.id.as_str()).collect(),
        Decision::Image(ImageDecision::Untagged { users, .. }) => {
            users.iter().map(|user| user.id.as_str()).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn containers<'e>(decision: &'e Decision<'_>) -> BTreeSet<&'e str> {
    match decision {
        Decision::Container(container) => container.instances.all().map(|ours| ours.id.as_str()).collect(),
        Decision::Absent(absence) => absence.instances.all().map(|ours| ours.id.as_str()).collect(),
        _ => BTreeSet::new(),
    }
}

fn takes(decision: &Decision<'_>) -> BTreeSet<String> {
    let Decision::Container(container) = decision else { return BTreeSet::new() };
    let starts = match &container.choice {
        Choice::New { .. } => container.runs,
        Choice::Existing(chosen) => container.runs && !runs(chosen),
    };
    if starts { wanted(decision) } else { BTreeSet::new() }
}

fn wanted(decision: &Decision<'_>) -> BTreeSet<String> {
    match decision {
        Decision::Container(container) if container.runs => {
            host_ports(container.desired.spec.create_body().pointer("/HostConfig/PortBindings"))
        }
        _ => BTreeSet::new(),
    }
}

fn frees(decision: &Decision<'_>) -> BTreeSet<String> {
    let stopped: Vec<_> = match decision {
        Decision::Container(container) => container.to_stop.clone(),
        Decision::Absent(absence) => absence.instances.everything().filter(|ours| runs(ours)).collect(),
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
            let fixed =
                numbers.filter(|number| !number.is_empty() && *number != "0" && !number.contains('-'));
            fixed.map(move |number| format!("{number}/{protocol}")).collect::<Vec<_>>()
        })
        .collect()
}
