//! Limits of processes. Those that the Engine gives every container are merged in, so more than
//! declared is no difference.

use super::Body;
use super::simple::derived;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::{Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FIELD: &str = "/HostConfig/Ulimits";

/// As the kernel counts them (`setrlimit`).
const NAMES: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// `nofile=1024:2048`, or a table of names with a number, `"1024:2048"`, or `{ soft, hard }`; -1 is
/// unlimited. Also Salt's and the Engine's `{ Name, Soft, Hard }`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let named = |table: &BTreeMap<String, Arg>| table.contains_key("Name") || table.contains_key("name");
    let all = match &arg.value {
        ArgValue::Table(table) if !named(table) => {
            let set = table.iter().filter(|(_, item)| item.value != ArgValue::Unset);
            let set: Vec<(String, Arg)> = set.map(|(name, item)| (name.clone(), item.clone())).collect();
            set.into_iter().map(|(name, item)| pair(option, &name, &item)).collect::<Result<Vec<_>>>()?
        }
        ArgValue::Array(items) => read::each(items, |item| one(option, item))?,
        _ => read::each(single, |item| one(option, item))?,
    };
    let mut found = BTreeMap::new();
    for (name, limit) in all {
        if found.insert(name.clone(), limit.clone()).is_some_and(|before| before != limit) {
            return Err(
                read::wrong(option, arg, &format!("names `{name}` twice with different values")).into()
            );
        }
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

fn one(option: &str, arg: &Arg) -> Result<(String, Value)> {
    if let ArgValue::Table(_) = &arg.value {
        let fields = read::fields(option, arg, &["name", "soft", "hard", "Name", "Soft", "Hard"])?;
        let of = |one: &str, other: &str| fields.get(one).or_else(|| fields.get(other)).copied();
        let Some(name) = of("name", "Name") else {
            return Err(read::wrong(option, arg, "has an entry without `name`").into());
        };
        return limits(option, &read::word(option, name)?, arg, of("soft", "Soft"), of("hard", "Hard"));
    }
    let text = read::word(option, arg)?;
    match text.split_once('=') {
        Some((name, value)) => pair(option, name, &derived(arg, value)),
        None => Err(read::wrong(option, arg, &format!("has `{}` without a value", escaped(&text)))
            .hint("write it like \"nofile=1024:2048\"")
            .into()),
    }
}

fn pair(option: &str, name: &str, arg: &Arg) -> Result<(String, Value)> {
    match &arg.value {
        ArgValue::Table(_) => {
            let fields = read::fields(option, arg, &["soft", "hard"])?;
            limits(option, name, arg, fields.get("soft").copied(), fields.get("hard").copied())
        }
        ArgValue::Text(text) => {
            let text = text.as_clear().ok_or_else(|| read::secret_here(option, arg))?;
            let (soft, hard) = text.split_once(':').unwrap_or((text, text));
            limits(option, name, arg, Some(&derived(arg, soft)), Some(&derived(arg, hard)))
        }
        _ => limits(option, name, arg, Some(arg), None),
    }
}

/// If only one of the two is given, it counts for both.
fn limits(
    option: &str,
    name: &str,
    arg: &Arg,
    soft: Option<&Arg>,
    hard: Option<&Arg>,
) -> Result<(String, Value)> {
    if !NAMES.contains(&name) {
        let problem = read::wrong(option, arg, &format!("has `{}`, which is not a limit", escaped(name)));
        return Err(problem.nearest(name, NAMES).into());
    }
    let (Some(soft), Some(hard)) = (soft.or(hard), hard.or(soft)) else {
        return Err(read::wrong(option, arg, &format!("has `{name}` without `soft` and `hard`")).into());
    };
    let full = format!("{option}.{name}");
    let number = |arg: &Arg| match &arg.value {
        ArgValue::Text(text) if text.as_clear() == Some("unlimited") => Ok(-1),
        _ => read::integer(&full, arg, -1, i64::MAX),
    };
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(read::wrong(&full, arg, "has a soft limit above the hard one").into());
    }
    Ok((name.to_owned(), json!({ "soft": soft, "hard": hard })))
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let limits = canonical.as_object().into_iter().flatten();
    let limits: Vec<Value> = limits
        .map(|(name, limit)| json!({ "Name": name, "Soft": limit["soft"], "Hard": limit["hard"] }))
        .collect();
    body.set(FIELD, Value::Array(limits));
}

pub(super) fn differ(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(FIELD).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    canonical.as_object().into_iter().flatten().any(|(name, limit)| {
        let there = found.iter().find(|there| there["Name"] == name.as_str());
        there.is_none_or(|there| there["Soft"] != limit["soft"] || there["Hard"] != limit["hard"])
    })
}
