//! Images that are removed: ours alone, and nothing needs them.

use crate::observed::{Image, Observed};
use crate::plan::{Action, HostPlan, KEEP, Target};
use std::collections::BTreeSet;

pub(super) fn check(plan: &HostPlan, observed: &Observed) -> Vec<String> {
    let mut removed: BTreeSet<&str> = BTreeSet::new();
    let mut broken = Vec::new();
    let created: BTreeSet<String> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Create(create) => Some(create.on_host()),
            _ => None,
        })
        .collect();
    for step in &plan.steps {
        if step.undo.iter().any(|undo| matches!(undo, Action::RemoveImage { .. })) {
            broken.push(format!("step {} would remove an image in its rollback", step.id));
        }
        match &step.action {
            Action::Remove { container: Target::Id(id), .. }
            | Action::Discard { container: Target::Id(id), .. } => drop(removed.insert(id)),
            Action::RemoveImage { image } => {
                let why = match found(observed, image) {
                    _ if created.contains(image) => Some("takes an image that a container is created from"),
                    None => Some("takes an image of which not all is known, or that is not ours"),
                    Some(found) => wrong(observed, found, image, &removed),
                };
                broken.extend(why.map(|why| format!("step {} ({}) {why}", step.id, step.action)));
            }
            _ => {}
        }
    }
    broken
}

/// An image that has a tag of ours, with all its names.
fn found<'o>(observed: &'o Observed, name: &str) -> Option<&'o Image> {
    let images = observed.kept_images.values();
    images
        .filter(|image| image.repo_digests.iter().chain(&image.repo_tags).any(|digest| digest == name))
        .find(|image| observed.keeps.values().any(|kept| kept.image_id == image.id))
}

fn wrong(observed: &Observed, image: &Image, name: &str, removed: &BTreeSet<&str>) -> Option<&'static str> {
    let kept = |name: &str| name.starts_with(KEEP);
    let repository = name.split('@').next();
    // With containerd's store `RepoTags` has names by digest as well.
    let ours = |other: &String| match other.split_once('@') {
        Some((of, _)) => kept(other) || Some(of) == repository,
        None => kept(other) && observed.keeps.contains_key(other),
    };
    let uses = |id: &str| !removed.contains(id);
    if !image.repo_tags.iter().chain(&image.repo_digests).all(ours) {
        return Some("takes an image that has a name of others");
    }
    let used = observed.containers.iter().any(|one| one.image_id == image.id && uses(&one.id));
    used.then_some("takes an image that a container uses")
}
