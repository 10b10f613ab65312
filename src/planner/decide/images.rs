//! Images that go: those that only tags of ours keep, when the last of these tags goes.
//!
//! What says that an image is ours is the tag that it got when a container was to be made from it. So the tag goes
//! last: wherever that is cut off, the next plan knows of the image by its tag. An image stays where any container
//! uses it, ours or not, where it has a tag that is not ours, where a declaration names it, and where not all of
//! its names are known.

use super::decision::{Decided, Decision};
use super::secrets::Leftovers;
use crate::name::ImageRef;
use crate::observed::{Container, Image};
use crate::plan::KEEP;
use crate::planner::context::PlanContext;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of images of which containers and tags go.
#[derive(Default)]
pub(in crate::planner) struct Images {
    pub(in crate::planner) going: Vec<GoingImage>,
    /// Tags that are not taken off with their containers: their image stays, or goes after all of them.
    pub(in crate::planner) tags_stay: BTreeSet<String>,
    /// Ids of images that could go, if they have no other name.
    pub(in crate::planner) unread: BTreeSet<String>,
}

/// An image that goes.
pub(in crate::planner) struct GoingImage {
    /// Its names at its registry, `repo@sha256:…`; none where it was untagged before.
    pub(in crate::planner) digests: Vec<String>,
    /// The tags of ours, which are its only ones.
    pub(in crate::planner) tags: Vec<String>,
    /// Indices of the decisions of which it was.
    pub(in crate::planner) of: BTreeSet<usize>,
    /// Whether a container was made from it that is left of something, and goes before.
    pub(in crate::planner) of_leftovers: bool,
    /// Whether the Engine takes a digest off an image that has tags.
    pub(in crate::planner) digest_first: bool,
}

/// What goes with decisions.
#[derive(Default)]
struct Going<'a> {
    /// Tags, with the decision by which they go.
    tags: BTreeMap<String, usize>,
    /// Containers by id, with the decision by which they go.
    containers: BTreeMap<&'a str, usize>,
    tags_stay: BTreeSet<String>,
}

impl<'a> Going<'a> {
    fn of(context: &PlanContext<'a>, decided: &[Decided<'a>]) -> Self {
        let mut going = Self::default();
        for (at, one) in decided.iter().enumerate() {
            match &one.decision {
                Decision::Container(decision) => {
                    let gone = decision.instances.everything().filter(|ours| decision.goes(ours));
                    going.add(context, at, gone);
                    for stays in &decision.surplus.images_stay {
                        going.tags.remove(stays);
                        going.tags_stay.insert(stays.clone());
                    }
                    going.tags.extend(decision.surplus.tags.iter().map(|tag| (tag.clone(), at)));
                }
                Decision::Absent(absence) => {
                    going.add(context, at, absence.instances.everything());
                    going.tags.extend(absence.tags.iter().map(|tag| (tag.clone(), at)));
                }
                _ => {}
            }
        }
        going
    }

    fn add(&mut self, context: &PlanContext<'a>, at: usize, gone: impl Iterator<Item = &'a Container>) {
        for ours in gone {
            self.containers.insert(&ours.id, at);
            self.tags.extend(context.tags_of(ours).into_iter().map(|tag| (tag, at)));
        }
    }
}

impl Images {
    /// Decides, after everything else is decided.
    pub(in crate::planner) fn of<'a>(
        context: &PlanContext<'a>,
        decided: &[Decided<'a>],
        leftovers: &Leftovers<'a>,
    ) -> Self {
        let left: BTreeSet<&str> = leftovers.containers().map(|one| one.id.as_str()).collect();
        let Going { tags, containers, tags_stay } = Going::of(context, decided);
        let mut images = Self { tags_stay, ..Self::default() };
        let mut by_image: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut going: BTreeSet<&str> = BTreeSet::new();
        for (tag, kept) in context.keeps() {
            by_image.entry(&kept.image_id).or_default().push(tag);
            if tags.contains_key(tag) {
                going.insert(&kept.image_id);
            }
        }
        let wanted = if going.is_empty() { BTreeSet::new() } else { wanted(context) };
        for id in going {
            let all = by_image.get(id).cloned().unwrap_or_default();
            let goes = |user: &Container| {
                let removed = containers.contains_key(user.id.as_str()) && context.record(&user.id).is_none();
                removed || left.contains(user.id.as_str())
            };
            let used = context.made_from_id(id).any(|user| !goes(user));
            if used || !all.iter().all(|tag| tags.contains_key(*tag)) {
                continue;
            }
            let Some(image) = context.kept_by_id(id) else {
                images.unread.insert(id.to_owned());
                continue;
            };
            let Some(digests) = own_digests(image, &all, &wanted) else { continue };
            images.tags_stay.extend(all.iter().map(|tag| (*tag).to_owned()));
            images.going.push(GoingImage {
                digests,
                // Also of a container that has lost its tag.
                of: all
                    .iter()
                    .filter_map(|tag| tags.get(*tag))
                    .chain(context.made_from_id(id).filter_map(|user| containers.get(user.id.as_str())))
                    .copied()
                    .collect(),
                of_leftovers: context.made_from_id(id).any(|user| left.contains(user.id.as_str())),
                tags: all.into_iter().map(str::to_owned).collect(),
                digest_first: !context.facts().is_podman(),
            });
        }
        images
    }
}

/// Images that declarations name by digest, or that a registry named for them.
fn wanted(context: &PlanContext<'_>) -> BTreeSet<ImageRef> {
    let images = context.items().filter_map(|item| match &item.want {
        crate::desired::DesiredState::ImagePulled { image, .. } => Some(image),
        want => want.container().map(|want| &want.image),
    });
    let digests = images.filter_map(|image| {
        let resolved = context.resolution(image).map(|resolution| &resolution.digest);
        resolved.or(image.digest.as_ref()).map(|digest| image.by_digest(digest))
    });
    digests.collect()
}

/// The names of an image at its registry, if it has no names but these and tags of ours, and no declaration names it.
/// An image that two repositories have in common is not ours alone.
fn own_digests(image: &Image, tags: &[&str], wanted: &BTreeSet<ImageRef>) -> Option<Vec<String>> {
    let others = image.repo_tags.iter().filter(|name| !tags.contains(&name.as_str()));
    // With containerd's store `RepoTags` has digests as well (measured on 28.5).
    let read: Option<BTreeSet<ImageRef>> = others
        .chain(&image.repo_digests)
        .map(|name| ImageRef::parse(name).ok().filter(|name| name.digest.is_some() && name.tag.is_none()))
        .collect();
    let read: Vec<ImageRef> = read?.into_iter().filter(|name| name.name.host().as_str() != KEEP).collect();
    // Without any it goes with the last of our tags, which the Engine keeps while a container uses it.
    let alone = read.iter().all(|name| name.name == read[0].name && !wanted.contains(name));
    alone.then(|| read.iter().map(ToString::to_string).collect())
}
