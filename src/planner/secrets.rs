//! Files of secrets: a volume of one instance alone, which it mounts read-only. It is filled before the
//! instance is created, through a second container of the same image that is created, never started and
//! removed: an archive cannot be put into a volume that is mounted read-only, and a volume in no container
//! takes none at all (measured). Left over from an apply that did not finish, both are removed by the next.

use super::context::PlanContext;
use super::images::Source;
use super::instances::runs;
use super::steps::Group;
use crate::desired::secret_file::FOLDER;
use crate::desired::{SecretFile, Store};
use crate::name::Owner;
use crate::observed::{Container, Errand, Label, OwnVolumes};
use crate::plan::{Action, Cause, Change, Create, FILLED, Target, Verb};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The files of one container that is to be created.
pub(super) struct Files<'a> {
    /// The container's plain name, or that of its task.
    pub(super) service: &'a str,
    pub(super) files: &'a BTreeMap<String, SecretFile>,
    /// The volume that they lie in; also the name of the container that fills it.
    pub(super) volume: String,
    whose: String,
    workspace: &'a Owner,
    source: &'a Source,
}

impl<'a> Files<'a> {
    /// Of an instance or task; `None` where it has no files.
    pub(super) fn of(
        context: &PlanContext<'a>,
        service: &'a str,
        whose: String,
        files: &'a BTreeMap<String, SecretFile>,
        source: &'a Source,
    ) -> Option<Self> {
        let workspace = context.workspace();
        let volume = OwnVolumes::of_secrets(workspace, &whose);
        (!files.is_empty()).then_some(Self { service, files, volume, whose, workspace, source })
    }

    /// Whether they lie in memory.
    pub(super) fn in_memory(&self) -> bool {
        self.files.values().any(|file| file.store == Store::Memory)
    }

    /// Whose they are, under the label that says for what.
    fn labels(&self, what: &'static str) -> impl Iterator<Item = (&'static str, String)> {
        Label::of(self.workspace).chain([(what, self.whose.clone())])
    }

    /// Makes the volume.
    pub(super) fn create_volume(&self) -> Action {
        let labels = self.labels(Label::SECRETS).map(|(name, value)| (name.to_owned(), value)).collect();
        Action::CreateOwnVolume { name: self.volume.clone(), labels, memory: self.in_memory() }
    }

    /// Makes the container that fills it. It has no command of its own image, which may have none.
    pub(super) fn create_filler(&self) -> Action {
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
        }))
    }

    /// Fills it.
    pub(super) fn put(&self, filler: Target) -> Action {
        Action::PutFiles {
            container: filler,
            name: self.volume.clone(),
            service: self.service.to_owned(),
            files: self.files.clone(),
        }
    }

    /// Removes the container that filled it.
    pub(super) fn discard(&self, filler: Target) -> Action {
        Action::Discard { container: filler, name: self.volume.clone() }
    }

    /// Mounts it into the container that is to be created.
    pub(super) fn mount(&self, body: &mut Value) {
        let mount = mount(&self.volume, FOLDER, true);
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

/// The volume of a container's own secrets. It may mount that of another one too (`volumes_from`).
pub(super) fn of<'a>(context: &PlanContext<'a>, container: &Container) -> Option<&'a str> {
    let own = match (&container.ours, &container.errand) {
        (Some(ours), _) => ours.instance.clone(),
        (None, Some(Errand::Task { name, .. })) => whose_task(name),
        _ => return None,
    };
    context.secrets_of(&own).iter().copied().find(|volume| mounts(container, volume))
}

/// What the label of a volume with the secrets of a task says; no instance is called so.
pub(super) fn whose_task(name: &str) -> String {
    format!("{name}.task")
}

fn mounts(container: &Container, volume: &str) -> bool {
    mounted(container).any(|name| name == volume)
}

/// What a container mounts: volumes by name, folders of the host by path.
fn mounted(container: &Container) -> impl Iterator<Item = &str> {
    let listed = |pointer: &str, field: &'static str| {
        let mounts = container.inspect.compare(pointer).and_then(Value::as_array);
        mounts.into_iter().flatten().filter_map(move |mount| mount[field].as_str())
    };
    listed("/HostConfig/Mounts", "Source").chain(listed("/Mounts", "Name"))
}

/// What an apply that did not finish left: containers that fill volumes, and volumes of secrets that no
/// container mounts.
pub(super) struct Leftovers<'a> {
    fillers: Vec<&'a Container>,
    /// Of tasks that no state declares any more.
    tasks: Vec<&'a Container>,
    volumes: Vec<(&'a str, &'a str)>,
}

impl<'a> Leftovers<'a> {
    /// Those of a host.
    pub(super) fn of(context: &PlanContext<'a>) -> Self {
        let tasks: Vec<&Container> =
            if context.options.prune { context.undeclared_tasks().collect() } else { Vec::new() };
        let (fillers, others): (Vec<&Container>, Vec<&Container>) =
            context.containers().partition(|container| container.errand == Some(Errand::Filler));
        let going: BTreeSet<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        let stay = others.into_iter().filter(|other| !going.contains(other.id.as_str()));
        let mounted: BTreeSet<&str> = stay.flat_map(mounted).collect();
        Self {
            fillers: fillers.into_iter().filter(|filler| filler.state.status != "removing").collect(),
            volumes: context.secrets().filter(|(volume, _)| !mounted.contains(volume)).collect(),
            tasks,
        }
    }

    /// Removes them.
    pub(super) fn lower(&self, group: &mut Group<'_>) {
        for filler in self.fillers.iter().chain(&self.tasks) {
            let (container, name) = (Target::Id(filler.id.clone()), filler.name.clone());
            group.know(&filler.id, &filler.name, runs(filler));
            if runs(filler) {
                let stop =
                    Action::Stop { container: container.clone(), name: name.clone(), timeout: Some(0) };
                group.push(stop, Vec::new());
            }
            group.push(Action::Discard { container, name }, Vec::new());
        }
        for (volume, _) in &self.volumes {
            group.push(Action::RemoveOwnVolume { name: (*volume).to_owned() }, Vec::new());
        }
    }

    /// What a plan says of them.
    pub(super) fn changes(&self) -> Vec<Change> {
        let change = |address: String, cause: Cause| Change {
            address,
            actions: vec![Verb::Remove],
            cause: vec![cause],
            before: None,
            after: None,
        };
        let fillers = self
            .fillers
            .iter()
            .map(|filler| change(format!("container {}", filler.name), Cause::Interrupted));
        let volumes = self.volumes.iter().map(|(volume, whose)| {
            let what = format!("secrets of {}, which is not there", crate::problem::escaped(whose));
            change(format!("volume {volume}"), Cause::PartOf(what))
        });
        let tasks =
            self.tasks.iter().map(|task| change(format!("container {}", task.name), Cause::Undeclared));
        fillers.chain(tasks).chain(volumes).collect()
    }
}
