//! Volumes of secrets: whose they are, and what an apply that did not finish left of them.

use crate::observed::{Container, HelperContainer, Stop};
use crate::planner::context::PlanContext;
use serde_json::Value;
use std::collections::BTreeSet;

/// The volume of a container's own secrets. It may mount that of another one too (`volumes_from`).
pub(in crate::planner) fn of<'a>(context: &PlanContext<'a>, container: &Container) -> Option<&'a str> {
    let own = match (&container.ours, &container.helper) {
        (Some(ours), _) => ours.instance.clone(),
        (None, Some(HelperContainer::Task { name, .. })) => whose_task(name),
        _ => return None,
    };
    context.secrets_of(&own).iter().copied().find(|volume| mounts(container, volume))
}

/// Whether a container has its secrets. One that was adopted had them when it was compared: they came with
/// it.
pub(in crate::planner) fn has(context: &PlanContext<'_>, container: &Container) -> bool {
    context.record(&container.id).is_some() || of(context, container).is_some()
}

/// What the label of a volume with the secrets of a task says; no instance is called so.
pub(in crate::planner) fn whose_task(name: &str) -> String {
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

/// What is of use to nothing any more: containers that an apply that did not finish, or a command, left, and volumes
/// of secrets that no container mounts.
#[derive(Default)]
pub(in crate::planner) struct Leftovers<'a> {
    pub(in crate::planner) fillers: Vec<&'a Container>,
    /// Containers of tasks that no state declares any more.
    pub(in crate::planner) tasks: Vec<&'a Container>,
    /// Containers of one-off commands that have ended, each with its service.
    pub(in crate::planner) one_offs: Vec<(&'a Container, &'a str)>,
    /// Volumes, each with whose it was.
    pub(in crate::planner) volumes: Vec<(&'a str, &'a str)>,
    /// Records of stops of which the time is over, or of which nothing is left.
    pub(in crate::planner) stops: Vec<&'a Stop>,
    /// Other volumes that remember something and are to go.
    pub(in crate::planner) forgets: Vec<&'a str>,
}

impl<'a> Leftovers<'a> {
    /// Those of a host, with one-off commands that go.
    pub(in crate::planner) fn of(context: &PlanContext<'a>, one_offs: Vec<(&'a Container, &'a str)>) -> Self {
        let tasks: Vec<&Container> =
            if context.options.prune { context.undeclared_tasks().collect() } else { Vec::new() };
        let (fillers, others): (Vec<&Container>, Vec<&Container>) =
            context.containers().partition(|container| container.helper == Some(HelperContainer::Filler));
        let commands = one_offs.iter().map(|(one, _)| one);
        let going: BTreeSet<&str> = tasks.iter().chain(commands).map(|one| one.id.as_str()).collect();
        let stay = others.into_iter().filter(|other| !going.contains(other.id.as_str()));
        let mounted: BTreeSet<&str> = stay.flat_map(mounted).collect();
        Self {
            // Also one that is being removed: its name and its volume are free when it is gone.
            fillers,
            volumes: context.secrets().filter(|(volume, _)| !mounted.contains(volume)).collect(),
            tasks,
            one_offs,
            stops: context.stops().filter(|stop| context.ends(stop)).collect(),
            forgets: context.forgets().collect(),
        }
    }

    /// Containers that go, before everything else does.
    pub(in crate::planner) fn containers(&self) -> impl Iterator<Item = &'a Container> + '_ {
        let one_offs = self.one_offs.iter().map(|(one, _)| one);
        self.fillers.iter().chain(&self.tasks).chain(one_offs).copied()
    }
}
