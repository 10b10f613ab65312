//! Which generations are kept for a rollback, and which go.
//!
//! `retain` counts versions: the last generation of each of the last `retain` versions stays behind the one that
//! runs, so that a change of a variable pushes no version out. Of generations of one version the last stay, as
//! long as `retain` generations are not there. Those count first that ended last; after a rollback as many stay
//! before the one that runs, until the next deployment. A container is more than an image alone: images that
//! have lost theirs count after all containers. `images.keep` counts versions in the same way, of images with or
//! without a container, and is never less. One that runs is stopped, and counts as the others.

use super::choice::Choice;
use super::instances::{Instances, generation, runs};
use crate::desired::{DesiredState, Kind};
use crate::name::ContainerName;
use crate::observed::{Container, InstanceRole};
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
    /// Tags of containers among them whose image stays without its container.
    pub(in crate::planner) images_stay: Vec<String>,
}

/// What goes once the choice, which is made from this image, holds the plain name.
pub(in crate::planner) fn surplus<'a>(
    context: &PlanContext<'a>,
    slot: &str,
    (retain, keep): (u32, u32),
    instances: &Instances<'a>,
    (choice, image): (&Choice<'a>, &str),
) -> Surplus<'a> {
    let current = choice.generation();
    let alone = context.images_alone(slot);
    let tags = |number: u64| context.kept_tags(slot, number).iter().map(|tag| (*tag).to_owned());
    let mut gone = Surplus::default();
    let rests = |ours: &Container| ours.role() == InstanceRole::Kept;
    // Where no container is kept an image may be.
    let mut containers: Vec<&'a Container> = instances
        .everything()
        .filter(|ours| stays(retain.max(1), choice, ours) || rests(ours))
        .filter(|ours| !choice.is(ours))
        .collect();
    // As the next plan will find them: those that run now end in this one, the committed one last.
    let committed = |ours: &Container| runs(ours) && ours.role() == InstanceRole::Committed;
    containers.sort_by_key(|ours| Reverse((runs(ours), committed(ours), ours.ended(), generation(ours))));
    let no_containers = retain == 0;
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let (retain, keep) = (number(retain), number(retain.max(keep)));
    for behind in [true, false] {
        let side = |number: u64| (number < current) == behind && number != current;
        let of_side: Vec<&'a Container> =
            containers.iter().copied().filter(|ours| side(generation(ours))).collect();
        let images: Vec<u64> = alone.iter().copied().filter(|number| side(*number)).collect();
        let versions: Vec<String> = of_side
            .iter()
            .map(|ours| ours.ours.as_ref().map_or("", |labels| &labels.image).to_owned())
            .chain(images.iter().map(|number| context.kept_image(slot, *number)))
            .collect();
        let stays = staying(retain, image, &versions[..of_side.len()]);
        let image_stays = staying(keep, image, &versions);
        for (at, ours) in of_side.iter().enumerate().filter(|(at, _)| !stays[*at]) {
            // The others of a service that keeps none go as what they are.
            gone.containers.extend((!no_containers || rests(ours)).then_some(*ours));
            if image_stays[at] {
                gone.images_stay.extend(context.tags_of(ours));
            }
        }
        let alone = images.into_iter().zip(&image_stays[of_side.len()..]);
        gone.tags.extend(alone.filter(|(_, stays)| !**stays).flat_map(|(number, _)| tags(number)));
    }
    gone
}

/// Whether each of them stays beside one in service; they are given by what they are made from, the last first.
fn staying(retain: usize, in_service: &str, versions: &[String]) -> Vec<bool> {
    let mut others: BTreeSet<&String> = BTreeSet::new();
    let stays = versions.iter().enumerate().map(|(at, version)| {
        let last_of_version = version != in_service && others.len() < retain && others.insert(version);
        at < retain || last_of_version
    });
    stays.collect()
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
        declared.is_some_and(|item| !matches!(item.want, DesiredState::ContainerAbsent { .. }))
            || context.of_slot(slot).any(|(_, labels)| labels.service != service.as_str())
    };
    let slots = (1..=MOST).map(|number| match number {
        1 => service.to_string(),
        number => format!("{service}-{number}"),
    });
    let with_images = slots.map(|slot| (context.images_alone(&slot), slot));
    let gone = with_images.filter(|(alone, slot)| !alone.is_empty() && !kept(slot) && !of_others(slot));
    let tags = |slot: &str, number: u64| context.kept_tags(slot, number).iter().map(|tag| (*tag).to_owned());
    gone.flat_map(|(alone, slot)| alone.into_iter().flat_map(move |number| tags(&slot, number))).collect()
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

#[cfg(test)]
mod tests {
    use super::staying;

    /// What stays of versions in one letter each, the last to end first.
    fn stay(retain: usize, in_service: &str, versions: &str) -> String {
        let each: Vec<String> = versions.chars().map(String::from).collect();
        let stays = staying(retain, in_service, &each);
        versions.chars().zip(stays).map(|(version, stays)| if stays { version } else { '-' }).collect()
    }

    #[test]
    fn retain_counts_versions_and_changes_of_one_version_push_no_other_out() {
        assert_eq!(stay(2, "d", "cba"), "cb-");
        assert_eq!(stay(1, "c", "cccb"), "c--b");
        assert_eq!(stay(2, "c", "cccbba"), "cc-b-a");
        // One that is in between counts once.
        assert_eq!(stay(2, "d", "cbcba"), "cb---");
        assert_eq!(stay(0, "d", "cba"), "---");
    }
}
