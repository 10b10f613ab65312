//! What keeps a resource from being changed.

use super::change;
use crate::desired::Address;
use crate::observed::Stop;
use crate::plan::{Cause, Change, Verb, WithoutImage};
use crate::planner::decide::decision::{HeldBy, HeldDecision};
use crate::problem::{Problems, escaped};

fn reasons(held: &HeldDecision<'_>) -> Vec<Cause> {
    match &held.by {
        HeldBy::Gate { app, hold } => {
            let why = hold.why.as_deref().map(escaped);
            vec![Cause::Held { app: escaped(app), why, at: hold.place.clone() }]
        }
        HeldBy::Stopped(stop) => vec![stopped(stop)],
        HeldBy::Image(problems) => problems.iter().map(|one| Cause::Other(one.what.clone())).collect(),
        HeldBy::Needs(needed) => vec![Cause::Needs(needed.to_string())],
    }
}

/// That a service was stopped by request.
pub(super) fn stopped(stop: &Stop) -> Cause {
    Cause::Stopped { by: escaped(&stop.by), why: stop.why.as_deref().map(escaped), until: stop.until }
}

/// A resource that waits for its image.
pub(super) fn without_image(address: &Address, held: &HeldDecision<'_>) -> Option<WithoutImage> {
    let HeldBy::Image(problems) = &held.by else { return None };
    Some(WithoutImage { address: address.to_string(), problems: problems.clone() })
}

/// What would be done otherwise, each with the reasons first; an unchanged resource stays so.
pub(super) fn waiting(held: &HeldDecision<'_>, mut otherwise: Vec<Change>) -> Vec<Change> {
    for change in &mut otherwise {
        // That it does not run is no news of what was stopped.
        if matches!(held.by, HeldBy::Stopped(_)) {
            let is_down = |cause: &Cause| match cause {
                Cause::NotRunning { .. } => true,
                Cause::Fields(fields) => fields.iter().all(|(field, _)| field == "restart"),
                _ => false,
            };
            change.cause.retain(|cause| !is_down(cause));
        }
        change.cause.splice(0..0, reasons(held));
        if change.actions != [Verb::Unchanged] {
            change.actions = vec![Verb::Held];
        }
    }
    otherwise
}

/// What cannot be planned may wait as well.
pub(super) fn unplanned(address: &Address, held: &HeldDecision<'_>, problems: &Problems) -> Change {
    let mut change = change::plain(address, Verb::Held, Cause::AsWanted);
    change.cause = reasons(held);
    // Without its image nothing is known of it.
    if !matches!(held.by, HeldBy::Image(_)) {
        change.cause.extend(problems.iter().map(|problem| Cause::Other(problem.what.clone())));
    }
    change
}
