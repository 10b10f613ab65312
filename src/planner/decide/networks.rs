//! Networks of a container: joined under its plain name, compared where they are declared.

use crate::desired::Spec;
use crate::observed::{Container, is_user_defined};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The spec with the plain name, and that of its service, among the aliases in every network: a container
/// under a temporary name is found by them.
pub(in crate::planner) fn named(spec: &Spec, names: [&str; 2]) -> Spec {
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
pub(in crate::planner) fn observed(container: &Container) -> BTreeMap<String, Value> {
    let map = container.inspect.compare("/NetworkSettings/Networks").and_then(Value::as_object);
    map.into_iter().flatten().map(|(name, endpoint)| (name.clone(), endpoint.clone())).collect()
}

/// What of an endpoint a container is joined with again; the rest is the Engine's.
pub(in crate::planner) fn literal(endpoint: &Value) -> Value {
    let kept = ["Aliases", "IPAMConfig", "Links", "DriverOpts"];
    let map = endpoint.as_object().into_iter().flatten();
    let kept = map.filter(|(key, value)| kept.contains(&key.as_str()) && !value.is_null());
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The networks of a container that was made from another declaration, as an option declares them: its own,
/// and those that are declared today. Cut off between leaving a network and joining it again it is in none,
/// and who asks for the service today asks in today's.
pub(in crate::planner) fn of_both(container: &Container, spec: &Spec) -> Value {
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

/// Whether a hardware address is declared in a network. It is given at creation alone (before API 1.54 the
/// call that joins a network does not read it), and a start leaves and joins all networks again; so such a
/// container is made anew instead.
pub(in crate::planner) fn has_address(spec: &Spec) -> bool {
    spec.networks().values().any(|endpoint| endpoint.get("MacAddress").is_some())
}

/// Whether a container is found by a name in any network.
pub(in crate::planner) fn has_any(spec: &Spec) -> bool {
    spec.networks().keys().any(|network| is_user_defined(network))
}

/// Whether a stopped container leaves none of its networks before it is started: it is in what every Engine
/// has, as declared.
pub(in crate::planner) fn stays_in_all(spec: &Spec, container: &Container) -> bool {
    let (wanted, found) = (spec.networks(), observed(container));
    wanted.keys().all(|network| !is_user_defined(network)) && wanted.keys().eq(found.keys())
}
