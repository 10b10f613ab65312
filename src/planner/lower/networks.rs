//! Leaving and joining networks.

use crate::desired::Spec;
use crate::observed::{Container, is_user_defined};
use crate::plan::{Action, Target};
use crate::planner::decide::networks::{literal, observed, stays_in_all};
use serde_json::Value;

/// Brings these networks of an existing container in line: each action with its rollback.
pub(super) fn changes(spec: &Spec, container: &Container, names: &[String]) -> Vec<(Action, Vec<Action>)> {
    let (wanted, found) = (spec.networks(), observed(container));
    let mut steps = Vec::new();
    for network in names {
        let back = found.get(network).map(|endpoint| connect(container, network, literal(endpoint)));
        if found.contains_key(network) {
            steps.push((disconnect(container, network), Vec::from_iter(back.clone())));
        }
        if let Some(endpoint) = wanted.get(network) {
            let join = connect(container, network, endpoint.clone());
            steps.push((join, Vec::from_iter(back)));
        }
    }
    // What is joined first is never without a network in between.
    steps.sort_by_key(|(action, _)| match action {
        Action::Connect { network, .. } => u8::from(found.contains_key(network)),
        Action::Disconnect { network, .. } if wanted.contains_key(network) => 1,
        _ => 2,
    });
    steps
}

/// Leaves and joins all networks of a stopped container again, with the endpoints that it has: the
/// network may have been pruned and recreated while it did not run, and then a start fails
/// ("network … not found") until it has joined again.
pub(super) fn rejoin(container: &Container) -> Vec<Action> {
    let found = observed(container);
    let named = found.iter().filter(|(network, _)| is_user_defined(network));
    named
        .flat_map(|(network, endpoint)| {
            [disconnect(container, network), connect(container, network, literal(endpoint))]
        })
        .collect()
}

/// The same with the declared endpoints.
pub(super) fn rejoin_declared(spec: &Spec, container: &Container) -> Vec<Action> {
    let wanted = spec.networks();
    if wanted.is_empty() {
        return rejoin(container);
    }
    if stays_in_all(spec, container) {
        return Vec::new();
    }
    let found = observed(container);
    let leave = found.keys().map(|network| disconnect(container, network));
    let join = wanted.iter().map(|(network, endpoint)| connect(container, network, endpoint.clone()));
    leave.chain(join).collect()
}

/// Leaves the networks that a user made.
pub(super) fn leave(container: &Container) -> Vec<Action> {
    let found = observed(container).into_keys().filter(|network| is_user_defined(network));
    found.map(|network| disconnect(container, &network)).collect()
}

/// The same action on a container that is called otherwise by now.
pub(super) fn called(mut action: Action, by_now: &str) -> Action {
    if let Action::Connect { name, .. } | Action::Disconnect { name, .. } = &mut action {
        by_now.clone_into(name);
    }
    action
}

/// Leaves and joins the declared networks of a container that the plan creates, now under its names.
pub(super) fn named_anew(spec: &Spec, container: &Target, name: &str) -> Vec<Action> {
    let networks = spec.networks().into_iter().filter(|(network, _)| is_user_defined(network));
    networks
        .flat_map(|(network, endpoint)| {
            let (container, name) = (container.clone(), name.to_owned());
            let leave = Action::Disconnect {
                container: container.clone(),
                name: name.clone(),
                network: network.clone(),
                force: true,
            };
            [leave, Action::Connect { container, name, network, endpoint }]
        })
        .collect()
}

fn connect(container: &Container, network: &str, endpoint: Value) -> Action {
    Action::Connect {
        container: Target::Id(container.id.clone()),
        name: container.name.clone(),
        network: network.to_owned(),
        endpoint,
    }
}

fn disconnect(container: &Container, network: &str) -> Action {
    Action::Disconnect {
        container: Target::Id(container.id.clone()),
        name: container.name.clone(),
        network: network.to_owned(),
        force: true,
    }
}
