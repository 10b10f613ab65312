//! What a held gate keeps from being done.

use super::Decision;
use super::change;
use crate::desired::Address;
use crate::pillar::gate::Hold;
use crate::plan::{Cause, Change, Verb};
use crate::problem::{Result, escaped};

/// The changes that wait, each with the reason of the hold first; an unchanged thing stays so.
pub(super) fn changes(
    address: &Address,
    decision: Result<Decision<'_>>,
    app: &str,
    hold: &Hold,
) -> Vec<Change> {
    let reason =
        Cause::Held { app: escaped(app), why: hold.why.as_deref().map(escaped), at: hold.place.clone() };
    let waiting = match decision {
        Ok(Decision::Container(course)) => change::of(address, &course),
        Ok(Decision::Pulled { absent, tag, .. }) => {
            let (verb, cause) = change::pulled(absent, tag);
            vec![change::plain(address, verb, cause)]
        }
        Ok(Decision::Absent { instances, cause, .. }) => {
            let all = instances.everything();
            all.map(|ours| change::removed(&ours.name, ours, cause.clone())).collect()
        }
        Ok(Decision::Task(task)) => {
            let verb = if task.is_known() { Verb::Unchanged } else { Verb::Create };
            vec![change::plain(address, verb, Cause::PartOf("it has not run".to_owned()))]
        }
        // Only what is made from an image has a gate.
        Ok(_) => Vec::new(),
        // What nobody can plan may wait as well.
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
