//! Networks and volumes of a host, on which steps are carried out.

use crate::desired::{Desired, DesiredState, Item, Kind};
use crate::observed::{Observed, User};
use crate::plan::{Action, Expect, HostPlan, Target};
use std::collections::{BTreeMap, BTreeSet};

/// A network or a volume.
struct ModelResource {
    ours: bool,
    users: BTreeMap<String, User>,
}

pub(super) fn check(
    plan: &HostPlan,
    desired: &Desired,
    observed: &Observed,
    goes_on: impl Fn(&Item) -> bool,
) -> Vec<String> {
    let held = |ours: bool, users: &[User]| {
        let users = users.iter().map(|user| (user.id.clone(), user.clone())).collect();
        ModelResource { ours, users }
    };
    let networks = observed.networks.iter();
    let mut networks: BTreeMap<String, ModelResource> =
        networks.map(|found| (found.name.clone(), held(found.ours.is_some(), &found.users))).collect();
    let volumes = observed.volumes.iter();
    let mut volumes: BTreeMap<String, ModelResource> =
        volumes.map(|found| (found.name.clone(), held(found.ours.is_some(), &found.users))).collect();
    let absent: BTreeSet<&str> = desired
        .items
        .iter()
        .filter_map(|item| match &item.want {
            DesiredState::VolumeAbsent { name } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let mut used: Used = BTreeMap::new();
    for (kind, all) in [(Kind::Network, &networks), (Kind::Volume, &volumes)] {
        for (name, held) in all {
            for id in held.users.keys() {
                used.entry(id.clone()).or_default().push((kind, name.clone()));
            }
        }
    }
    let mut broken = Vec::new();
    for step in &plan.steps {
        let mut wrong = |why: &str| broken.push(format!("step {} ({}) {why}", step.id, step.action));
        let says = match &step.action {
            Action::RemoveNetwork { id, .. } => step
                .expects
                .iter()
                .any(|expect| matches!(expect, Expect::Network { id: seen, .. } if seen == id)),
            Action::RemoveVolume { name, .. } => step
                .expects
                .iter()
                .any(|expect| matches!(expect, Expect::Volume { name: seen, .. } if seen == name)),
            _ => true,
        };
        if !says {
            wrong("does not say what it expects");
        }
        if step.undo.iter().any(|undo| matches!(undo, Action::RemoveVolume { .. })) {
            wrong("would remove a volume in its rollback");
        }
        match &step.action {
            Action::CreateNetwork { name, .. } => {
                if networks.insert(name.clone(), held(true, &[])).is_some() {
                    wrong("makes a network that is there");
                }
            }
            Action::CreateVolume { name, .. } => {
                if volumes.insert(name.clone(), held(true, &[])).is_some() {
                    wrong("makes a volume that is there");
                }
            }
            Action::RemoveNetwork { name, .. } => match networks.remove(name) {
                Some(held) if !held.ours => wrong("touches a network that is not ours"),
                Some(held) if held.users.values().any(|user| user.running) => {
                    wrong("cuts connections of what runs");
                }
                Some(_) => {}
                None => wrong("removes a network that is not there"),
            },
            Action::RemoveVolume { name, .. } => match volumes.remove(name) {
                _ if !absent.contains(name.as_str()) => wrong("takes data that no state declares absent"),
                Some(held) if !held.ours => wrong("touches a volume that is not ours"),
                Some(held) if !held.users.is_empty() => wrong("takes a volume that is in use"),
                Some(_) => {}
                None => wrong("removes a volume that is not there"),
            },
            action => follow(action, &used, &mut networks, &mut volumes),
        }
    }
    for item in desired.items.iter().filter(|item| goes_on(item)) {
        let (there, wanted, what) = match &item.want {
            DesiredState::Network(want) => (networks.contains_key(&want.name), true, &item.address),
            DesiredState::Volume(want) => (volumes.contains_key(&want.name), true, &item.address),
            DesiredState::NetworkAbsent { name } => {
                (networks.get(name).is_some_and(|held| held.ours), false, &item.address)
            }
            DesiredState::VolumeAbsent { name } => {
                (volumes.get(name).is_some_and(|held| held.ours), false, &item.address)
            }
            _ => continue,
        };
        if there != wanted {
            broken.push(format!("in the end {what} is {}there", if there { "" } else { "not " }));
        }
    }
    broken
}

/// What each container uses in the beginning, by its id: nothing is added to that.
type Used = BTreeMap<String, Vec<(Kind, String)>>;

/// What becomes of the users.
fn follow(
    action: &Action,
    used: &Used,
    networks: &mut BTreeMap<String, ModelResource>,
    volumes: &mut BTreeMap<String, ModelResource>,
) {
    let Some(Target::Id(id)) = action.target() else { return };
    if let Action::Disconnect { network, .. } = action {
        if let Some(held) = networks.get_mut(network) {
            held.users.remove(id);
        }
        return;
    }
    for (kind, name) in used.get(id).into_iter().flatten() {
        let all = if *kind == Kind::Network { &mut *networks } else { &mut *volumes };
        let Some(held) = all.get_mut(name) else { continue };
        match action {
            Action::Remove { .. } | Action::Discard { .. } => drop(held.users.remove(id)),
            Action::Start { .. } | Action::Stop { .. } => {
                if let Some(user) = held.users.get_mut(id) {
                    user.running = matches!(action, Action::Start { .. });
                }
            }
            _ => {}
        }
    }
}
