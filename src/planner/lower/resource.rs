//! Steps that make and remove networks and volumes.

use super::steps::{Group, Steps};
use crate::desired::Kind;
use crate::observed::Network;
use crate::plan::{Action, Cause};
use crate::planner::decide::resource::{ResourceAction, ResourceDecision};
use serde_json::{Map, Value, json};

/// Adds its steps; answers the last one.
pub(super) fn lower(
    resource: &ResourceDecision<'_>,
    cause: &Cause,
    steps: &mut Steps,
    needs: Vec<u32>,
) -> Option<u32> {
    let word = match resource.action {
        ResourceAction::Keep(_) | ResourceAction::InUse(_) => return None,
        ResourceAction::Create(_) => "create",
        ResourceAction::Replace { .. } => "replace",
        ResourceAction::RemoveNetwork { .. } | ResourceAction::RemoveVolume(_) => "remove",
    };
    let mut group = Group::new(steps, format!("{word} {}", resource.address()), cause.clone(), needs);
    match &resource.action {
        ResourceAction::Keep(_) | ResourceAction::InUse(_) => {}
        ResourceAction::Create(body) => drop(group.push(create(resource, body), Vec::new())),
        ResourceAction::Replace { old, body, .. } => {
            let undo = again(old);
            group.push(removal(old), vec![undo.clone()]);
            group.push(create(resource, body), vec![undo]);
        }
        ResourceAction::RemoveNetwork { network, .. } => drop(group.push(removal(network), Vec::new())),
        ResourceAction::RemoveVolume(old) => {
            let (name, created_at) = (old.name.clone(), old.created_at);
            group.push(Action::RemoveVolume { name, created_at }, Vec::new());
        }
    }
    group.end()
}

fn create(resource: &ResourceDecision<'_>, body: &Value) -> Action {
    let (name, body) = (resource.name.to_owned(), body.clone());
    match resource.kind {
        Kind::Network => Action::CreateNetwork { name, body },
        _ => Action::CreateVolume { name, body },
    }
}

fn removal(network: &Network) -> Action {
    Action::RemoveNetwork { id: network.id.clone(), name: network.name.clone() }
}

/// Makes a network again as it was.
fn again(network: &Network) -> Action {
    let kept = ["Driver", "EnableIPv6", "Internal", "Attachable", "Scope", "Options", "Labels", "IPAM"];
    let found = |key: &&str| {
        let value = network.inspect.compare(&format!("/{key}")).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    };
    let mut body = Map::from_iter(kept.iter().filter_map(found));
    body.insert("Name".to_owned(), json!(network.name));
    body.insert("CheckDuplicate".to_owned(), json!(true));
    Action::CreateNetwork { name: network.name.clone(), body: Value::Object(body) }
}
