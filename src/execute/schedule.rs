//! Which groups of a host may begin: those whose needs are done, in the order of the plan.

use crate::plan::{HostPlan, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Steps that are done one after another, and the name of what they are a part of.
pub(super) type Group<'p> = (String, Vec<&'p Step>);

/// Groups of one phase in the order of their first steps: those that prepare, or the others.
pub(super) fn groups(plan: &HostPlan, prepares: bool) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.action.prepares() == prepares) {
        let place = *places.entry(&step.group).or_insert_with(|| {
            groups.push((step.group.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(step);
    }
    groups
}

/// Groups that wait for others. A group waits before its first step only.
pub(super) struct Schedule {
    /// For each group: how many steps it still waits for.
    unmet: Vec<usize>,
    /// Which groups wait for a step.
    dependents: BTreeMap<u32, Vec<usize>>,
    ready: BTreeSet<usize>,
    left: usize,
}

impl Schedule {
    /// Of these groups, when some steps are done.
    pub(super) fn new(groups: &[Group<'_>], done: &BTreeSet<u32>) -> Self {
        let (mut unmet, mut ready) = (vec![0; groups.len()], BTreeSet::new());
        let mut dependents: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, (_, steps)) in groups.iter().enumerate() {
            let needs = steps.first().map(|step| step.needs.as_slice()).unwrap_or_default();
            for need in needs.iter().filter(|need| !done.contains(need)) {
                unmet[index] += 1;
                dependents.entry(*need).or_default().push(index);
            }
            if unmet[index] == 0 {
                ready.insert(index);
            }
        }
        Self { unmet, dependents, ready, left: groups.len() }
    }

    /// The next group that may begin; it is not offered again.
    pub(super) fn next(&mut self) -> Option<usize> {
        let next = self.ready.pop_first()?;
        self.left -= 1;
        Some(next)
    }

    /// A step is done: what waited for it alone may begin.
    pub(super) fn done(&mut self, step: u32) {
        for index in self.dependents.remove(&step).unwrap_or_default() {
            self.unmet[index] -= 1;
            if self.unmet[index] == 0 {
                self.ready.insert(index);
            }
        }
    }

    /// How many have not begun.
    pub(super) fn left(&self) -> usize {
        self.left
    }
}
