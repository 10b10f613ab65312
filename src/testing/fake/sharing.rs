//! Containers of the Engine in memory that share something of another one.

use super::container::Held;
use super::world::World;
use serde_json::{Value, json};

/// The namespaces that another container may share, in `HostConfig`.
const MODES: [&str; 3] = ["NetworkMode", "IpcMode", "PidMode"];

impl World {
    /// An Engine keeps the id of a container that was named (moby `daemon_unix.go`,
    /// `adaptSharedNamespaceContainer`), and a name that nobody has as it is.
    pub(super) fn with_ids(&self, mut body: Value) -> Value {
        for mode in MODES {
            let Some(name) =
                body["HostConfig"][mode].as_str().and_then(|mode| mode.strip_prefix("container:"))
            else {
                continue;
            };
            if let Ok(at) = self.find(name) {
                body["HostConfig"][mode] = json!(format!("container:{}", self.containers[at].id));
            }
        }
        body
    }

    /// Why it cannot be started, for want of what it shares.
    pub(super) fn lacks(&self, held: &Held) -> Option<String> {
        let host = &held.body["HostConfig"];
        let modes = MODES.iter().filter_map(|mode| host[*mode].as_str()?.strip_prefix("container:"));
        let links = host["Links"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let links = links.filter_map(|link| link.split(':').next());
        let mut needed = modes.chain(links);
        needed.find_map(|id| match self.find(id) {
            Err(_) => Some(format!("No such container: {id}")),
            Ok(at) if !self.run_state(&self.containers[at]).running => {
                Some(format!("cannot join network of a non running container: {id}"))
            }
            Ok(_) => None,
        })
    }
}
