//! Which container holds the plain name in the end: one that is there, or a new one.

use super::instances::{Instances, generation, runs, slot, works};
use crate::desired::DesiredContainer;
use crate::observed::Container;
use crate::planner::context::PlanContext;
use std::collections::BTreeSet;

/// Which container holds the plain name in the end.
#[derive(Clone, Debug)]
pub(in crate::planner) enum Choice<'a> {
    /// A container that is there.
    Existing(&'a Container),
    /// A new one.
    New {
        /// It counts from 1.
        generation: u64,
        /// The name that it is created under.
        name: String,
    },
}

impl Choice<'_> {
    /// The name that it has when the plan begins, or is created under.
    pub(in crate::planner) fn name(&self) -> &str {
        match self {
            Self::Existing(chosen) => &chosen.name,
            Self::New { name, .. } => name,
        }
    }

    /// The generation of the container that holds the plain name in the end.
    pub(in crate::planner) fn generation(&self) -> u64 {
        match self {
            Self::Existing(chosen) => generation(chosen),
            Self::New { generation, .. } => *generation,
        }
    }

    /// Whether it is this container.
    pub(in crate::planner) fn is(&self, container: &Container) -> bool {
        matches!(self, Self::Existing(chosen) if chosen.id == container.id)
    }
}

/// Chooses, see the table at the planner; `fits` says whether a container is as desired.
pub(in crate::planner) fn choose<'a>(
    context: &PlanContext<'a>,
    desired: &DesiredContainer,
    (instances, image): (&Instances<'a>, &str),
    run: bool,
    fits: impl Fn(&Container) -> bool,
) -> Choice<'a> {
    let holder = instances.holder.filter(|holder| fits(holder));
    let latest = |usable: fn(&Container) -> bool| {
        instances.others.iter().rev().copied().filter(|other| usable(other)).find(|other| fits(other))
    };
    let asked = || {
        let id = desired.replica.as_ref()?.back.as_ref()?.container.as_ref()?;
        instances.everything().find(|ours| ours.id == *id)
    };
    let existing = if let Some(asked) = asked() {
        Some(asked)
    } else if run {
        holder.filter(|holder| runs(holder)).or_else(|| latest(works)).or(holder)
    } else {
        holder.or_else(|| latest(|_| true))
    };
    if let Some(container) = existing {
        return Choice::Existing(container);
    }
    let service = desired.name.as_str();
    let next = next(context, desired, (instances, image), &fits);
    let (generation, temporary) = context.free_name(service, next, "");
    let name = if instances.is_empty() { service.to_owned() } else { temporary };
    Choice::New { generation, name }
}

/// The number of a new container: that of the same deployment where another container of the service
/// has it already, else the next one of the service. A tag has taken its number, though its container was
/// pruned; an apply that ended before it made a container of the same image goes on with its own.
fn next(
    context: &PlanContext<'_>,
    desired: &DesiredContainer,
    (instances, image): (&Instances<'_>, &str),
    fits: impl Fn(&Container) -> bool,
) -> u64 {
    let service = desired.service().as_str();
    let siblings = || context.of_service(service);
    let own = instances.highest();
    let committed = siblings().filter(|(ours, _)| ours.name == slot(ours) && fits(ours));
    let same = committed.map(|(ours, _)| generation(ours)).max().filter(|number| *number > own);
    if let Some(same) = same {
        return same;
    }
    let highest = siblings().map(|(ours, _)| generation(ours)).max().unwrap_or(0).max(own);
    let slots: BTreeSet<&str> =
        siblings().map(|(ours, _)| slot(ours)).chain([desired.name.as_str()]).collect();
    let tagged =
        slots.iter().flat_map(|slot| context.images_alone(slot).into_iter().map(move |n| (n, *slot)));
    let tagged: Vec<(u64, &str)> = tagged.filter(|(number, _)| *number > highest).collect();
    let Some(last) = tagged.iter().map(|(number, _)| *number).max() else { return highest + 1 };
    let keeps = |slot: &str| context.kept_image(slot, last) == image;
    let goes_on = tagged.iter().any(|(number, slot)| *number == last && keeps(slot));
    if goes_on { last } else { last + 1 }
}

/// The container that ran when the host was read; else the committed one, which an apply may have stopped.
pub(in crate::planner) fn fallback<'a>(
    instances: &Instances<'a>,
    choice: &Choice<'a>,
    to_stop: &[&'a Container],
    run: bool,
) -> Option<&'a Container> {
    let holder = instances.holder;
    if holder.is_some_and(|holder| choice.is(holder) && runs(holder)) {
        return None;
    }
    let stopped = |usable: fn(&Container) -> bool| {
        let rest = to_stop.iter().copied().filter(|old| !choice.is(old) && usable(old));
        rest.max_by_key(|old| (instances.holder.is_some_and(|h| h.id == old.id), generation(old)))
    };
    let down = |old: &&Container| run && !choice.is(old) && !runs(old) && old.has_run();
    let holder_down = holder.filter(down);
    // Between the two renames no container holds the plain name; the kept one that ran last held it.
    let cut = || {
        let kept = instances.kept.iter().copied().filter(down);
        let last = kept.max_by_key(|old| (old.ended(), generation(old)));
        last.filter(|_| holder.is_none() && !instances.others.is_empty())
    };
    // Where nothing is kept it is the oldest.
    let oldest = || {
        let found = instances.others.iter().copied().find(down);
        found.filter(|_| holder.is_none())
    };
    let running_holder = to_stop.iter().copied().find(|old| holder.is_some_and(|h| h.id == old.id));
    running_holder
        .filter(|old| !choice.is(old))
        .or_else(|| stopped(works))
        .or(holder_down)
        .or_else(cut)
        .or_else(|| stopped(|_| true))
        .or_else(oldest)
}
