//! What a plan changes so far: what later things watch, wait for and share follows from it.

use super::decision::Decision;
use super::sharing::{Owner, Shared};
use super::watch::{PendingReaction, created, newest};
use crate::desired::{Address, Item, Spec};
use crate::planner::context::PlanContext;
use std::collections::{BTreeMap, BTreeSet};

/// The changes of all things that were decided on.
#[derive(Default)]
pub(in crate::planner) struct PlannedChanges<'a> {
    /// Things that it makes, for the first time or anew.
    made: BTreeSet<Address>,
    /// Things to which it does anything.
    changed: BTreeSet<Address>,
    /// Containers by plain name, as others are made with them.
    owners: BTreeMap<String, Owner<'a>>,
}

impl<'a> PlannedChanges<'a> {
    /// Takes note of a decision.
    pub(in crate::planner) fn note(&mut self, address: &Address, decision: &Decision<'a>) {
        if decision.makes() {
            self.made.insert(address.clone());
        }
        if decision.changes() {
            self.changed.insert(address.clone());
        }
        if let Decision::Container(container) = decision {
            self.owners.insert(address.name.clone(), container.owner());
        }
    }

    /// What an item watches.
    pub(in crate::planner) fn pending(
        &self,
        context: &PlanContext<'a>,
        item: &'a Item,
    ) -> Vec<PendingReaction<'a>> {
        let made = |thing: &Address| self.made.contains(thing);
        item.requisites.watch.iter().map(|watch| PendingReaction::of(context, watch, made)).collect()
    }

    /// All that a spec is made with.
    pub(in crate::planner) fn shared(&self, context: &PlanContext<'a>, spec: &Spec) -> Vec<Shared<'a>> {
        let shares = spec.shares().into_iter().filter(|share| !share.is_by_name());
        let shared = shares.map(|share| {
            let owner = self.owners.get(&share.name);
            Shared::of(context, share, owner)
        });
        shared.collect()
    }

    /// Whether an item has to wait: it says `onchanges`, and none of those things changes, or was made
    /// after it. What is not there is made, and what was begun is ended.
    pub(in crate::planner) fn lets_wait(
        &self,
        context: &PlanContext<'_>,
        item: &Item,
        decision: &Decision<'_>,
    ) -> bool {
        let named = &item.requisites.onchanges;
        if named.is_empty() || !decision.changes() || named.iter().any(|thing| self.changed.contains(thing)) {
            return false;
        }
        let Decision::Container(container) = decision else { return decision.is_there() };
        let holder = container.instances.holder.filter(|_| container.instances.others.is_empty());
        holder.is_some_and(|holder| {
            !matches!((newest(context, named), created(holder)), (Some(newest), Some(made)) if made < newest)
        })
    }
}
