//! What can be seen from the steps alone.

use crate::name::ImageRef;
use crate::observed::Observed;
use crate::plan::{Action, Create, Expect, HostPlan, Step, Target};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(plan: &HostPlan, observed: &Observed) -> Vec<String> {
    let mut broken = Vec::new();
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
        broken.extend(targets(step, &seen, observed));
        if let Action::Create(create) = &step.action {
            broken.extend(created(plan, step, create, observed));
        }
        seen.insert(id, step);
    }
    broken
}

/// Nothing of others is touched, nothing that exists without an expectation, nothing before it is there.
fn targets(step: &Step, seen: &BTreeMap<u32, &Step>, observed: &Observed) -> Vec<String> {
    let mut broken = Vec::new();
    let ours = |id: &str| {
        let found = observed.containers.iter().find(|container| container.id == id);
        found.is_some_and(|container| container.ours.is_some() && !container.impostor)
    };
    for action in std::iter::once(&step.action).chain(&step.undo) {
        match action.target() {
            Some(Target::Id(id)) if !ours(id) => {
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

fn created(plan: &HostPlan, step: &Step, create: &Create, observed: &Observed) -> Vec<String> {
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
        let pulled = plan.steps.iter().any(|other| {
            matches!(&other.action, Action::Pull { image, .. } if image.to_string() == wanted)
                && other.id < id
        });
        let there = observed.images.iter().any(|(asked, image)| {
            let named = image.repo_digests.iter().filter_map(|text| ImageRef::parse(text).ok());
            asked.digest.as_ref() == Some(digest) || named.into_iter().any(|name| name.to_string() == wanted)
        });
        if !pulled && !there {
            broken.push(format!("step {id} creates from {wanted}, which nobody pulls"));
        }
    }
    for (name, text) in &create.env {
        for secret in text.secrets() {
            let told = plan.receivers.iter().any(|receiver| {
                receiver.secret == secret.origin.key.to_string()
                    && receiver.container == create.service
                    && receiver.field == format!("env {name}")
            });
            if !told {
                broken.push(format!("env {name} of {} receives a secret and nobody says so", create.service));
            }
        }
    }
    broken
}
