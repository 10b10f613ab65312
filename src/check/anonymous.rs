//! Anonymous volumes, on which steps are carried out.

use crate::name::is_anonymous;
use crate::observed::{Container, InstanceRole, Observed};
use crate::plan::{Action, HostPlan, Target};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// No data goes that a container mounts, or that a running one of ours had.
pub(super) fn check(plan: &HostPlan, observed: &Observed) -> Vec<String> {
    let mut users: BTreeMap<String, BTreeSet<String>> = observed.anonymous.clone();
    let committed = |one: &&Container| one.ours.is_some() && one.role() == InstanceRole::Committed;
    let ran = observed.containers.iter().filter(|one| one.state.running).filter(committed);
    let in_use: BTreeSet<String> = ran.flat_map(Container::anonymous).map(|one| one.volume).collect();
    let mut broken = Vec::new();
    for step in &plan.steps {
        let mut wrong = |why: &str| broken.push(format!("step {} ({}) {why}", step.id, step.action));
        if step.undo.iter().any(|undo| matches!(undo, Action::RemoveAnonymousVolume { .. })) {
            wrong("would remove data in its rollback");
        }
        match &step.action {
            Action::Create(create) => {
                let mounts = create.body.pointer("/HostConfig/Mounts").and_then(Value::as_array);
                let sources = mounts.into_iter().flatten().filter_map(|mount| mount["Source"].as_str());
                for volume in sources.filter(|source| is_anonymous(source)) {
                    match users.get_mut(volume) {
                        Some(users) => drop(users.insert(format!("created by step {}", step.id))),
                        None => wrong("mounts an anonymous volume that no container had"),
                    }
                }
            }
            Action::Remove { container: Target::Id(id), .. }
            | Action::Discard { container: Target::Id(id), .. } => {
                for users in users.values_mut() {
                    users.remove(id);
                }
            }
            Action::RemoveAnonymousVolume { name, .. } => match users.remove(name) {
                _ if in_use.contains(name) => wrong("takes the data of what ran"),
                Some(users) if users.is_empty() => {}
                Some(_) => wrong("takes data that a container mounts"),
                None => wrong("removes a volume that is not there"),
            },
            _ => {}
        }
    }
    broken
}
