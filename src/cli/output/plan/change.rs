//! What a change says, whatever it is shown on: its symbol, and its fields before and after.

use crate::cli::output::words;
use crate::plan::{Cause, Change, FileChange, FileForm, Verb};
use crate::problem::escaped;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a person sees in the causes already, or does not decide on: shown with `-v`.
const BOOKKEEPING: [&str; 4] = ["generation", "running", "status", "version"];

/// What the field of a file begins with.
const FILES: &str = "files.";

/// The ports that a container opens: a line each, always shown.
const PUBLISHES: &str = "publishes";

/// The fields that differ: name, old value if it is known, new value; of what is created its image.
/// With `all` every field. Values are escaped, names are not.
pub(in crate::cli::output) fn differences(change: &Change, all: bool) -> Vec<(&str, Option<String>, String)> {
    let before = change.before.iter().flatten();
    let before: BTreeMap<&str, &Value> = before.map(|(field, value)| (field.as_str(), value)).collect();
    let named = named_fields(change);
    // What changes in a file is shown below.
    let is_file = |field: &str| {
        let path = field.strip_prefix(FILES);
        path.is_some_and(|path| change.files.iter().any(|file| file.path == path))
    };
    let shown = |field: &str| all || !(BOOKKEEPING.contains(&field) || is_file(field));
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
        Value::Object(file) if field.starts_with(FILES) => escaped(&file_in_words(file)),
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

/// A file without its content: `120 bytes, sha256 0f1e2d3c4b5a, mode 0640`.
fn file_in_words(file: &serde_json::Map<String, Value>) -> String {
    let parts = file.iter().filter_map(|(name, value)| match (name.as_str(), value) {
        ("size", size) => Some((0, format!("{size} bytes"))),
        ("sha256", Value::String(digest)) => Some((1, format!("sha256 {}", digest.get(..12)?))),
        ("secrets", Value::Array(secrets)) => {
            let secrets = secrets.iter().filter_map(Value::as_str).collect::<Vec<_>>();
            Some((2, format!("a text with {}", secrets.join(", "))))
        }
        (name, Value::String(text)) => Some((3, format!("{} {text}", name.replace('_', " ")))),
        (name, Value::Number(number)) => Some((3, format!("{name} {number}"))),
        _ => None,
    });
    let mut parts: Vec<(u8, String)> = parts.collect();
    parts.sort();
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(", ")
}

/// What is said of a file that changes, beside its path and above its difference.
pub(in crate::cli::output) fn file_line(file: &FileChange) -> String {
    let form = |form: &FileForm, digest: bool| match digest {
        true => format!("{} bytes, sha256 {}", form.size, form.sha256.get(..12).unwrap_or_default()),
        false => format!("{} bytes", form.size),
    };
    let digests = file.diff.is_none();
    let sizes = match (&file.before, &file.after) {
        (Some(before), Some(after)) if before != after => {
            Some(format!("{} → {}", form(before, digests), form(after, digests)))
        }
        (_, Some(after)) => Some(form(after, digests)),
        _ => None,
    };
    let parts: Vec<String> = sizes.into_iter().chain(file.note.clone()).collect();
    parts.join("; ")
}

/// The lines of a difference, each with its sign; escaped, tabs as spaces.
pub(in crate::cli::output) fn diff_lines(file: &FileChange) -> Vec<(char, String)> {
    let lines = file.diff.iter().flat_map(|diff| diff.lines());
    let each = lines.map(|line| {
        let sign = line.chars().next().unwrap_or(' ');
        (sign, escaped(&line.replace('\t', "    ")))
    });
    each.collect()
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
