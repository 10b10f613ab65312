//! `pillarbox adopt --json`.

use super::{AdoptArgs, Compared, OnHost, Ran};
use crate::plan::FORMAT_VERSION;
use crate::session::Vault;
use serde_json::{Value, json};

/// One container as it is; several, or a project, in one object. `done` are the hosts on which they were recorded.
pub(super) fn of(args: &AdoptArgs, vault: &Vault<'_>, hosts: &[OnHost<'_, '_>], done: &[&str]) -> Value {
    let each = |host: &OnHost<'_, '_>| {
        let of_name = |name: &String| one(vault, host, name, done.contains(&host.name()));
        host.names.iter().map(of_name).collect::<Vec<_>>()
    };
    if let Some(project) = &args.compose {
        let of_host = |host: &OnHost<'_, '_>| {
            json!({
                "host": host.name(),
                "containers": each(host),
                "missing": host.project.as_ref().map(|project| &project.missing),
                "tasks": host.tasks.iter().map(task).collect::<Vec<_>>(),
                "files": host.files().unwrap_or_default(),
            })
        };
        return json!({
            "format_version": FORMAT_VERSION,
            "workspace": vault.name(),
            "project": project,
            "hosts": hosts.iter().map(of_host).collect::<Vec<_>>(),
        });
    }
    let all: Vec<Value> = hosts.iter().flat_map(each).collect();
    match all.as_slice() {
        [one] => one.clone(),
        _ => json!({
            "format_version": FORMAT_VERSION,
            "workspace": vault.name(),
            "host": hosts.first().map(OnHost::name),
            "containers": all,
        }),
    }
}

fn task(ran: &Ran) -> Value {
    json!({ "container": ran.container, "ran": ran.found.is_ok(), "why": ran.found.as_ref().err() })
}

/// The container of a name.
fn one(vault: &Vault<'_>, host: &OnHost<'_, '_>, name: &String, done: bool) -> Value {
    match host.compared.iter().find(|one| one.name() == name) {
        Some(one) => recorded(vault, host, one, done),
        None => managed(vault, host, name),
    }
}

fn managed(vault: &Vault<'_>, host: &OnHost<'_, '_>, name: &str) -> Value {
    let container = host.seen.observed.containers.iter().find(|container| container.name == name);
    json!({
        "format_version": FORMAT_VERSION,
        "workspace": vault.name(),
        "host": host.name(),
        "container": name,
        "id": container.map(|container| &container.id),
        "recorded": false,
    })
}

fn recorded(vault: &Vault<'_>, host: &OnHost<'_, '_>, one: &Compared<'_>, done: bool) -> Value {
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
        "host": host.name(),
        "container": candidate.container.name,
        "id": candidate.container.id,
        "recorded": done,
        "volume": adoption.record.volume,
        "agrees": adoption.agrees(),
        "fields": fields.collect::<Vec<_>>(),
        "managed_by": candidate.managed_by(),
        "then": after.changes,
    })
}
