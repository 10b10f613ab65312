//! Weights and rates of block devices, of all of them or by path. If the kernel lacks one of them,
//! the Engine discards it at creation, with a warning.

use super::Body;
use super::simple::derived;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::{Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The range is the kernel's; 0 is none.
pub(super) fn weight(option: &str, arg: &Arg) -> Result<Value> {
    match read::integer(option, arg, 0, 1000)? {
        0 => Ok(Value::Null),
        weight @ 1..10 => {
            Err(read::wrong(option, arg, &format!("is {weight}, but must be from 10 to 1000")).into())
        }
        weight => Ok(Value::from(weight)),
    }
}

/// By path of the device: `"/dev/sda:300"`, `{ path, weight }`, or a table of paths and weights.
pub(super) fn weights(option: &str, arg: &Arg) -> Result<Value> {
    per_device(option, arg, "weight", |option, arg| read::integer(option, arg, 10, 1000))
}

/// Bytes a second by path of the device.
pub(super) fn bytes(option: &str, arg: &Arg) -> Result<Value> {
    per_device(option, arg, "rate", read::bytes)
}

/// Operations a second by path of the device.
pub(super) fn operations(option: &str, arg: &Arg) -> Result<Value> {
    per_device(option, arg, "rate", |option, arg| read::integer(option, arg, 1, i64::MAX))
}

type Amount = fn(&str, &Arg) -> Result<i64>;

fn per_device(option: &str, arg: &Arg, field: &'static str, amount: Amount) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let by_path = |table: &BTreeMap<String, Arg>| table.keys().any(|key| key.starts_with('/'));
    let mut found = BTreeMap::new();
    let all = match &arg.value {
        ArgValue::Table(table) if by_path(table) => {
            let set = table.iter().filter(|(_, item)| item.value != ArgValue::Unset);
            set.map(|(path, item)| Ok((path.clone(), amount(option, item)?))).collect::<Result<Vec<_>>>()?
        }
        ArgValue::Array(items) => read::each(items, |item| one(option, item, field, amount))?,
        _ => read::each(single, |item| one(option, item, field, amount))?,
    };
    for (path, amount) in all {
        if !path.starts_with("/dev/") {
            let why = format!("has `{}`, which is not a path below /dev", escaped(&path));
            return Err(read::wrong(option, arg, &why).into());
        }
        if found.insert(path.clone(), amount).is_some_and(|before| before != amount) {
            let why = format!("names `{}` twice with different values", escaped(&path));
            return Err(read::wrong(option, arg, &why).into());
        }
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

fn one(option: &str, arg: &Arg, field: &'static str, amount: Amount) -> Result<(String, i64)> {
    let hint = format!("write it like \"/dev/sda:{}\"", if field == "rate" { "100" } else { "300" });
    if let ArgValue::Table(_) = &arg.value {
        let fields = read::fields(option, arg, &["path", field])?;
        let (Some(path), Some(value)) = (fields.get("path"), fields.get(field)) else {
            return Err(read::wrong(option, arg, &format!("needs `path` and `{field}`")).hint(hint).into());
        };
        return Ok((read::word(option, path)?, amount(option, value)?));
    }
    let text = read::word(option, arg)?;
    let Some((path, value)) = text.rsplit_once(':') else {
        let why = format!("has `{}` without a {field}", escaped(&text));
        return Err(read::wrong(option, arg, &why).hint(hint).into());
    };
    Ok((path.to_owned(), amount(option, &derived(arg, value))?))
}

/// `[{ Path, Rate }]`, sorted by path.
pub(super) fn write(canonical: &Value, body: &mut Body, pointer: &str, field: &str) {
    let devices = canonical.as_object().into_iter().flatten();
    let devices: Vec<Value> = devices.map(|(path, amount)| json!({ "Path": path, field: amount })).collect();
    body.set(pointer, Value::Array(devices));
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect, pointer: &str, field: &str) -> bool {
    let list = inspect.compare(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found: BTreeMap<&str, &Value> =
        list.iter().filter_map(|device| Some((device["Path"].as_str()?, &device[field]))).collect();
    let wanted: BTreeMap<&str, &Value> =
        canonical.as_object().into_iter().flatten().map(|(path, amount)| (path.as_str(), amount)).collect();
    !found.is_empty() && wanted != found
}
