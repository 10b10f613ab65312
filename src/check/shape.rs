//! What can be seen from the steps alone.

use super::receivers::Receivers;
use crate::name::{Digest, ImageRef};
use crate::observed::{Container, Observed};
use crate::plan::{Action, Create, Expect, HostPlan, Step, Target};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(plan: &HostPlan, observed: &Observed, receivers: &Receivers<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let host = Seen::of(observed);
    let mut pulled: BTreeSet<String> = BTreeSet::new();
    let mut removed: BTreeSet<&str> = BTreeSet::new();
    let mut seen: BTreeMap<u32, &Step> = BTreeMap::new();
    let mut begun: BTreeSet<(&str, bool)> = BTreeSet::new();
    let mut changes = false;
    for step in &plan.steps {
        let id = step.id;
        if seen.contains_key(&id) {
            broken.push(format!("two steps have the id {id}"));
        }
        broken.extend(
            step.needs
                .iter()
                .filter(|need| !seen.contains_key(*need))
                .map(|need| format!("step {id} needs {need}, which is no earlier step")),
        );
        let prepares = step.action.prepares();
        if prepares && changes {
            broken.push(format!("step {id} ({}) comes after something was changed", step.action));
        }
        changes |= !prepares;
        let first = begun.insert((step.group.as_str(), prepares));
        let foreign = step.needs.iter().filter_map(|need| seen.get(need));
        let mut foreign = foreign.filter(|need| need.group != step.group && !need.action.prepares());
        if !first && foreign.next().is_some() {
            broken.push(format!("step {id} waits for another group in the middle of its own"));
        }
        broken.extend(targets(step, &seen, &host));
        match &step.action {
            Action::Create(create) => broken.extend(created(step, create, &host, &pulled, receivers)),
            Action::Pull { image, .. } => drop(pulled.insert(image.to_string())),
            Action::Remove { container: Target::Id(id), .. } => drop(removed.insert(id)),
            Action::Forget { volume, .. } if !host.may_be_forgotten(volume, &removed) => {
                broken.push(format!("step {id} ({}) forgets a container that is there", step.action));
            }
            _ => {}
        }
        seen.insert(id, step);
    }
    broken
}

/// What the steps are held against.
struct Seen<'a> {
    containers: BTreeSet<&'a str>,
    ours: BTreeSet<&'a str>,
    /// Containers that were taken over, by the volume that records it.
    recorded: BTreeMap<&'a str, &'a str>,
    /// Digests by which images were asked for, and the names that they were pulled by.
    digests: BTreeSet<&'a Digest>,
    names: BTreeSet<String>,
}

impl<'a> Seen<'a> {
    fn of(observed: &'a Observed) -> Self {
        let is_ours = |one: &&Container| (one.ours.is_some() || one.helper.is_some()) && !one.impostor;
        let ids = |container: &'a Container| container.id.as_str();
        let records = observed.adopted.values();
        let named = observed.images.values().flat_map(|image| &image.repo_digests);
        Self {
            containers: observed.containers.iter().map(ids).collect(),
            ours: observed.containers.iter().filter(is_ours).map(ids).collect(),
            recorded: records.map(|record| (record.volume.as_str(), record.container.as_str())).collect(),
            digests: observed.images.keys().filter_map(|asked| asked.digest.as_ref()).collect(),
            names: named.filter_map(|text| Some(ImageRef::parse(text).ok()?.to_string())).collect(),
        }
    }

    /// A record goes after its container, and nothing else that is called a volume.
    fn may_be_forgotten(&self, volume: &str, removed: &BTreeSet<&str>) -> bool {
        let container = self.recorded.get(volume);
        container.is_some_and(|id| removed.contains(id) || !self.containers.contains(id))
    }
}

/// Nothing of others is touched, nothing that exists without an expectation, nothing before it is there.
fn targets(step: &Step, seen: &BTreeMap<u32, &Step>, host: &Seen<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for action in std::iter::once(&step.action).chain(&step.undo) {
        match action.target() {
            Some(Target::Id(id)) if !host.ours.contains(id.as_str()) => {
                broken.push(format!("step {} ({action}) touches a container that is not ours", step.id));
            }
            Some(Target::CreatedBy(by)) => {
                let creates = seen
                    .get(by)
                    .is_some_and(|made| matches!(made.action, Action::Create(_)) && made.group == step.group);
                if !creates {
                    broken
                        .push(format!("step {} ({action}) acts on what step {by} does not create", step.id));
                }
            }
            _ => {}
        }
    }
    if let Some(Target::Id(wanted)) = step.action.target() {
        let said =
            step.expects.iter().any(|expect| matches!(expect, Expect::Container { id, .. } if id == wanted));
        if !said {
            broken.push(format!("step {} ({}) does not say what it expects", step.id, step.action));
        }
    }
    broken
}

fn created(
    step: &Step,
    create: &Create,
    host: &Seen<'_>,
    pulled: &BTreeSet<String>,
    receivers: &Receivers<'_>,
) -> Vec<String> {
    let id = step.id;
    let mut broken = Vec::new();
    for key in ["Env", "Image"] {
        if create.body.get(key).is_some() {
            broken.push(format!("the body of step {id} has the field {key}, which is filled in at the call"));
        }
    }
    let networks = create.body.pointer("/NetworkingConfig/EndpointsConfig").and_then(|map| map.as_object());
    if networks.is_some_and(|networks| networks.len() > 1) {
        broken.push(format!("the body of step {id} joins more than one network"));
    }
    if let Some(digest) = &create.digest {
        let wanted = create.on_host();
        let there = host.digests.contains(digest) || host.names.contains(&wanted);
        if !pulled.contains(&wanted) && !there {
            broken.push(format!("step {id} creates from {wanted}, which no step pulls"));
        }
    }
    for (name, text) in &create.env {
        for secret in text.secrets() {
            if !receivers.say(secret, &create.service, &format!("env {name}")) {
                broken.push(format!(
                    "env {name} of {} receives a secret, and the plan does not say so",
                    create.service
                ));
            }
        }
    }
    broken
}
