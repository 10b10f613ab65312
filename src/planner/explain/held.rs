//! What a held gate keeps from being done.

use super::{absence, change, container, image};
use crate::desired::Address;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::decision::{Decision, HeldDecision};
use crate::planner::decide::image::ImageDecision;
use crate::problem::escaped;

/// The changes that wait, each with the reason of the hold first; an unchanged thing stays so.
pub(super) fn changes(address: &Address, held: &HeldDecision<'_>) -> Vec<Change> {
    let HeldDecision { app, hold, otherwise } = held;
    let reason =
        Cause::Held { app: escaped(app), why: hold.why.as_deref().map(escaped), at: hold.place.clone() };
    let waiting = match otherwise.as_ref().map(Box::as_ref) {
        Ok(Decision::Container(container)) => container::changes(address, container),
        Ok(Decision::Image(found @ ImageDecision::Pulled { .. })) => {
            let (verb, cause) = image::verb(found);
            vec![change::plain(address, verb, cause)]
        }
        Ok(Decision::Absent(absence)) => absence::containers(absence),
        Ok(Decision::Task(task)) => {
            let verb = if task.is_known() { Verb::Unchanged } else { Verb::Create };
            vec![change::plain(address, verb, Cause::PartOf("it has not run".to_owned()))]
        }
        // Only what is made from an image has a gate.
        Ok(_) => Vec::new(),
        // What cannot be planned may wait as well.
        Err(problems) => {
            let mut change = change::plain(address, Verb::Held, reason);
            change.cause.extend(problems.iter().map(|problem| Cause::PartOf(problem.what.clone())));
            return vec![change];
        }
    };
    waiting
        .into_iter()
        .map(|mut change| {
            change.cause.insert(0, reason.clone());
            if change.actions != [Verb::Unchanged] {
                change.actions = vec![Verb::Held];
            }
            change
        })
        .collect()
}
