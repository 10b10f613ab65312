//! Whether a stored plan is still the one that would be made today.

use super::{FORMAT_VERSION, Plan};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use serde_json::Value;
use std::collections::BTreeSet;

/// Says whether a stored plan is, field by field, the plan made now. Fields that we do not know are
/// ignored; they come from a newer pillarbox with the same major version.
///
/// # Errors
/// Each difference ([`Code::Stale`]) in words: host, resource, field. A stored plan with another major
/// version, or none, cannot be compared at all ([`Code::Failed`]).
pub fn compare(stored: &Value, fresh: &Plan) -> Result<()> {
    check_version(stored)?;
    let fresh = serde_json::to_value(fresh)
        .map_err(|error| Problem::failed("the plan cannot be written down").because(&error))?;
    let mut found = Vec::new();
    if stored.get("workspace") != fresh.get("workspace") {
        found.push(stale(
            "the plan is for another workspace",
            stored.get("workspace"),
            fresh.get("workspace"),
        ));
    }
    let (then, now) = (by(stored.get("hosts"), "host"), by(fresh.get("hosts"), "host"));
    if names(&then) != names(&now) {
        let (then, now) = (Value::from(names(&then)), Value::from(names(&now)));
        found.push(stale("other hosts, or in another order", Some(&then), Some(&now)));
    }
    for (host, then) in &then {
        if let Some((_, now)) = now.iter().find(|(name, _)| name == host) {
            compare_host(host, then, now, &mut found);
        }
    }
    // Other batches are mostly because of something else that moved, which says more.
    if let (Some(then), true) = (stored.get("batches"), found.is_empty())
        && Some(then) != fresh.get("batches")
    {
        found.push(stale("the hosts go in other batches, or in another order", None, None));
    }
    Problems::check(found)
}

fn check_version(stored: &Value) -> Result<()> {
    let version = stored.get("format_version").and_then(Value::as_str).unwrap_or_default();
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(version) == major(FORMAT_VERSION) {
        return Ok(());
    }
    Err(Problem::failed(format!(
        "the plan has format `{}`, this pillarbox reads {FORMAT_VERSION}",
        escaped(version)
    ))
    .hint("make it again with 'pillarbox plan -o FILE'")
    .into())
}

fn compare_host(host: &str, then: &Value, now: &Value, found: &mut Vec<Problem>) {
    for (field, what) in
        [("engine", "the address of its Engine"), ("engine_id", "another Engine answers there")]
    {
        if then.get(field) != now.get(field) {
            found.push(stale(&format!("{host}: {what}"), then.get(field), now.get(field)));
        }
    }
    let (old, new) = (by(then.get("changes"), "address"), by(now.get("changes"), "address"));
    let all: BTreeSet<&String> = old.iter().chain(&new).map(|(name, _)| name).collect();
    let before = found.len();
    for thing in all {
        let find = |list: &[(String, &Value)]| {
            list.iter().find(|(name, _)| name == thing).map(|(_, value)| (*value).clone())
        };
        match (find(&old), find(&new)) {
            (Some(_), None) => {
                found.push(stale(&format!("{host}: {thing} is not in the plan any more"), None, None));
            }
            (None, Some(_)) => found.push(stale(&format!("{host}: {thing} is new in the plan"), None, None)),
            (Some(old), Some(new)) => {
                compare_fields(&format!("{host}: {thing}"), &old, &new, found);
            }
            (None, None) => {}
        }
    }
    if names(&old) != names(&new) && found.len() == before {
        found.push(stale(&format!("{host}: the order of changes"), None, None));
    }
    for (field, what) in [("steps", "step"), ("receivers", "receiver of a secret"), ("notes", "note")] {
        let none = Vec::new();
        let list = |plan: &Value| plan.get(field).and_then(Value::as_array).unwrap_or(&none).clone();
        let (old, new) = (list(then), list(now));
        if old.len() != new.len() {
            let (old, new) = (Value::from(old.len()), Value::from(new.len()));
            found.push(stale(&format!("{host}: number of {what}s"), Some(&old), Some(&new)));
            continue;
        }
        for (index, (old, new)) in old.iter().zip(&new).enumerate() {
            let group =
                new.get("group").and_then(Value::as_str).map(|group| format!(" of `{}`", escaped(group)));
            let path = format!("{host}: {what} {}{}", index + 1, group.unwrap_or_default());
            compare_fields(&path, old, new, found);
        }
    }
}

/// Field by field; a field that only the stored one has is from a newer version.
fn compare_fields(path: &str, old: &Value, new: &Value, found: &mut Vec<Problem>) {
    let Some(fields) = new.as_object() else { return difference(path, old, new, found) };
    for (field, new) in fields {
        difference(&format!("{path}: {field}"), old.get(field).unwrap_or(&Value::Null), new, found);
    }
}

/// The first place where two values differ, nothing left out.
fn difference(path: &str, old: &Value, new: &Value, found: &mut Vec<Problem>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let other = keys.into_iter().find(|key| old.get(*key) != new.get(*key));
            if let Some(key) = other {
                let none = &Value::Null;
                let (old, new) = (old.get(key).unwrap_or(none), new.get(key).unwrap_or(none));
                difference(&format!("{path}: {}", escaped(key)), old, new, found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            if let Some(index) = (0..old.len()).find(|index| old[*index] != new[*index]) {
                difference(&format!("{path} {}", index + 1), &old[index], &new[index], found);
            }
        }
        (old, new) if old != new => found.push(stale(path, Some(old), Some(new))),
        _ => {}
    }
}

fn stale(what: &str, then: Option<&Value>, now: Option<&Value>) -> Problem {
    let mut problem = Problem::new(Code::Stale, format!("the plan is stale: {what}"))
        .hint("make it again with 'pillarbox plan -o FILE', and look at it");
    if then.is_some() || now.is_some() {
        problem = problem.cause(format!("it was {}, it is now {}", shown(then), shown(now)));
    }
    problem
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "not there".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut text = escaped(&text);
    if text.chars().count() > 200 {
        text = text.chars().take(200).chain(['…']).collect();
    }
    format!("`{text}`")
}

/// Things of a list with the name that each has in a field.
fn by<'a>(list: Option<&'a Value>, field: &str) -> Vec<(String, &'a Value)> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.map(|thing| (thing.get(field).and_then(Value::as_str).map(escaped).unwrap_or_default(), thing))
        .collect()
}

fn names(list: &[(String, &Value)]) -> Vec<String> {
    list.iter().map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
