//! Files of secrets, and files that are mounted: a volume of one instance alone, which it mounts read-only. It is
//! filled before the instance is created, through a second container of the same image that is created, never started
//! and removed: an archive cannot be put into a volume that is mounted read-only, and a volume in no container takes
//! none at all (measured). Left over from an apply that did not finish, both are removed by the next.

use super::steps::Group;
use crate::desired::container_file::FOLDER as OF_FILES;
use crate::desired::secret_file::FOLDER;
use crate::desired::{ContainerFile, SecretFile, Store};
use crate::name::Owner;
use crate::observed::{Label, OwnVolumes};
use crate::plan::{Action, Create, FILLED, MountedFile, Target, mounted_as};
use crate::planner::context::PlanContext;
use crate::planner::decide::instances::runs;
use crate::planner::decide::secrets::Leftovers;
use crate::planner::decide::source::Source;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The files of one container that is to be created.
pub(in crate::planner) struct Files<'a> {
    /// The container's plain name, or that of its task.
    pub(in crate::planner) service: &'a str,
    pub(in crate::planner) files: &'a BTreeMap<String, SecretFile>,
    /// Files that it mounts, by their path in it.
    pub(in crate::planner) mounted: BTreeMap<String, ContainerFile>,
    /// The volume that they lie in; also the name of the container that fills it.
    pub(in crate::planner) volume: String,
    whose: String,
    workspace: &'a Owner,
    source: &'a Source,
}

impl<'a> Files<'a> {
    /// Of an instance or task; `None` where it has no files.
    pub(in crate::planner) fn of(
        context: &PlanContext<'a>,
        service: &'a str,
        whose: String,
        files: &'a BTreeMap<String, SecretFile>,
        mounted: BTreeMap<String, ContainerFile>,
        source: &'a Source,
    ) -> Option<Self> {
        Self::new(context.workspace(), service, whose, files, mounted, source)
    }

    /// The same where nothing of the host has to be known.
    pub(in crate::planner) fn new(
        workspace: &'a Owner,
        service: &'a str,
        whose: String,
        files: &'a BTreeMap<String, SecretFile>,
        mounted: BTreeMap<String, ContainerFile>,
        source: &'a Source,
    ) -> Option<Self> {
        let volume = OwnVolumes::of_secrets(workspace, &whose);
        let none = files.is_empty() && mounted.is_empty();
        (!none).then_some(Self { service, files, mounted, volume, whose, workspace, source })
    }

    /// What a container that is created mounts of it, one by one.
    pub(in crate::planner) fn mounts(&self) -> BTreeMap<String, MountedFile> {
        let mounted = self
            .mounted
            .keys()
            .map(|path| (path.clone(), MountedFile { volume: self.volume.clone(), file: mounted_as(path) }));
        mounted.collect()
    }

    /// Whether they lie in memory.
    pub(in crate::planner) fn in_memory(&self) -> bool {
        self.files.values().any(|file| file.store == Store::Memory)
    }

    /// Whose they are, under the label that says for what.
    fn labels(&self, what: &'static str) -> impl Iterator<Item = (&'static str, String)> {
        Label::of(self.workspace).chain([(what, self.whose.clone())])
    }

    /// Makes the volume.
    pub(in crate::planner) fn create_volume(&self) -> Action {
        let labels = self.labels(Label::SECRETS).map(|(name, value)| (name.to_owned(), value)).collect();
        Action::CreateOwnVolume { name: self.volume.clone(), labels, memory: self.in_memory() }
    }

    /// Makes the container that fills it. It has no command of its own image, which may have none.
    pub(in crate::planner) fn create_filler(&self) -> Action {
        let body = json!({
            "Entrypoint": ["never-started"],
            "Cmd": [],
            "Labels": self.labels(Label::FILLS).collect::<BTreeMap<_, _>>(),
            "HostConfig": { "NetworkMode": "none", "Mounts": [mount(&self.volume, FILLED, false)] },
        });
        Action::Create(Box::new(Create {
            name: self.volume.clone(),
            service: self.service.to_owned(),
            image: self.source.create_from.clone(),
            digest: self.source.pull.as_ref().and_then(|image| image.digest.clone()),
            body,
            env: BTreeMap::new(),
            mounted: BTreeMap::new(),
        }))
    }

    /// Fills it.
    pub(in crate::planner) fn put(&self, filler: Target) -> Action {
        Action::PutFiles {
            container: filler,
            name: self.volume.clone(),
            service: self.service.to_owned(),
            files: self.files.clone(),
            mounted: self.mounted.clone(),
        }
    }

    /// Removes the container that filled it.
    pub(in crate::planner) fn discard(&self, filler: Target) -> Action {
        Action::Discard { container: filler, name: self.volume.clone() }
    }

    /// Mounts it into the container that is to be created: a volume that no container mounts is pruned.
    pub(in crate::planner) fn mount(&self, body: &mut Value) {
        let folder = if self.files.is_empty() { OF_FILES } else { FOLDER };
        let mount = mount(&self.volume, folder, true);
        match body["HostConfig"]["Mounts"].as_array_mut() {
            Some(mounts) => mounts.push(mount),
            None => body["HostConfig"]["Mounts"] = json!([mount]),
        }
    }
}

/// What the image has at that path is not copied into the volume.
fn mount(volume: &str, target: &str, read_only: bool) -> Value {
    json!({
        "Type": "volume",
        "Source": volume,
        "Target": target,
        "ReadOnly": read_only,
        "VolumeOptions": { "NoCopy": true },
    })
}

/// Removes what an apply that did not finish left.
pub(in crate::planner) fn clear(leftovers: &Leftovers<'_>, group: &mut Group<'_>) {
    for left in leftovers.containers() {
        let (container, name) = (Target::Id(left.id.clone()), left.name.clone());
        group.know(&left.id, &left.name, runs(left));
        if runs(left) {
            let stop = Action::Stop { container: container.clone(), name: name.clone(), timeout: Some(0) };
            group.push(stop, Vec::new());
        }
        group.push(Action::Discard { container, name }, Vec::new());
    }
    for (volume, _) in &leftovers.volumes {
        group.push(Action::RemoveOwnVolume { name: (*volume).to_owned() }, Vec::new());
    }
}

/// Removes records that do not count any more.
pub(super) fn forget(leftovers: &Leftovers<'_>, group: &mut Group<'_>) {
    let stops = leftovers.stops.iter().map(|stop| stop.volume.as_str());
    for volume in stops.chain(leftovers.forgets.iter().copied()) {
        group.push(Action::RemoveOwnVolume { name: volume.to_owned() }, Vec::new());
    }
}
