//! Anonymous volumes: those that an Engine made for a container and named itself.

use super::{Container, Inspect};
use crate::name::is_anonymous;
use serde_json::Value;
use std::collections::BTreeSet;

/// An anonymous volume as a container mounts it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anonymous {
    /// Its name: 64 hexadecimal digits.
    pub volume: String,
    /// Where it is mounted.
    pub path: String,
    /// Whether the container may write to it.
    pub writable: bool,
}

impl Container {
    /// The anonymous volumes that it mounts, also those that are another's (`volumes_from`).
    pub fn anonymous(&self) -> Vec<Anonymous> {
        let mounts = self.inspect.compare("/Mounts").and_then(Value::as_array);
        let text = |mount: &Value, field: &str| mount[field].as_str().unwrap_or_default().to_owned();
        let each = mounts.into_iter().flatten().filter(|mount| mount["Type"] == "volume");
        let each = each.map(|mount| Anonymous {
            volume: text(mount, "Name"),
            path: trimmed(&text(mount, "Destination")).to_owned(),
            writable: mount["RW"] != false,
        });
        let found: BTreeSet<Anonymous> = each.filter(|one| is_anonymous(&one.volume)).collect();
        found.into_iter().collect()
    }

    /// The containers of which it has all volumes, as they were called when it was made.
    pub fn volumes_from(&self) -> impl Iterator<Item = &str> {
        texts(&self.inspect, "/HostConfig/VolumesFrom").map(|from| from.split(':').next().unwrap_or(from))
    }
}

/// A path without the `/` at its end.
fn trimmed(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { path } else { trimmed }
}

fn texts<'a>(inspect: &'a Inspect, pointer: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let list = inspect.compare(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}
