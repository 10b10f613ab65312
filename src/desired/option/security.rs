//! Security options. The Engine adds some of its own, so more than declared is no difference.

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FIELD: &str = "/HostConfig/SecurityOpt";
const MASKED: &str = "/HostConfig/MaskedPaths";
const READ_ONLY: &str = "/HostConfig/ReadonlyPaths";

/// Clients resolve `systempaths=unconfined`; the Engine does not know the word.
const UNCONFINED_PATHS: &str = "systempaths=unconfined";

/// `no-new-privileges`, `apparmor=PROFILE`, `seccomp={…}`, `label=disable`, `systempaths=unconfined`; `:`
/// is as good as `=`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let all: BTreeSet<String> = read::each(items, |item| one(option, item))?.into_iter().collect();
    let mut seen: BTreeMap<&str, &String> = BTreeMap::new();
    for line in &all {
        let name = line.split('=').next().unwrap_or_default();
        // There may be several labels (user, role, type, level).
        if name != "label" && seen.insert(name, line).is_some() {
            let why = format!("names `{name}` twice with different values");
            return Err(read::wrong(option, arg, &why).into());
        }
    }
    Ok(if all.is_empty() { Value::Null } else { json!(all) })
}

fn one(option: &str, arg: &Arg) -> Result<String> {
    let text = read::word(option, arg)?;
    let (name, value) = text.split_once(['=', ':']).unwrap_or((&text, ""));
    let wrong = |why: &str| -> Problem {
        read::wrong(option, arg, &format!("has `{}`: {why}", escaped(&shortened(&text))))
    };
    match (name, value) {
        ("no-new-privileges", "" | "true") => Ok("no-new-privileges".to_owned()),
        ("no-new-privileges", "false") => Ok("no-new-privileges=false".to_owned()),
        ("no-new-privileges", _) => Err(wrong("it is true or false").into()),
        ("systempaths", "unconfined") => Ok(UNCONFINED_PATHS.to_owned()),
        ("systempaths", _) => Err(wrong("it can be `unconfined` only").into()),
        ("seccomp", "unconfined" | "builtin") => Ok(format!("seccomp={value}")),
        ("seccomp", profile) if profile.trim_start().starts_with('{') => match json_text(profile) {
            Some(profile) => Ok(format!("seccomp={profile}")),
            None => Err(wrong("the profile is not JSON").into()),
        },
        ("seccomp", _) => Err(wrong("a file of this machine is not read")
            .hint("put the profile itself there, as JSON: \"seccomp={{ pillar.api.seccomp | tojson }}\"")
            .into()),
        ("apparmor" | "label" | "credentialspec", "") => Err(wrong("it has no value").into()),
        ("apparmor" | "label" | "credentialspec", value) => Ok(format!("{name}={value}")),
        _ => Err(wrong("there is no such option")
            .hint("there are no-new-privileges, apparmor, seccomp, label and systempaths")
            .into()),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(60).chain(['…']).collect() }
}

/// JSON with sorted keys and no white space.
fn json_text(text: &str) -> Option<String> {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(map) => {
                let sorted: BTreeMap<String, Value> =
                    map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
                Value::Object(sorted.into_iter().collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
            leaf => leaf,
        }
    }
    Some(sorted(serde_json::from_str(text).ok()?).to_string())
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let all: Vec<String> = compare::texts(Some(canonical)).collect();
    if all.iter().any(|line| line == UNCONFINED_PATHS) {
        body.set(MASKED, json!([]));
        body.set(READ_ONLY, json!([]));
    }
    let known: Vec<&String> = all.iter().filter(|line| *line != UNCONFINED_PATHS).collect();
    if !known.is_empty() {
        body.set(FIELD, json!(known));
    }
}

pub(super) fn differ(canonical: &Value, inspect: &Inspect) -> bool {
    let found: BTreeSet<String> = compare::texts(inspect.compare(FIELD)).map(|line| normal(&line)).collect();
    let hidden = |pointer: &str| inspect.compare(pointer).is_some_and(|paths| !compare::is_empty(paths));
    compare::texts(Some(canonical)).any(|line| match line.as_str() {
        UNCONFINED_PATHS => hidden(MASKED) || hidden(READ_ONLY),
        _ => !found.contains(&line),
    })
}

/// As [`one`] has it, of what an Engine says.
fn normal(line: &str) -> String {
    let (name, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
    match (name, value) {
        ("no-new-privileges", "" | "true") => name.to_owned(),
        ("seccomp", profile) if profile.trim_start().starts_with('{') => {
            format!("seccomp={}", json_text(profile).unwrap_or_default())
        }
        (name, "") => name.to_owned(),
        (name, value) => format!("{name}={value}"),
    }
}
