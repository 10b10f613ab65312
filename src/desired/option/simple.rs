//! Options that are one plain value.

use crate::desired::read;
use crate::problem::{Result, escaped};
use crate::state::{Arg, ArgValue, Text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) fn word(option: &str, arg: &Arg) -> Result<Value> {
    Ok(Value::from(read::word(option, arg)?))
}

pub(super) fn truth(option: &str, arg: &Arg) -> Result<Value> {
    Ok(Value::from(read::boolean(option, arg)?))
}

pub(super) fn seconds(option: &str, arg: &Arg) -> Result<Value> {
    Ok(Value::from(read::seconds(option, arg)?))
}

/// A list whose order counts.
pub(super) fn texts(option: &str, arg: &Arg) -> Result<Value> {
    let texts = read::list(option, arg)?;
    Ok(if texts.is_empty() { Value::Null } else { json!(texts) })
}

pub(super) fn table(option: &str, arg: &Arg) -> Result<Value> {
    let pairs = read::pairs(option, arg, '=')?;
    Ok(if pairs.is_empty() { Value::Null } else { json!(pairs) })
}

pub(super) fn hostname(option: &str, arg: &Arg) -> Result<Value> {
    let name = read::word(option, arg)?;
    let fine = name.len() <= 63
        && !name.starts_with(['-', '.'])
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    if fine {
        return Ok(Value::from(name));
    }
    let why = format!("is `{}`, which is not a host name", escaped(&name));
    Err(read::wrong(option, arg, &why).hint("use up to 63 letters, digits, `-` and `.`").into())
}

/// A path in the container; a trailing `/` means nothing.
pub(super) fn absolute_path(option: &str, arg: &Arg) -> Result<Value> {
    let path = read::word(option, arg)?;
    if !path.starts_with('/') {
        let why = format!("is `{}`, but must be an absolute path", escaped(&path));
        return Err(read::wrong(option, arg, &why).into());
    }
    Ok(Value::from(trimmed(&path)))
}

/// A path without trailing `/`.
pub(super) fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.starts_with('/') => "/",
        trimmed => trimmed,
    }
}

/// IP addresses in their usual form, in order.
pub(super) fn addresses(option: &str, arg: &Arg) -> Result<Value> {
    let mut found = Vec::new();
    for text in read::list(option, arg)? {
        match text.trim().parse::<IpAddr>() {
            Ok(address) => found.push(address.to_string()),
            Err(_) => {
                let why = format!("has `{}`, which is not an IP address", escaped(&text));
                return Err(read::wrong(option, arg, &why).into());
            }
        }
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

/// The part of a written value as an argument of its own, at the same line.
pub(super) fn derived(arg: &Arg, text: &str) -> Arg {
    Arg { value: ArgValue::Text(Text::clear(text)), place: arg.place.clone(), read: arg.read.clone() }
}

/// A list whose order does not count.
pub(super) fn set(option: &str, arg: &Arg) -> Result<Value> {
    let texts: BTreeSet<String> = read::list(option, arg)?.into_iter().collect();
    if texts.contains("") {
        return Err(read::wrong(option, arg, "has an empty entry").into());
    }
    Ok(if texts.is_empty() { Value::Null } else { json!(texts) })
}

/// From -1000 (never) to 1000 (first), as the kernel has it.
pub(super) fn oom_score(option: &str, arg: &Arg) -> Result<Value> {
    Ok(Value::from(read::integer(option, arg, -1000, 1000)?))
}

/// 0 to 100; -1 is the kernel's own, as if it were not written.
pub(super) fn swappiness(option: &str, arg: &Arg) -> Result<Value> {
    match read::integer(option, arg, -1, 100)? {
        -1 => Ok(Value::Null),
        swappiness => Ok(Value::from(swappiness)),
    }
}
