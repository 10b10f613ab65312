//! Other containers that a container shares something of. It has to be recreated with each of them: a namespace,
//! volumes and links belong to one container, not to a name.

use super::Spec;
use super::option::{SHARED, endpoints};
use crate::desired::compare;

/// A container that another one shares something of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Its plain name.
    pub name: String,
    /// The option that names it: `network_mode`, `ipc`, `pid`, `volumes_from`, `links`; `networks` for a link
    /// within one, which is looked up by name each time.
    pub option: &'static str,
}

impl Share {
    /// Whether it is a namespace, which ends when the other container stops.
    pub fn is_namespace(&self) -> bool {
        matches!(self.option, "network_mode" | "ipc" | "pid")
    }

    /// Whether it outlives the other container: a name that is looked up each time.
    pub fn is_by_name(&self) -> bool {
        self.option == "networks"
    }

    /// What is shared, for display.
    pub fn what(&self) -> &'static str {
        match self.option {
            "network_mode" => "the network",
            "ipc" => "the memory (ipc)",
            "pid" => "the processes (pid)",
            "volumes_from" => "the volumes",
            _ => "the link",
        }
    }
}

impl Spec {
    /// All containers that this one shares something of, sorted.
    pub fn shares(&self) -> Vec<Share> {
        let mut found = Vec::new();
        for option in ["network_mode", "ipc", "pid"] {
            let mode = self.fixed.get(option).and_then(|mode| mode.as_str()).unwrap_or_default();
            if let Some(name) = mode.strip_prefix(SHARED) {
                found.push(Share { name: name.to_owned(), option });
            }
        }
        let mut named = |option: &'static str, list: Option<&serde_json::Value>| {
            found.extend(compare::texts(list).map(|line| {
                let name = line.split(':').next().unwrap_or_default().to_owned();
                Share { name, option }
            }));
        };
        named("volumes_from", self.fixed.get("volumes_from"));
        named("links", self.fixed.get("links"));
        for endpoint in self.live.get("networks").map(endpoints).unwrap_or_default().values() {
            named("networks", endpoint.get("Links"));
        }
        found.sort();
        found.dedup();
        found
    }
}
