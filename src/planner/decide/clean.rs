//! What of this workspace is of use to nothing any more, whatever is declared.

use super::Decisions;
use super::absence::{Absence, AbsenceReason};
use super::data::Data;
use super::decision::{Decided, Decision};
use super::images::Images;
use super::instances::{Instances, runs, slot};
use super::one_offs;
use super::order;
use super::secrets::Leftovers;
use crate::desired::{Address, DesiredState, Kind};
use crate::observed::{Container, InstanceRole};
use crate::plan::{keep_repository, kept_by};
use crate::planner::context::PlanContext;
use crate::planner::options::Clean;
use std::collections::{BTreeMap, BTreeSet};

/// Decides. Data in volumes is never among it.
pub(in crate::planner) fn decide<'a>(context: &PlanContext<'a>, clean: Clean) -> Decisions<'a> {
    let mut decided = if clean.images { Vec::new() } else { attempts(context, clean.ended_before) };
    decided.extend(orphans(context));
    let leftovers = if clean.images {
        Leftovers::default()
    } else {
        Leftovers::of(context, one_offs::to_clean(context, clean))
    };
    Decisions {
        images: Images::of(context, &decided, &leftovers),
        leftovers,
        turns: order::turns(&decided),
        decided,
        gone: Vec::new(),
    }
}

fn absence<'a>(
    name: &str,
    reason: AbsenceReason,
    others: Vec<&'a Container>,
    tags: Vec<String>,
) -> Decided<'a> {
    let instances = Instances { holder: None, others, kept: Vec::new() };
    let (name, data) = (name.to_owned(), Data::default());
    let address = Address { kind: Kind::Container, name: name.clone() };
    let absence = Absence { name, reason, instances, data, tags, timeout: None };
    Decided { address, needs: Vec::new(), decision: Decision::Absent(absence) }
}

/// Attempts that do not run, by the plain name that they were made for.
fn attempts<'a>(context: &PlanContext<'a>, ended_before: Option<i64>) -> Vec<Decided<'a>> {
    let is_old = |ours: &Container| {
        let ended = ours.ended().map(jiff::Timestamp::as_second);
        ended_before.is_none_or(|before| ended.is_some_and(|ended| ended < before))
    };
    let mut by_slot: BTreeMap<&str, Vec<&Container>> = BTreeMap::new();
    for ours in context.containers().filter(|one| one.ours.is_some() && !one.impostor) {
        if ours.role() == InstanceRole::Attempt && !runs(ours) && is_old(ours) {
            by_slot.entry(slot(ours)).or_default().push(ours);
        }
    }
    let each = by_slot.into_iter();
    each.map(|(slot, attempts)| absence(slot, AbsenceReason::Attempt, attempts, Vec::new())).collect()
}

/// Tags of containers that are neither there nor declared.
fn orphans<'a>(context: &PlanContext<'a>) -> Vec<Decided<'a>> {
    let declared = context.items().filter_map(|item| match &item.want {
        DesiredState::Container(want) => Some(want.name.as_str()),
        _ => None,
    });
    let there = context.containers().filter(|one| one.ours.is_some()).map(slot);
    let known: BTreeSet<String> =
        declared.chain(there).map(|slot| keep_repository(context.workspace(), slot)).collect();
    let mut by_repository: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for tag in context.keeps().keys() {
        if let Some(kept) = kept_by(tag).filter(|kept| !known.contains(kept.repository)) {
            by_repository.entry(kept.repository).or_default().push(tag.clone());
        }
    }
    let each = by_repository.into_iter();
    each.map(|(name, tags)| absence(name, AbsenceReason::Undeclared, Vec::new(), tags)).collect()
}
