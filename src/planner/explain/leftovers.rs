//! What a plan says of what an apply that did not finish left.

use super::held;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::secrets::Leftovers;
use crate::problem::escaped;

/// Containers that fill volumes, those of tasks, and volumes of secrets: they go.
pub(super) fn changes(leftovers: &Leftovers<'_>) -> Vec<Change> {
    let change = |address: String, cause: Cause| Change {
        files: Vec::new(),
        address,
        actions: vec![Verb::Remove],
        cause: vec![cause],
        before: None,
        after: None,
    };
    let container = |name: &str, cause| change(format!("container {name}"), cause);
    let fillers = leftovers.fillers.iter().map(|filler| container(&filler.name, Cause::Interrupted));
    let tasks = leftovers.tasks.iter().map(|task| container(&task.name, Cause::Undeclared));
    let one_offs =
        leftovers.one_offs.iter().map(|(one, service)| container(&one.name, Cause::Ended(escaped(service))));
    let volumes = leftovers.volumes.iter().map(|(volume, whose)| {
        let what = format!("secrets of {}, which is not there", escaped(whose));
        change(format!("volume {volume}"), Cause::Other(what))
    });
    let stops = leftovers.stops.iter().map(|stop| {
        let cause = if stop.over { "its time is over" } else { "nothing is left of it" };
        let cause = vec![held::stopped(stop), Cause::Other(cause.to_owned())];
        Change { cause, ..change(format!("stop of {}", escaped(&stop.service)), Cause::Gone) }
    });
    let records = leftovers.forgets.iter().map(|volume| change(format!("record {volume}"), Cause::Down));
    fillers.chain(tasks).chain(one_offs).chain(volumes).chain(stops).chain(records).collect()
}
