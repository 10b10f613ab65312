//! Requests for devices of a driver: GPUs, and those of CDI.

use super::Body;
use super::simple::derived;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const FIELD: &str = "/HostConfig/DeviceRequests";

/// Every device there is.
const ALL: i64 = -1;

/// Canonical is a list of the Engine's own `DeviceRequest`s with only the declared fields. A table has
/// `driver`, `count`, `device_ids`, `capabilities` and `options`; for `gpus` also `all`, a number, or
/// `docker run`'s `"device=0,1"` and `"2,capabilities=utility"`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let gpus = option == "gpus";
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let requests = read::each(items, |item| match &item.value {
        ArgValue::Table(_) => request(option, item, gpus),
        _ if gpus => short(option, item),
        _ => Err(read::wrong(option, item, "is a list of tables")
            .hint("write [{ driver = \"nvidia\", count = 1, capabilities = [\"gpu\"] }]")
            .into()),
    })?;
    Ok(if requests.is_empty() { Value::Null } else { Value::Array(requests) })
}

fn request(option: &str, arg: &Arg, gpus: bool) -> Result<Value> {
    let known = ["driver", "count", "device_ids", "capabilities", "options"];
    let mut canonical = Map::new();
    for (name, arg) in read::fields(option, arg, &known)? {
        let full = format!("{option}.{name}");
        match name {
            "driver" => put(&mut canonical, "Driver", json!(read::word(&full, arg)?)),
            "count" => put(&mut canonical, "Count", json!(count(&full, arg)?)),
            "device_ids" => put(&mut canonical, "DeviceIDs", json!(read::list(&full, arg)?)),
            "capabilities" => put(&mut canonical, "Capabilities", capabilities(&full, arg)?),
            _ => put(&mut canonical, "Options", json!(read::pairs(&full, arg, '=')?)),
        }
    }
    complete(option, arg, canonical, gpus).map_err(Into::into)
}

/// `docker run --gpus`: comma separated, values with commas in double quotes.
fn short(option: &str, arg: &Arg) -> Result<Value> {
    let text = read::word(option, arg)?;
    let mut canonical = Map::new();
    let mut last = "";
    let parts: Vec<String> = text.split(',').map(|part| part.replace('"', "").trim().to_owned()).collect();
    for part in &parts {
        match part.split_once('=') {
            Some(("device", id)) => {
                push(&mut canonical, "DeviceIDs", id);
                last = "DeviceIDs";
            }
            Some(("capabilities", name)) => {
                canonical.insert("Capabilities".to_owned(), json!([[name]]));
                last = "Capabilities";
            }
            Some(("driver", name)) => put(&mut canonical, "Driver", json!(name)),
            Some(("count", number)) => {
                put(&mut canonical, "Count", json!(count(option, &derived(arg, number))?));
            }
            None if last == "DeviceIDs" => push(&mut canonical, last, part),
            None if last == "Capabilities" => {
                if let Some(first) = canonical[last].get_mut(0).and_then(Value::as_array_mut) {
                    first.push(json!(part));
                }
            }
            None => put(&mut canonical, "Count", json!(count(option, &derived(arg, part))?)),
            Some((name, _)) => {
                let why =
                    format!("has `{}`, which is not device, count, driver or capabilities", escaped(name));
                return Err(read::wrong(option, arg, &why).into());
            }
        }
    }
    if let Some(Value::Array(sets)) = canonical.get_mut("Capabilities") {
        sorted(sets);
    }
    complete(option, arg, canonical, true).map_err(Into::into)
}

fn put(canonical: &mut Map<String, Value>, field: &str, value: Value) {
    if !compare::is_empty(&value) {
        canonical.insert(field.to_owned(), value);
    }
}

fn push(canonical: &mut Map<String, Value>, field: &str, text: &str) {
    let list = canonical.entry(field).or_insert_with(|| json!([]));
    list.as_array_mut().into_iter().for_each(|list| list.push(json!(text)));
}

/// How many: a number, or all.
fn count(option: &str, arg: &Arg) -> Result<i64> {
    if matches!(&arg.value, ArgValue::Text(text) if text.as_clear() == Some("all")) {
        return Ok(ALL);
    }
    let hint = |problem: Problem| problem.hint("write a number of devices, or \"all\"");
    let number = read::integer(option, arg, ALL, 1024).map_err(|problems| problems.map(hint))?;
    match number {
        0 => Err(read::wrong(option, arg, "is 0 devices").hint("leave it out, or write \"all\"").into()),
        number => Ok(number),
    }
}

/// `["gpu", "utility"]`: all of them; a list of such lists: one of these sets.
fn capabilities(option: &str, arg: &Arg) -> Result<Value> {
    let nested = matches!(&arg.value, ArgValue::Array(items)
        if items.iter().any(|item| matches!(item.value, ArgValue::Array(_))));
    let sets = match &arg.value {
        ArgValue::Array(items) if nested => read::each(items, |item| read::list(option, item))?,
        _ => vec![read::list(option, arg)?],
    };
    let mut sets: Vec<Value> = sets.into_iter().filter(|set| !set.is_empty()).map(|set| json!(set)).collect();
    sorted(&mut sets);
    Ok(Value::Array(sets))
}

fn sorted(sets: &mut [Value]) {
    for set in sets {
        *set = json!(compare::texts(Some(set)).collect::<BTreeSet<_>>());
    }
}

fn complete(
    option: &str,
    arg: &Arg,
    mut canonical: Map<String, Value>,
    gpus: bool,
) -> Result<Value, Problem> {
    if gpus {
        let set = canonical.entry("Capabilities").or_insert_with(|| json!([[]]));
        for set in set.as_array_mut().into_iter().flatten() {
            let mut names: BTreeSet<String> = compare::texts(Some(set)).collect();
            names.insert("gpu".to_owned());
            *set = json!(names);
        }
    }
    if canonical.contains_key("Count") && canonical.contains_key("DeviceIDs") {
        return Err(read::wrong(option, arg, "has both a count and devices by name"));
    }
    if !canonical.contains_key("Count") && !canonical.contains_key("DeviceIDs") {
        if !gpus {
            let why = "says neither how many devices nor which";
            return Err(read::wrong(option, arg, why).hint("write `count = \"all\"`, or `device_ids`"));
        }
        canonical.insert("Count".to_owned(), json!(ALL));
    }
    if !canonical.contains_key("Driver") && !canonical.contains_key("Capabilities") {
        let why = "names neither a driver nor capabilities";
        return Err(read::wrong(option, arg, why).hint("write `capabilities = [\"gpu\"]`"));
    }
    Ok(Value::Object(canonical))
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    body.set(FIELD, canonical.clone());
}

pub(super) fn differ(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(FIELD).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let wanted = canonical.as_array().map(Vec::as_slice).unwrap_or_default();
    // What is not declared of a request is empty, not free.
    let fields = ["Driver", "Count", "DeviceIDs", "Capabilities", "Options"];
    let same = |wanted: &Value, found: &Value| {
        fields.iter().all(|field| compare::same(&wanted[field], found.get(field)))
    };
    wanted.len() != found.len() || !wanted.iter().zip(found).all(|(wanted, found)| same(wanted, found))
}
