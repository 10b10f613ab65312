//! `pillarbox adopt --json`.

use super::Compared;
use crate::plan::FORMAT_VERSION;
use crate::session::{Observation, Vault};
use serde_json::{Value, json};

/// An object for each container, in the order in which they were named.
pub(super) fn all(
    vault: &Vault<'_>,
    seen: &Observation<'_>,
    names: &[String],
    compared: &[Compared<'_>],
) -> Vec<Value> {
    let one = |name: &String| match compared.iter().find(|one| one.candidate.container.name == *name) {
        Some(one) => recorded(vault, seen, one),
        None => managed(vault, seen, name),
    };
    names.iter().map(one).collect()
}

/// Several of them in one object.
pub(super) fn together(vault: &Vault<'_>, seen: &Observation<'_>, all: &[Value]) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "workspace": vault.name(),
        "host": seen.observed.host,
        "containers": all,
    })
}

fn managed(vault: &Vault<'_>, seen: &Observation<'_>, name: &str) -> Value {
    let container = seen.observed.containers.iter().find(|container| container.name == name);
    json!({
        "format_version": FORMAT_VERSION,
        "workspace": vault.name(),
        "host": seen.observed.host,
        "container": name,
        "id": container.map(|container| &container.id),
        "recorded": false,
    })
}

fn recorded(vault: &Vault<'_>, seen: &Observation<'_>, one: &Compared<'_>) -> Value {
    let Compared { candidate, adoption, after } = one;
    let fields = adoption.fields.iter().map(|field| {
        json!({
            "field": field.name,
            "declared": field.declared,
            "at": field.place.as_ref().map(ToString::to_string),
            "agrees": field.agrees,
        })
    });
    json!({
        "format_version": FORMAT_VERSION,
        "workspace": vault.name(),
        "host": seen.observed.host,
        "container": candidate.container.name,
        "id": candidate.container.id,
        "recorded": true,
        "volume": adoption.record.volume,
        "agrees": adoption.agrees(),
        "fields": fields.collect::<Vec<_>>(),
        "managed_by": candidate.managed_by(),
        "then": after.changes,
    })
}
