//! What a person should know before saying yes.

use super::RollbackArgs;
use super::gates::Gating;
use super::host::Host;
use crate::history::{Generation, back, current, tasks_between};
use crate::name::HostName;
use crate::problem::{escaped, quoted};
use crate::session::RollbackPlan;
use std::collections::{BTreeMap, BTreeSet};

/// Notes for each host.
pub(super) fn of(
    args: &RollbackArgs,
    hosts: &[Host],
    targets: &[&Generation],
    plan: &RollbackPlan,
) -> BTreeMap<HostName, Vec<String>> {
    let there: Vec<_> = hosts.iter().map(Host::there).collect();
    let whys = back(&there).into_iter().map(|back| back.filter(|_| args.to.is_none())?.why.stays());
    let each = hosts.iter().zip(targets).zip(whys).map(|((host, target), stays)| {
        let mut notes = Vec::new();
        notes.extend(stays.map(|why| stay(&args.service, target, &why)));
        notes.extend(tasks(&args.service, host, target));
        notes.extend(plan.differing.get(&host.name).map(|fields| differs(&args.service, target, fields)));
        notes.extend(plan.others.get(&host.name).map(|others| read_for(&args.service, others)));
        notes.extend(args.once.then(|| undone(&args.service, host)));
        (host.name.clone(), notes)
    });
    each.collect()
}

fn stay(service: &str, target: &Generation, why: &str) -> String {
    format!(
        "service {}: {} stays in service: {why}; to go further back, say where to: 'pillarbox rollback {} --to \
         VERSION'",
        escaped(service),
        target.in_words(),
        quoted(service)
    )
}

fn tasks(service: &str, host: &Host, target: &Generation) -> Vec<String> {
    let Some(current) = current(&host.generations) else { return Vec::new() };
    let ran = tasks_between(target, current).into_iter().map(|task| {
        format!(
            "service {}: task {} ran between generation {} and generation {}; a rollback does not undo what it \
             did",
            escaped(service),
            escaped(&task),
            target.number,
            current.number
        )
    });
    ran.collect()
}

fn differs(service: &str, target: &Generation, fields: &BTreeSet<String>) -> String {
    let fields: Vec<String> = fields.iter().map(|field| escaped(field)).collect();
    format!(
        "service {}: generation {} was declared otherwise than today: {}",
        escaped(service),
        target.number,
        fields.join(", ")
    )
}

fn read_for(service: &str, others: &BTreeSet<String>) -> String {
    let others: Vec<String> = others.iter().map(|other| escaped(other)).collect();
    format!(
        "the gate of service {} is read for {} as well: the next apply follows it there, too",
        escaped(service),
        others.join(", ")
    )
}

fn undone(service: &str, host: &Host) -> String {
    let line = match &host.gating {
        Gating::Line(Some(place)) => format!("{place} names another version"),
        Gating::Line(None) => "its state names another version".to_owned(),
        Gating::Gate(app) => format!("the gate {} names another version", escaped(app)),
    };
    format!("service {}: the next apply undoes this: {line}", escaped(service))
}
