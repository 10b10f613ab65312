//! Networks and volumes of the Engine in memory.

use super::world::{World, printed, refused};
use crate::engine::{EngineResult, ErrorKind, Network};
use crate::observed::Inspect;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A network.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) id: String,
    created: String,
    body: Value,
}

pub(super) fn labels(value: &Value) -> BTreeMap<String, String> {
    let labels = value.as_object().into_iter().flatten();
    labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

impl World {
    /// Adds a network that nobody refuses.
    pub(super) fn put_network(&mut self, name: &str, body: Value) {
        let held = Held { id: format!("{:064x}", self.fresh()), created: printed(self.now()), body };
        self.networks.insert(name.to_owned(), held);
    }

    pub(super) fn create_network(&mut self, body: &Value) -> EngineResult<()> {
        let name = body["Name"].as_str().unwrap_or_default().to_owned();
        if self.networks.contains_key(&name) {
            return refused(ErrorKind::Conflict, 409, format!("network with name {name} already exists"));
        }
        self.put_network(&name, body.clone());
        Ok(())
    }

    pub(super) fn remove_network(&mut self, id: &str) -> EngineResult<()> {
        let named = self.networks.iter().find(|(name, held)| *name == id || held.id == id);
        let Some(name) = named.map(|(name, _)| name.clone()) else {
            return refused(ErrorKind::NotFound, 404, format!("network {id} not found"));
        };
        if self.containers.iter().any(|held| held.is_in(&name) && self.run_state(held).running) {
            let message = format!("error while removing network: network {name} has active endpoints");
            return refused(ErrorKind::Conflict, 403, message);
        }
        self.networks.remove(&name);
        Ok(())
    }

    pub(super) fn seen_networks(&self) -> Vec<Network> {
        self.networks.iter().map(|(name, held)| seen(name, held)).collect()
    }

    pub(super) fn seen_network(&self, id: &str) -> Option<Network> {
        let found = self.networks.iter().find(|(name, held)| *name == id || held.id == id);
        found.map(|(name, held)| seen(name, held))
    }
}

fn seen(name: &str, held: &Held) -> Network {
    let body = &held.body;
    Network {
        id: held.id.clone(),
        name: name.to_owned(),
        labels: labels(&body["Labels"]),
        created_at: held.created.clone(),
        inspect: Inspect::new(json!({
            "Name": name, "Id": held.id, "Driver": body["Driver"].as_str().unwrap_or("bridge"),
            "Scope": body["Scope"].as_str().unwrap_or("local"), "EnableIPv6": body["EnableIPv6"] == true,
            "Internal": body["Internal"] == true, "Attachable": body["Attachable"] == true,
            "Options": body["Options"], "Labels": body["Labels"], "IPAM": body["IPAM"],
        })),
    }
}
