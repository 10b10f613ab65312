//! What the planner looks at: the wish, the world and the options of one host.

use super::Options;
use super::instances::slot;
use crate::desired::{Desired, Wish};
use crate::name::{Digest, ImageRef};
use crate::observed::{Container, Image, Observed, Ownership, Resolution};
use crate::plan::kept_generation;
use std::collections::BTreeSet;

/// Everything a decision may depend on.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) desired: &'a Desired,
    pub(super) observed: &'a Observed,
    pub(super) options: &'a Options,
}

impl<'a> World<'a> {
    /// Containers that are ours, with their labels.
    pub(super) fn ours(&self) -> impl Iterator<Item = (&'a Container, &'a Ownership)> + use<'a> {
        let containers = self.observed.containers.iter().filter(|container| !container.impostor);
        containers.filter_map(|container| container.ours.as_ref().map(|labels| (container, labels)))
    }

    /// Who holds a name, ours or not.
    pub(super) fn named(&self, name: &str) -> Option<&'a Container> {
        self.observed.containers.iter().find(|container| container.name == name)
    }

    /// A name `service.g<n>`, `n` at least `from`, that nobody has, no state wants and is not `taken`.
    pub(super) fn free_name(&self, service: &str, from: u64, taken: &str) -> (u64, String) {
        let wanted: BTreeSet<&str> =
            self.desired.items.iter().map(|item| item.address.name.as_str()).collect();
        let mut generation = from;
        loop {
            let name = format!("{service}.g{generation}");
            if name != taken && self.named(&name).is_none() && !wanted.contains(name.as_str()) {
                return (generation, name);
            }
            generation += 1;
        }
    }

    /// Whether limits and restart policies can be changed in place.
    pub(super) fn can_update(&self) -> bool {
        self.observed.facts.can_update
    }

    /// The first of some names that nobody has and no state wants.
    pub(super) fn first_free(&self, name: impl Fn(u32) -> String) -> String {
        let taken = |name: &str| {
            let mut items = self.desired.items.iter();
            self.named(name).is_some() || items.any(|item| item.address.name == name)
        };
        (0..).map(name).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Generations of one container of a service of which there is a tag that keeps the image, but no
    /// container any more, the latest first. A tag above every container was made by an apply that did not
    /// get so far as to create one.
    pub(super) fn images_alone(&self, slot: &str) -> Vec<u64> {
        let workspace = &self.desired.workspace;
        let tags = self.observed.keeps.keys();
        let there: BTreeSet<u64> = self
            .ours()
            .map(|(ours, _)| ours)
            .filter(|ours| ours.slot() == slot)
            .map(Container::generation)
            .collect();
        let kept = tags.filter_map(|tag| kept_generation(workspace, slot, tag));
        let mut found: Vec<u64> = kept.filter(|generation| !there.contains(generation)).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }

    /// What a wanted reference stands for.
    pub(super) fn resolution(&self, image: &ImageRef) -> Option<&'a Resolution> {
        self.observed.resolved.get(image)
    }

    /// An image on the host under `repo@digest`.
    pub(super) fn by_digest(&self, image: &ImageRef, digest: &Digest) -> Option<&'a Image> {
        let wanted = image.by_digest(digest);
        self.observed
            .images
            .get(&wanted)
            .or_else(|| self.observed.images.values().find(|image| has_digest(image, &wanted)))
    }

    /// The image that `repo:tag` stands for on the host.
    pub(super) fn by_tag(&self, image: &ImageRef) -> Option<&'a Image> {
        self.observed.images.get(&ImageRef { digest: None, ..image.clone() })
    }

    /// Containers of ours that no state says anything about, each a service and the plain name of one of
    /// its containers.
    pub(super) fn undeclared(&self) -> BTreeSet<(&'a str, &'a str)> {
        let (mut services, mut names) = (BTreeSet::new(), BTreeSet::new());
        for item in &self.desired.items {
            match &item.wish {
                Wish::Container(wish) => drop(names.insert(wish.name.as_str())),
                Wish::ContainerAbsent { name, .. } | Wish::Surplus { service: name, .. } => {
                    services.insert(name.as_str());
                }
                _ => {}
            }
        }
        let ours = self.ours().filter(|_| !self.desired.partial);
        let ours = ours.map(|(container, labels)| (labels.service.as_str(), slot(container)));
        ours.filter(|(service, slot)| !services.contains(service) && !names.contains(slot)).collect()
    }
}

/// Whether an image was pulled as `repo@digest`; Engines print the repository in their own way.
pub(super) fn has_digest(image: &Image, wanted: &ImageRef) -> bool {
    let digests = image.repo_digests.iter().filter_map(|text| ImageRef::parse(text).ok());
    digests.into_iter().any(|found| found == *wanted)
}
