//! Which version of the API an option needs. An Engine that speaks an older one silently ignores the
//! option (moby `api/docs/CHANGELOG.md`, "now supports"), so it is refused before anything is done.

use super::endpoints;
use crate::desired::Spec;
use serde_json::Value;

/// A version of the Engine's API.
type Version = (u16, u16);

/// An option that not every Engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    /// The field as it is written, `healthcheck.start_interval`.
    pub(crate) field: String,
    /// The version that added it.
    pub(crate) api: Version,
}

/// The newest that pillarbox speaks.
pub(crate) const NEWEST: Version = (1, 51);

/// Option, field within it (of each entry, where it is a table of them), version.
const SINCE: [(&str, &str, Version); 9] = [
    ("annotations", "", (1, 43)),
    ("healthcheck", "start_interval", (1, 44)),
    ("mounts", "create_mountpoint", (1, 42)),
    ("mounts", "options", (1, 46)),
    ("mounts", "read_only_force_recursive", (1, 44)),
    ("mounts", "read_only_non_recursive", (1, 44)),
    ("mounts", "subpath", (1, 45)),
    ("networks", "GwPriority", (1, 48)),
    ("mounts", "type", (1, 48)),
];

/// What of a spec needs more than the oldest API that is spoken.
pub(crate) fn needed(spec: &Spec) -> Vec<Needed> {
    let mut found = Vec::new();
    for (option, field, api) in SINCE {
        let Some(value) = spec.fixed.get(option).or_else(|| spec.live.get(option)) else { continue };
        let mut add = |field: String| found.push(Needed { field, api });
        match (option, field) {
            (_, "") => add(option.to_owned()),
            ("mounts", "type") => {
                let images = entries(value).filter(|(_, mount)| mount["type"] == "image");
                images.for_each(|_| add("mounts of type image".to_owned()));
            }
            ("networks", _) => {
                let with = entries(value).filter(|(_, endpoint)| endpoint.get(field).is_some());
                with.for_each(|(name, _)| add(format!("networks.{name}.gw_priority")));
            }
            ("mounts", _) if entries(value).any(|(_, mount)| mount.get(field).is_some()) => {
                add(format!("mounts.{field}"));
            }
            _ if value.get(field).is_some() => add(format!("{option}.{field}")),
            _ => {}
        }
    }
    found.extend(addresses(spec));
    found.sort_by(|a, b| a.field.cmp(&b.field));
    found.dedup();
    found
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The first network is joined at creation, where the hardware address is read; before API 1.54 the call
/// that joins the others ignores it.
fn addresses(spec: &Spec) -> impl Iterator<Item = Needed> {
    let further = spec.live.get("networks").map(endpoints).unwrap_or_default().into_iter().skip(1);
    let with = further.filter(|(_, endpoint)| endpoint.get("MacAddress").is_some());
    with.map(|(name, _)| Needed { field: format!("networks.{name}.mac_address"), api: (1, 54) })
}
