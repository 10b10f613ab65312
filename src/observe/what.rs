//! What is to be read for a desired state.

use crate::desired::{Desired, PullPolicy, Wish};
use crate::name::{ImageRef, Owner};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be read; containers of other workspaces and images that are not wanted are not.
#[derive(Clone, Debug, PartialEq)]
pub struct What {
    /// Whose containers are ours.
    pub workspace: Owner,
    /// Container names that are wanted, or wanted away.
    pub names: BTreeSet<String>,
    /// References to find out about.
    pub images: BTreeMap<ImageRef, Need>,
    /// Networks that are wanted, or wanted away.
    pub networks: BTreeSet<String>,
    /// Volumes that are wanted, or wanted away.
    pub volumes: BTreeSet<String>,
    /// Whether the tags that keep images are read: where there are services.
    pub keeps: bool,
}

/// What is needed of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Whether it is on the host.
    Presence,
    /// Its id on the host; no registry is asked.
    Local,
    /// What it stands for, if it is not on the host.
    IfAbsent,
    /// What it stands for.
    Digest,
}

impl What {
    /// What a desired state needs.
    pub fn of(desired: &Desired) -> Self {
        let (mut names, mut networks, mut volumes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut images: BTreeMap<ImageRef, Need> = BTreeMap::new();
        let mut keeps = false;
        for item in &desired.items {
            let (image, need) = match &item.wish {
                Wish::ImagePulled { image, force: true } => (image, Need::Digest),
                Wish::ImagePulled { image, force: false } => (image, Need::IfAbsent),
                Wish::ImageAbsent { image } => (image, Need::Presence),
                Wish::Container(wish) => {
                    names.insert(wish.name.as_str().to_owned());
                    keeps |= wish.replica.is_some();
                    match wish.pull {
                        PullPolicy::Missing => (&wish.image, Need::Digest),
                        PullPolicy::Never => (&wish.image, Need::Local),
                    }
                }
                Wish::ContainerAbsent { name, .. } => {
                    names.insert(name.as_str().to_owned());
                    continue;
                }
                // Its container is found by its labels.
                Wish::Task(task) => match task.container.pull {
                    PullPolicy::Missing => (&task.container.image, Need::Digest),
                    PullPolicy::Never => (&task.container.image, Need::Local),
                },
                Wish::Network(wish) => {
                    networks.insert(wish.name.clone());
                    continue;
                }
                Wish::NetworkAbsent { name } => {
                    networks.insert(name.clone());
                    continue;
                }
                Wish::Volume(wish) => {
                    volumes.insert(wish.name.clone());
                    continue;
                }
                Wish::VolumeAbsent { name } => {
                    volumes.insert(name.clone());
                    continue;
                }
                Wish::Surplus { .. } => {
                    keeps = true;
                    continue;
                }
                Wish::LeftOut { .. } => continue,
            };
            images.entry(image.clone()).and_modify(|now| *now = need.max(*now)).or_insert(need);
            // `image.pulled` also sets the tag that a reference with a digest names.
            let tagged = ImageRef { digest: None, ..image.clone() };
            if matches!(item.wish, Wish::ImagePulled { .. }) && tagged.tag.is_some() {
                images.entry(tagged).or_insert(Need::Presence);
            }
        }
        Self { workspace: desired.workspace.clone(), names, images, networks, volumes, keeps }
    }

    /// References that are looked up on the host before anything is resolved. One that is only wanted
    /// by its digest is looked up by that alone.
    pub(super) fn looks(&self) -> BTreeSet<ImageRef> {
        let asked = self.images.iter().map(|(image, need)| match (&image.digest, need) {
            (Some(digest), Need::Digest | Need::IfAbsent) => image.by_digest(digest),
            _ => image.clone(),
        });
        asked.collect()
    }
}
