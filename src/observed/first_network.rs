//! The network that a container was created in. It is its network mode, which nothing changes: an Engine from
//! 28 on starts the container no more once that network is gone, not even after a crash ("could not find a
//! network matching network mode"), whatever networks it has joined since.

use super::Container;
use serde_json::Value;

impl Container {
    /// Its name, or its id where no network of that id is joined; `None` for what every Engine has, and
    /// for the network of another container.
    pub fn first_network(&self) -> Option<&str> {
        let mode = self.inspect.compare("/HostConfig/NetworkMode").and_then(Value::as_str)?;
        if !is_user_defined(mode) {
            return None;
        }
        let joined = self.inspect.compare("/NetworkSettings/Networks").and_then(Value::as_object);
        let mut joined = joined.into_iter().flatten();
        let by_id = joined.find(|(_, endpoint)| endpoint["NetworkID"] == mode);
        Some(by_id.map_or(mode, |(name, _)| name))
    }
}

/// Whether a network mode names a network that a user made.
pub(crate) fn is_user_defined(mode: &str) -> bool {
    !matches!(mode, "" | "default" | "bridge" | "host" | "none")
        && !mode.starts_with("container:")
        && !mode.starts_with("ns:")
}
