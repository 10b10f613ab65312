//! What a held gate keeps from being done.

use super::{Explained, change, thing};
use crate::desired::Address;
use crate::plan::{Cause, Change, Verb};
use crate::planner::context::PlanContext;
use crate::planner::decide::decision::HeldDecision;
use crate::problem::escaped;

/// What would be told otherwise, each change with the reason of the hold first; an unchanged resource stays so.
pub(super) fn explained(context: &PlanContext<'_>, address: &Address, held: &HeldDecision<'_>) -> Explained {
    let HeldDecision { app, hold, otherwise } = held;
    let reason =
        Cause::Held { app: escaped(app), why: hold.why.as_deref().map(escaped), at: hold.place.clone() };
    let mut explained = match otherwise {
        Ok(decision) => thing(context, address, decision),
        // What cannot be planned may wait as well.
        Err(problems) => {
            let cause = problems.iter().map(|problem| Cause::PartOf(problem.what.clone())).collect();
            let waits = Change { cause, ..change::plain(address, Verb::Held, reason.clone()) };
            Explained::new(reason.clone(), vec![waits])
        }
    };
    // Nothing is made, so nothing is sent a secret.
    explained.receivers.clear();
    for change in &mut explained.changes {
        change.cause.insert(0, reason.clone());
        if change.actions != [Verb::Unchanged] {
            change.actions = vec![Verb::Held];
        }
    }
    explained
}
