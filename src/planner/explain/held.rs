//! What a held gate keeps from being done.

use super::change;
use crate::desired::Address;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::decision::HeldDecision;
use crate::problem::{Problems, escaped};

fn reason(held: &HeldDecision<'_>) -> Cause {
    let (app, hold) = (escaped(held.app), held.hold);
    Cause::Held { app, why: hold.why.as_deref().map(escaped), at: hold.place.clone() }
}

/// What would be done otherwise, each with the reason of the hold first; an unchanged resource stays so.
pub(super) fn waiting(held: &HeldDecision<'_>, mut otherwise: Vec<Change>) -> Vec<Change> {
    for change in &mut otherwise {
        change.cause.insert(0, reason(held));
        if change.actions != [Verb::Unchanged] {
            change.actions = vec![Verb::Held];
        }
    }
    otherwise
}

/// What cannot be planned may wait as well.
pub(super) fn unplanned(address: &Address, held: &HeldDecision<'_>, problems: &Problems) -> Change {
    let mut change = change::plain(address, Verb::Held, reason(held));
    change.cause.extend(problems.iter().map(|problem| Cause::Other(problem.what.clone())));
    change
}
