//! What a removed reader could read: it must be rotated where it is valid.

use crate::cli::Context;
use crate::name::KeyPath;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::{Node, Origin};
use crate::problem::escaped;
use crate::session::Vault;

/// A secret that a removed reader could read.
#[derive(Clone)]
pub(super) struct Exposed {
    place: String,
    /// `registry ghcr.io, user deploy`.
    registry: Option<String>,
}

impl Exposed {
    pub(super) fn of(vault: &Vault<'_>, origin: &Origin) -> Self {
        let registry = match origin.key.parts() {
            [top, host, _] if top == "registries" => {
                let user = KeyPath::from_parts(vec![top.clone(), host.clone(), "username".to_owned()])
                    .and_then(|key| vault.document(&origin.file)?.get(&key).and_then(Node::as_str));
                Some(match user {
                    Some(user) => format!("registry {}, user {}", escaped(host), escaped(user)),
                    None => format!("registry {}", escaped(host)),
                })
            }
            _ => None,
        };
        Self { place: escaped(&origin.to_string()), registry }
    }
}

/// Lists them under a heading, with what to do.
pub(super) fn say(ctx: &Context, heading: &str, all: &[Exposed]) {
    if all.is_empty() {
        return;
    }
    // Also with `-q`: this list cannot be made again.
    ctx.out.warn(format_args!(
        "{heading}, also in older commits; change these where they are valid, then seal the new ones:"
    ));
    for Exposed { place, registry } in all {
        let registry = registry.as_ref().map(|text| format!("  ({text})")).unwrap_or_default();
        ctx.out.stderr(format_args!("  {place}{registry}\n"));
    }
}

/// What was done, as data: boxes with a new slot, what has to be rotated, what was posted to an old slot.
pub(super) fn json(boxes: &[BoxFolder], exposed: &[Exposed], late: &[Exposed]) -> serde_json::Value {
    let one =
        |Exposed { place, registry }: &Exposed| serde_json::json!({ "place": place, "registry": registry });
    serde_json::json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "new_slots": boxes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rotate": exposed.iter().map(one).collect::<Vec<_>>(),
        "posted_to_old_slots": late.iter().map(one).collect::<Vec<_>>(),
    })
}
