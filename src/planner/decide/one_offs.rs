//! Containers of one-off commands that have ended: what `run --keep` left, or a `run` that was killed.

use crate::desired::DesiredState;
use crate::observed::Container;
use crate::planner::context::PlanContext;
use crate::planner::options::Clean;
use std::collections::BTreeSet;

/// Those that are of use to nothing, each with its service. One that never ran has no end, and is older than nothing.
pub(in crate::planner) fn to_clean<'a>(
    context: &PlanContext<'a>,
    clean: Clean,
) -> Vec<(&'a Container, &'a str)> {
    let is_old = |one: &Container| {
        let end = one.ended().map(jiff::Timestamp::as_second);
        clean.ended_before.is_none_or(|before| end.is_some_and(|end| end < before))
    };
    if clean.images { Vec::new() } else { ended(context).filter(|(one, _)| is_old(one)).collect() }
}

/// Those of services that are taken down.
pub(in crate::planner) fn taken_down<'a>(context: &PlanContext<'a>) -> Vec<(&'a Container, &'a str)> {
    if !context.options.down {
        return Vec::new();
    }
    let services = context.items().filter_map(|item| match &item.want {
        DesiredState::Surplus { service, .. } => Some(service.as_str()),
        _ => None,
    });
    let services: BTreeSet<&str> = services.collect();
    ended(context).filter(|(_, service)| services.contains(service)).collect()
}

/// All that do not run.
fn ended<'a>(context: &PlanContext<'a>) -> impl Iterator<Item = (&'a Container, &'a str)> {
    context.containers().filter_map(|one| one.ended_one_off().map(|service| (one, service)))
}
