//! What a change says, whatever it is shown on: its symbol, and its fields before and after.

use crate::cli::output::words;
use crate::plan::{Cause, Change, Verb};
use crate::problem::escaped;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a person sees in the causes already, or does not decide on: shown with `-v`.
const BOOKKEEPING: [&str; 4] = ["generation", "running", "status", "version"];

/// The ports that a container opens: a line each, always shown.
const PUBLISHES: &str = "publishes";

/// The fields that differ: name, old value if it is known, new value; of what is created its image.
/// With `all` every field. Values are escaped, names are not.
pub(in crate::cli::output) fn differences(change: &Change, all: bool) -> Vec<(&str, Option<String>, String)> {
    let before = change.before.iter().flatten();
    let before: BTreeMap<&str, &Value> = before.map(|(field, value)| (field.as_str(), value)).collect();
    let named = named_fields(change);
    let shown = |field: &str| all || !BOOKKEEPING.contains(&field);
    let mut found = Vec::new();
    for (field, new) in change.after.iter().flatten().filter(|(field, _)| shown(field)) {
        if let (PUBLISHES, Value::Array(lines)) = (field.as_str(), new) {
            found.extend(lines.iter().map(|line| (field.as_str(), None, plain(field, line))));
            continue;
        }
        let new_text = plain(field, new);
        match before.get(field.as_str()) {
            Some(old) if *old == new => {}
            Some(old) => found.push((field.as_str(), Some(plain(field, old)), new_text)),
            None if all || field == "image" || named.contains(field.as_str()) => {
                found.push((field.as_str(), None, new_text));
            }
            None => {}
        }
    }
    if let Some(after) = &change.after {
        let gone = before
            .into_iter()
            .filter(|(field, _)| !after.contains_key(*field) && !BOOKKEEPING.contains(field));
        found.extend(gone.map(|(field, old)| (field, Some(plain(field, old)), "not set".to_owned())));
    }
    found
}

/// Whether nothing becomes of it.
pub(in crate::cli::output) fn is_unchanged(change: &Change) -> bool {
    change.actions.iter().all(|verb| *verb == Verb::Unchanged)
}

/// The verb that counts: the first that is not `=`.
pub(in crate::cli::output) fn main_verb(change: &Change) -> Verb {
    change.actions.iter().copied().find(|verb| *verb != Verb::Unchanged).unwrap_or(Verb::Unchanged)
}

/// The symbols of its verbs.
pub(in crate::cli::output) fn symbol(change: &Change) -> String {
    let symbols: Vec<&str> = change.actions.iter().map(|verb| verb.symbol()).collect();
    if symbols.is_empty() { Verb::Unchanged.symbol().to_owned() } else { symbols.join(" ") }
}

/// Fields that a cause names: worth showing even where the old value is not known.
fn named_fields(change: &Change) -> BTreeSet<&str> {
    change
        .cause
        .iter()
        .flat_map(|cause| match cause {
            Cause::Fields(fields) => fields.iter().map(|(field, _)| field.as_str()).collect(),
            Cause::Drift(fields) => fields.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// A value on one line: texts bare, digests short, memory in the units that people write.
pub(in crate::cli::output) fn plain(field: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => escaped(&words::without_digest(text)),
        Value::Number(number) if field.starts_with("memory") => match number.as_u64() {
            Some(bytes) => indicatif::BinaryBytes(bytes).to_string(),
            None => number.to_string(),
        },
        Value::Object(ports) if field == "ports" => escaped(&ports_in_words(ports)),
        Value::Object(networks) if field == "networks" && networks.values().all(|one| *one == json!({})) => {
            networks.keys().map(|name| escaped(name)).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(|item| plain(field, item)).collect::<Vec<_>>().join(", ")
        }
        other => escaped(&other.to_string()),
    }
}

/// Published ports as people write them: `8080:80/tcp, 127.0.0.1:9090:90/tcp`.
fn ports_in_words(ports: &serde_json::Map<String, Value>) -> String {
    let text = |value: &Value, names: [&str; 2]| {
        names.iter().find_map(|name| value[*name].as_str()).unwrap_or_default().to_owned()
    };
    let mut words = Vec::new();
    for (port, bindings) in ports {
        for binding in bindings.as_array().into_iter().flatten() {
            let (ip, host) = (text(binding, ["HostIp", "ip"]), text(binding, ["HostPort", "port"]));
            let parts = [ip, host, port.clone()];
            words.push(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":"));
        }
    }
    words.join(", ")
}
