//! Networks of a container: joined under its plain name, compared where they are declared.

use crate::desired::Spec;
use crate::observed::{Container, is_user_defined};
use crate::plan::{Action, Target};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The spec with the plain name, and that of its service, among the aliases in every network: a container
/// under a temporary name is found by them.
pub(super) fn named(spec: &Spec, names: [&str; 2]) -> Spec {
    let mut spec = spec.clone();
    let networks = spec.live.get_mut("networks").and_then(Value::as_object_mut);
    for (_, endpoint) in networks.into_iter().flatten().filter(|(network, _)| is_user_defined(network)) {
        if !endpoint.is_object() {
            *endpoint = Value::Object(Map::new());
        }
        let listed = endpoint.get("Aliases").and_then(Value::as_array).into_iter().flatten();
        let mut aliases: BTreeSet<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        aliases.extend(names.map(str::to_owned));
        endpoint["Aliases"] = aliases.into_iter().collect();
    }
    spec
}

/// The networks that a container is in, as the Engine says.
fn observed(container: &Container) -> BTreeMap<String, Value> {
    let map = container.inspect.compare("/NetworkSettings/Networks").and_then(Value::as_object);
    map.into_iter().flatten().map(|(name, endpoint)| (name.clone(), endpoint.clone())).collect()
}

/// What of an endpoint a container is joined with again; the rest is the Engine's.
fn literal(endpoint: &Value) -> Value {
    let kept = ["Aliases", "IPAMConfig", "Links", "DriverOpts"];
    let map = endpoint.as_object().into_iter().flatten();
    let kept = map.filter(|(key, value)| kept.contains(&key.as_str()) && !value.is_null());
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Brings these networks of an existing container in line: each action with what takes it back.
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

/// The networks of a container that was made from another declaration, as an option declares them: its own,
/// and those that are declared today. Cut off between leaving a network and joining it again it is in none,
/// and who asks for the service today asks in today's.
pub(super) fn of_both(container: &Container, spec: &Spec) -> Value {
    let own = observed(container);
    let mut both: Map<String, Value> =
        own.iter().map(|(name, endpoint)| (name.clone(), literal(endpoint))).collect();
    let mode =
        container.inspect.compare("/HostConfig/NetworkMode").and_then(Value::as_str).unwrap_or_default();
    let alone = |network: &str| matches!(network, "host" | "none") || network.starts_with("container:");
    if alone(mode) || own.keys().any(|network| alone(network)) {
        return Value::Object(both);
    }
    let first = container.first_network().map(|name| (name.to_owned(), Value::Object(Map::new())));
    let declared = spec.networks().into_iter().filter(|(network, _)| is_user_defined(network));
    for (network, endpoint) in declared.chain(first) {
        both.entry(network).or_insert(endpoint);
    }
    Value::Object(both)
}

/// Leaves and joins all networks of a stopped container again, with the endpoints that it has: the
/// network may have been pruned and made anew while it did not run, and then a start fails
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
    let found = observed(container);
    let leave = found.keys().map(|network| disconnect(container, network));
    let join = wanted.iter().map(|(network, endpoint)| connect(container, network, endpoint.clone()));
    let fixed = wanted.keys().all(|network| !is_user_defined(network)) && wanted.keys().eq(found.keys());
    if fixed { Vec::new() } else { leave.chain(join).collect() }
}

/// Whether a hardware address is declared in a network. It is given at creation alone (before API 1.54 the
/// call that joins a network does not read it), and a start leaves and joins all networks again; so such a
/// container is made anew instead.
pub(super) fn has_address(spec: &Spec) -> bool {
    spec.networks().values().any(|endpoint| endpoint.get("MacAddress").is_some())
}

/// The same action on a container that is called otherwise by now.
pub(super) fn called(mut action: Action, by_now: &str) -> Action {
    if let Action::Connect { name, .. } | Action::Disconnect { name, .. } = &mut action {
        by_now.clone_into(name);
    }
    action
}

/// Whether a container is found by a name in any network.
pub(super) fn has_any(spec: &Spec) -> bool {
    spec.networks().keys().any(|network| is_user_defined(network))
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
