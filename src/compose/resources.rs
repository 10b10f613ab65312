//! Networks and volumes of a project that its services use, as declarations.

use super::project::{Project, Reading, is_external};
use super::value::{arg, of, table, truth, wants};
use super::yaml::Entry;
use crate::problem::{Place, Problem, escaped};
use crate::state::{Arg, ArgValue, Declaration, Function, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Those that are to be there; what is external is made by others.
pub(super) fn declarations(project: &Project, place: &Place, reading: &mut Reading) -> Vec<Declaration> {
    let mut found = Vec::new();
    for key in reading.used_networks.clone() {
        let entry = project.network_entry(&key);
        let name = project.network(&key).unwrap_or_default();
        found.extend(declaration(project, "networks", &key, &name, entry, place, reading));
    }
    for key in reading.used_volumes.clone() {
        let entry = project.volume_entry(&key);
        let name = project.volume(&key).unwrap_or_default();
        found.extend(declaration(project, "volumes", &key, &name, entry, place, reading));
    }
    // What no service uses is not made, and is still wrong.
    for (kind, entry) in project.resources() {
        let used = if kind == "networks" { &reading.used_networks } else { &reading.used_volumes };
        if !used.contains(&entry.key) {
            declaration(project, kind, &entry.key, &entry.key, Some(entry), place, reading);
        }
    }
    found
}

fn declaration(
    project: &Project,
    kind: &str,
    key: &str,
    name: &str,
    entry: Option<&Entry>,
    place: &Place,
    reading: &mut Reading,
) -> Option<Declaration> {
    let place = entry.map_or(place, |entry| &entry.place).clone();
    if entry.is_some_and(|entry| is_external(&entry.node)) {
        return None;
    }
    let mut args = BTreeMap::new();
    args.insert(
        "name".to_owned(),
        Arg { value: ArgValue::Text(Text::clear(name)), place: place.clone(), read: Vec::new() },
    );
    let node = entry.map(|entry| &entry.node).filter(|node| !node.is_null());
    if let Some(node) = node {
        let Some(map) = node.map() else {
            reading.problems.push(wants(key, "a mapping", node));
            return None;
        };
        for entry in map.iter().filter(|entry| !entry.key.starts_with("x-") && !entry.node.is_null()) {
            match of_key(kind, entry, reading) {
                Ok(Some((name, value))) => drop(args.insert(name, value)),
                Ok(None) => {}
                Err(problem) => reading.problems.push(problem),
            }
        }
    }
    let function = if kind == "networks" { Function::NetworkPresent } else { Function::VolumePresent };
    let id = format!("{}.{kind}.{key}", project.name);
    Some(Declaration { id, function, args, place, unread: BTreeSet::new() })
}

fn of_key(kind: &str, entry: &Entry, reading: &mut Reading) -> Result<Option<(String, Arg)>, Problem> {
    let (key, node) = (entry.key.as_str(), &entry.node);
    let truths = |key: &str| Ok(Some((key.to_owned(), of(node, ArgValue::Boolean(truth(key, node)?)))));
    match (kind, key) {
        (_, "name" | "external") => Ok(None),
        (_, "driver") => Ok(Some((key.to_owned(), arg(node)))),
        (_, "labels" | "driver_opts") => {
            Ok(Some((key.to_owned(), of(node, ArgValue::Table(table(key, node, '=', &mut reading.notes)?)))))
        }
        ("networks", "internal" | "attachable" | "enable_ipv6") => truths(key),
        ("networks", "ipam") => Ok(Some((key.to_owned(), arg(node)))),
        ("networks", "enable_ipv4") if truth(key, node)? => Ok(None),
        _ => Err(Problem::failed(format!("`{}` of {kind} cannot be done", escaped(key))).at(&entry.place)),
    }
}
