//! Devices of the host, and rules for them.

use super::Body;
use super::simple::trimmed;
use crate::desired::read;
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FIELD: &str = "/HostConfig/Devices";

/// By path in the container: path on the host, and what may be done with it. Written as
/// `/dev/sda[:/dev/xvda[:rwm]]`, or `{ source, target, permissions }`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let mut found = BTreeMap::new();
    for ((target, device), item) in read::each(items, |item| one(option, item))?.into_iter().zip(items) {
        if found.insert(target.clone(), device.clone()).is_some_and(|before| before != device) {
            let why = format!("has two devices at `{}`", escaped(&target));
            return Err(read::wrong(option, item, &why).into());
        }
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

fn one(option: &str, arg: &Arg) -> Result<(String, Value)> {
    let (source, target, permissions) = match &arg.value {
        ArgValue::Table(_) => table(option, arg)?,
        _ => {
            let text = read::word(option, arg)?;
            if !text.starts_with('/') && text.contains('=') {
                return Err(read::wrong(option, arg, &format!("has `{}`, a name of CDI", escaped(&text)))
                    .hint(format!(
                        "write device_requests = [{{ driver = \"cdi\", device_ids = [\"{}\"] }}]",
                        escaped(&text)
                    ))
                    .into());
            }
            let parts: Vec<&str> = text.split(':').collect();
            let of = |source: &str, target: &str, permissions: &str| {
                Ok((source.to_owned(), target.to_owned(), permissions.to_owned()))
            };
            match parts.as_slice() {
                [source] => of(source, "", ""),
                [source, second] if is_permissions(second) => of(source, "", second),
                [source, target] => of(source, target, ""),
                [source, target, permissions] => of(source, target, permissions),
                _ => Err(wrong(option, arg, &text, "it has more than three parts")),
            }?
        }
    };
    let target = if target.is_empty() { &source } else { &target };
    let permissions = if permissions.is_empty() { "rwm" } else { &permissions };
    if !source.starts_with('/') || !target.starts_with('/') {
        return Err(wrong(option, arg, &source, "paths of devices are absolute").into());
    }
    if !is_permissions(permissions) {
        return Err(wrong(option, arg, &source, "permissions are letters of `rwm`").into());
    }
    let permissions: String = "rwm".chars().filter(|letter| permissions.contains(*letter)).collect();
    Ok((trimmed(target).to_owned(), json!({ "source": trimmed(&source), "permissions": permissions })))
}

fn table(option: &str, arg: &Arg) -> Result<(String, String, String)> {
    let names: [&[&'static str]; 3] = [
        &["source", "path_on_host", "PathOnHost"],
        &["target", "path_in_container", "PathInContainer"],
        &["permissions", "cgroup_permissions", "CgroupPermissions"],
    ];
    let fields = read::fields(option, arg, &names.concat())?;
    let text = |names: &[&str]| {
        let written = names.iter().find_map(|name| fields.get(name));
        written.map(|arg| read::text(option, arg)).transpose().map(Option::unwrap_or_default)
    };
    Ok((text(names[0])?, text(names[1])?, text(names[2])?))
}

fn is_permissions(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| "rwm".contains(letter))
}

fn wrong(option: &str, arg: &Arg, text: &str, why: &str) -> Problem {
    read::wrong(option, arg, &format!("has `{}`: {why}", escaped(text)))
        .hint("write it like \"/dev/sda\", \"/dev/sda:/dev/xvda\" or \"/dev/sda:/dev/xvda:r\"")
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let devices = canonical.as_object().into_iter().flatten();
    let devices: Vec<Value> = devices
        .map(|(target, device)| {
            json!({
                "PathOnHost": device["source"],
                "PathInContainer": target,
                "CgroupPermissions": device["permissions"],
            })
        })
        .collect();
    body.set(FIELD, Value::Array(devices));
}

pub(super) fn differ(canonical: &Value, inspect: &Inspect) -> bool {
    let list = inspect.compare(FIELD).and_then(Value::as_array).into_iter().flatten();
    // Podman says nothing of permissions.
    let letters = |text: &str| match inspect.gaps().partial {
        true => BTreeSet::new(),
        false => text.chars().collect::<BTreeSet<char>>(),
    };
    let found = list.map(|device| {
        let text = |field: &str| device[field].as_str().unwrap_or_default();
        (text("PathInContainer"), (text("PathOnHost"), letters(text("CgroupPermissions"))))
    });
    let wanted = canonical.as_object().into_iter().flatten().map(|(target, device)| {
        let text = |field: &str| device[field].as_str().unwrap_or_default();
        (target.as_str(), (text("source"), letters(text("permissions"))))
    });
    wanted.collect::<BTreeMap<_, _>>() != found.collect()
}

/// `c 42:* rmw`: type, numbers, and what may be done, as the kernel's device cgroup takes it.
pub(super) fn rules(option: &str, arg: &Arg) -> Result<Value> {
    let rules = read::list(option, arg)?;
    let mut found = BTreeSet::new();
    for rule in &rules {
        let Some(normal) = rule_of(rule) else {
            let why = format!("has `{}`, which is not a rule", escaped(rule));
            return Err(read::wrong(option, arg, &why).hint("write it like \"c 42:* rwm\"").into());
        };
        found.insert(normal);
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

fn rule_of(rule: &str) -> Option<String> {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let [kind, numbers, permissions] = words.as_slice() else { return None };
    let (major, minor) = numbers.split_once(':')?;
    let number = |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let sound = matches!(*kind, "a" | "b" | "c") && number(major) && number(minor);
    (sound && is_permissions(permissions)).then(|| words.join(" "))
}
