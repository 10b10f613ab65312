//! What a plan says of the data in anonymous volumes, wherever a container is replaced or goes.

use crate::name::short_volume;
use crate::observed::Container;
use crate::planner::decide::Absence;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::problem::escaped;
use std::collections::BTreeSet;

/// Of a container that is wanted.
pub(super) fn of(decision: &ContainerDecision<'_>) -> Vec<String> {
    let (name, data) = (&decision.desired.name, &decision.data);
    let mut notes: Vec<String> = Vec::new();
    for one in &data.handed {
        let (path, volume) = (escaped(&one.path), short_volume(&one.volume));
        notes.push(format!(
            "container {name}: its data at {path} comes along: the new container mounts volume {volume} of the \
             old one there"
        ));
    }
    for (one, ours) in &data.left {
        let (path, volume) = (escaped(&one.path), &one.volume);
        let has = if matches!(decision.choice, Choice::New { .. }) {
            "the new container"
        } else {
            decision.choice.name()
        };
        let stays = match decision.goes(ours) {
            true => on_host(volume),
            false => format!(
                "it stays in volume {volume}, which goes with {} when that goes",
                then(decision, ours)
            ),
        };
        notes.push(format!("container {name}: {has} does not have the data that is at {path} now: {stays}"));
    }
    notes.extend(gone(decision.instances.everything(), &data.going.keys().map(String::as_str).collect()));
    notes
}

/// The name that a container has in the end.
fn then(decision: &ContainerDecision<'_>, ours: &Container) -> String {
    let holds = decision.instances.holder.is_some_and(|holder| holder.id == ours.id);
    let aside = decision.names.aside.as_ref().filter(|_| holds);
    aside.or_else(|| decision.names.laid_down.get(&ours.id)).unwrap_or(&ours.name).clone()
}

/// Of containers that go with nothing in their place.
pub(super) fn of_absent(absence: &Absence<'_>) -> Vec<String> {
    let data = &absence.data;
    let left = data.left.iter().map(|(one, ours)| {
        let (name, path) = (escaped(&ours.name), escaped(&one.path));
        format!("container {name}: it goes, and not its data at {path}: {}", on_host(&one.volume))
    });
    let going = data.going.keys().map(String::as_str).collect();
    left.chain(gone(absence.instances.everything(), &going)).collect()
}

fn on_host(volume: &str) -> String {
    format!("it stays on the host in volume {volume}; 'docker volume rm {volume}' removes it")
}

/// Volumes that go.
fn gone<'a>(of: impl Iterator<Item = &'a Container>, going: &BTreeSet<&str>) -> Vec<String> {
    let mut said = BTreeSet::new();
    let all = of.flat_map(|ours| ours.anonymous().into_iter().map(move |one| (one, ours)));
    all.filter(|(one, _)| going.contains(one.volume.as_str()))
        .filter(|(one, _)| said.insert(one.volume.clone()))
        .map(|(one, ours)| {
            let (name, path) = (escaped(&ours.name), escaped(&one.path));
            let volume = short_volume(&one.volume);
            format!("container {name}: its data at {path} goes with it: nothing else mounts volume {volume}")
        })
        .collect()
}
