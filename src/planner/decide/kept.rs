//! Which generations are kept for a rollback, and which go.
//!
//! `retain` generations stay behind the one that runs, those first that ended last; after a rollback as
//! many stay before it, until the next deployment. A container is more than an image alone: images that
//! have lost theirs count after all containers. One that was started by hand is not stopped.

use super::choice::Choice;
use super::instances::{Instances, generation, runs};
use crate::desired::{Kind, Wish};
use crate::name::ContainerName;
use crate::observed::{Container, InstanceRole};
use crate::plan::keep_tag;
use crate::planner::context::PlanContext;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Most containers that a service has.
const MOST: u32 = 100;

/// What goes in the end.
#[derive(Debug, Default)]
pub(in crate::planner) struct Surplus<'a> {
    /// Kept containers.
    pub(in crate::planner) containers: Vec<&'a Container>,
    /// Tags that keep images without a container.
    pub(in crate::planner) tags: Vec<String>,
}

/// What goes once the choice holds the plain name.
pub(in crate::planner) fn surplus<'a>(
    context: &PlanContext<'a>,
    slot: &str,
    retain: u32,
    instances: &Instances<'a>,
    choice: &Choice<'a>,
) -> Surplus<'a> {
    let current = choice.generation();
    let highest = instances.highest().max(current);
    let alone = context.images_alone(slot);
    let tag = |number: u64| keep_tag(context.workspace(), slot, number);
    let unborn = alone.iter().filter(|number| **number >= highest && **number != current);
    let mut gone = Surplus { containers: Vec::new(), tags: unborn.map(|number| tag(*number)).collect() };
    let mut containers: Vec<&Container> = instances
        .everything()
        .filter(|ours| stays(retain, choice, ours) || (ours.role() == InstanceRole::Kept && !runs(ours)))
        .filter(|ours| !choice.is(ours))
        .collect();
    let committed = |ours: &Container| ours.role() == InstanceRole::Committed;
    containers.sort_by_key(|ours| Reverse((committed(ours), ours.ended(), generation(ours))));
    let retain = usize::try_from(retain).unwrap_or(usize::MAX);
    for behind in [true, false] {
        let side = |number: u64| (number < current) == behind && number != current;
        let of_side: Vec<&Container> =
            containers.iter().copied().filter(|ours| side(generation(ours))).collect();
        let room = retain.saturating_sub(of_side.len());
        gone.containers.extend(of_side.into_iter().skip(retain));
        let images = alone.iter().copied().filter(|number| side(*number) && *number < highest);
        gone.tags.extend(images.skip(room).map(tag));
    }
    gone
}

/// Tags that keep images for containers that a service had: those of all its containers but these.
pub(in crate::planner) fn tags_left(
    context: &PlanContext<'_>,
    service: &ContainerName,
    keep: &BTreeSet<ContainerName>,
) -> Vec<String> {
    let kept = |slot: &str| keep.iter().any(|name| name.as_str() == slot);
    // A container by itself may be called as one of the service would be.
    let of_others = |slot: &str| {
        let declared = context.declared(Kind::Container, slot);
        declared.is_some_and(|item| !matches!(item.wish, Wish::ContainerAbsent { .. }))
            || context.of_slot(slot).any(|(_, labels)| labels.service != service.as_str())
    };
    let slots = (1..=MOST).map(|number| match number {
        1 => service.to_string(),
        number => format!("{service}-{number}"),
    });
    let with_images = slots.map(|slot| (context.images_alone(&slot), slot));
    let gone = with_images.filter(|(alone, slot)| !alone.is_empty() && !kept(slot) && !of_others(slot));
    let tag = |slot: &str, number: u64| keep_tag(context.workspace(), slot, number);
    gone.flat_map(|(alone, slot)| alone.into_iter().map(move |number| tag(&slot, number))).collect()
}

/// Whether a container that is not chosen stays, though it does not have the name of a kept one yet.
pub(in crate::planner) fn stays(retain: u32, choice: &Choice<'_>, ours: &Container) -> bool {
    if retain == 0 || choice.is(ours) || matches!(ours.state.status.as_str(), "dead" | "removing") {
        return false;
    }
    match ours.role() {
        // One that held the plain name and never ran is no fallback.
        InstanceRole::Committed => ours.has_run(),
        InstanceRole::Returning => true,
        InstanceRole::Attempt | InstanceRole::Kept => false,
    }
}
