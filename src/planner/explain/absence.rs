//! What a plan says of containers that go.

use super::change;
use crate::desired::Address;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::{Absence, AbsenceReason};

/// Why they go.
pub(super) fn cause(absence: &Absence<'_>) -> Cause {
    match absence.reason {
        AbsenceReason::Declared => Cause::Unwanted,
        AbsenceReason::Undeclared => Cause::Undeclared,
        AbsenceReason::Surplus => Cause::Surplus,
        AbsenceReason::Down => Cause::Down,
        AbsenceReason::Attempt => Cause::Other("a failed attempt, kept for its log".to_owned()),
    }
}

/// A line for each container.
pub(super) fn containers(absence: &Absence<'_>) -> Vec<Change> {
    let all = absence.instances.everything();
    all.map(|ours| change::removed(&ours.name, ours, cause(absence))).collect()
}

/// A line for each container and tag; of one that is declared absent also where there is none.
pub(super) fn changes(address: &Address, absence: &Absence<'_>) -> Vec<Change> {
    let mut changes = containers(absence);
    changes.extend(absence.tags.iter().map(|name| change::tag_removed(name, cause(absence))));
    if changes.is_empty() && !matches!(absence.reason, AbsenceReason::Surplus | AbsenceReason::Down) {
        changes.push(change::plain(address, Verb::Unchanged, Cause::AsWanted));
    }
    changes
}
