//! What is to be read for a desired state.

use super::files::Look;
use crate::desired::container_file::field_of;
use crate::desired::{Desired, DesiredState, OnChange, PullPolicy, Spec};
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
    /// Declared files of containers that may have to be looked at, by the container's name.
    pub files: BTreeMap<String, Vec<Look>>,
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
        let mut files = BTreeMap::new();
        for item in &desired.items {
            let (image, need) = match &item.want {
                DesiredState::ImagePulled { image, force: true } => (image, Need::Digest),
                DesiredState::ImagePulled { image, force: false } => (image, Need::IfAbsent),
                DesiredState::ImageAbsent { image } => (image, Need::Presence),
                DesiredState::Container(want) => {
                    names.insert(want.name.as_str().to_owned());
                    let looks = looks(&want.spec);
                    if !looks.is_empty() {
                        files.insert(want.name.as_str().to_owned(), looks);
                    }
                    match want.pull {
                        PullPolicy::Missing => (&want.image, Need::Digest),
                        PullPolicy::Never => (&want.image, Need::Local),
                    }
                }
                DesiredState::ContainerAbsent { name, .. } => {
                    names.insert(name.as_str().to_owned());
                    continue;
                }
                // Its container is found by its labels.
                DesiredState::Task(task) => match task.container.pull {
                    PullPolicy::Missing => (&task.container.image, Need::Digest),
                    PullPolicy::Never => (&task.container.image, Need::Local),
                },
                DesiredState::Network(want) => {
                    networks.insert(want.name.clone());
                    continue;
                }
                DesiredState::NetworkAbsent { name } => {
                    networks.insert(name.clone());
                    continue;
                }
                DesiredState::Volume(want) => {
                    volumes.insert(want.name.clone());
                    continue;
                }
                DesiredState::VolumeAbsent { name } => {
                    volumes.insert(name.clone());
                    continue;
                }
                DesiredState::Surplus { .. } | DesiredState::LeftOut { .. } => continue,
            };
            images.entry(image.clone()).and_modify(|now| *now = need.max(*now)).or_insert(need);
            // `image.pulled` also sets the tag that a reference with a digest names.
            let tagged = ImageRef { digest: None, ..image.clone() };
            if matches!(item.want, DesiredState::ImagePulled { .. }) && tagged.tag.is_some() {
                images.entry(tagged).or_insert(Need::Presence);
            }
        }
        Self { workspace: desired.workspace.clone(), names, images, networks, volumes, files }
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

/// What is looked for of the files of a container, and what says for which content of them a signal was sent.
fn looks(spec: &Spec) -> Vec<Look> {
    let declared = spec.files.iter().map(|(path, file)| {
        let field = field_of(path);
        let print = Spec::field_fingerprint(&field, file.canonical());
        let in_place = file.on_change != OnChange::Replace;
        Look { path: path.clone(), field: Some(field), print, time: file.time(), in_place }
    });
    let mark = spec.signalled().map(|(path, mark)| Look {
        path,
        field: None,
        print: String::new(),
        time: mark.time(),
        in_place: true,
    });
    declared.chain(mark).collect()
}
