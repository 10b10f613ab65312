//! What is mounted, in short form: `volumes` and `tmpfs`, both keyed by their path in the container.

use super::Body;
use super::mounts::{each_entry, keyed};
use super::simple::trimmed;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const BINDS: &str = "/HostConfig/Binds";
const TMPFS: &str = "/HostConfig/Tmpfs";

/// `source:/path[:options]`, or `/path` for an anonymous volume.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    keyed(option, arg, read::each(items, |item| bind(option, item))?)
}

fn bind(option: &str, arg: &Arg) -> Result<(String, Value)> {
    let text = read::word(option, arg)?;
    let wrong = |why: &str| -> Problem {
        read::wrong(option, arg, &format!("has `{}`: {why}", escaped(&text)))
            .hint("write it like \"data:/var/lib/data\", \"/srv/www:/www:ro\" or \"/cache\"")
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => ("", *target, ""),
        [source, target] => (*source, *target, ""),
        [source, target, options] => (*source, *target, *options),
        _ => return Err(wrong("it has more than three parts").into()),
    };
    if !target.starts_with('/') || trimmed(target) == "/" {
        return Err(wrong("the path in the container is absolute, and not /").into());
    }
    let volume_name = |name: &str| {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        first && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    };
    if !(source.starts_with('/') || volume_name(source) || (source.is_empty() && parts.len() == 1)) {
        return Err(wrong("the source is an absolute path on the host or the name of a volume").into());
    }
    let options: BTreeSet<&str> = options.split(',').filter(|part| !matches!(*part, "" | "rw")).collect();
    let known = |part: &&&str| {
        matches!(**part, "ro" | "z" | "Z" | "nocopy" | "consistent" | "cached" | "delegated")
            || matches!(**part, "shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate")
    };
    if let Some(unknown) = options.iter().find(|part| !known(part)) {
        return Err(wrong(&format!("`{}` is not an option of a volume", escaped(unknown))).into());
    }
    let source = if source.starts_with('/') { trimmed(source) } else { source };
    Ok((trimmed(target).to_owned(), json!({ "source": source, "options": options })))
}

fn bind_text(target: &str, bind: &Value) -> String {
    let source = bind["source"].as_str().unwrap_or_default();
    let options: Vec<String> = compare::texts(bind.get("options")).collect();
    match options.is_empty() {
        true => format!("{source}:{target}"),
        false => format!("{source}:{target}:{}", options.join(",")),
    }
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let (anonymous, named): (Vec<_>, Vec<_>) =
        each_entry(canonical).partition(|(_, bind)| bind["source"] == "");
    if !named.is_empty() {
        let binds: Vec<String> = named.iter().map(|(target, bind)| bind_text(target, bind)).collect();
        body.set(BINDS, json!(binds));
    }
    if !anonymous.is_empty() {
        let paths: Map<String, Value> =
            anonymous.iter().map(|(target, _)| ((*target).clone(), json!({}))).collect();
        body.set("/Config/Volumes", Value::Object(paths));
    }
}

pub(super) fn differ(canonical: &Value, inspect: &Inspect) -> bool {
    let partial = inspect.gaps().partial;
    let normal = |bind: &str| {
        let mut parts = bind.splitn(3, ':');
        let (source, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let options = parts.next().unwrap_or_default().split(',').filter(|part| !matches!(*part, "" | "rw"));
        // What else there is Podman does not report.
        let options = options.filter(|part| {
            !partial
                || !matches!(*part, "z" | "Z" | "nocopy" | "consistent" | "cached" | "delegated" | "rprivate")
        });
        let options: BTreeSet<String> = options.map(str::to_owned).collect();
        (trimmed(target).to_owned(), trimmed(source).to_owned(), options)
    };
    let named = each_entry(canonical).filter(|(_, bind)| bind["source"] != "");
    let wanted: BTreeSet<_> = named.map(|(target, bind)| normal(&bind_text(target, bind))).collect();
    let found: BTreeSet<_> = compare::texts(inspect.compare(BINDS)).map(|bind| normal(&bind)).collect();
    let volumes = inspect.compare("/Config/Volumes");
    let anonymous = each_entry(canonical).filter(|(_, bind)| bind["source"] == "");
    let missing =
        anonymous.into_iter().any(|(target, _)| volumes.and_then(|paths| paths.get(target)).is_none());
    let differ = if partial { !wanted.is_subset(&found) } else { wanted != found };
    differ || missing
}

/// `/run`, `/run:size=64m,mode=1777`, or a table of path and options.
pub(super) fn tmpfs(option: &str, arg: &Arg) -> Result<Value> {
    let pairs = match &arg.value {
        ArgValue::Array(_) | ArgValue::Table(_) => read::pairs(option, arg, ':')?,
        _ => {
            let text = read::word(option, arg)?;
            let (path, options) = text.split_once(':').unwrap_or((&text, ""));
            BTreeMap::from([(path.to_owned(), options.to_owned())])
        }
    };
    if let Some(path) = pairs.keys().find(|path| !path.starts_with('/') || trimmed(path) == "/") {
        let why = format!("has `{}`, which is not an absolute path below /", escaped(path));
        return Err(read::wrong(option, arg, &why).into());
    }
    let normal = |options: &str| {
        let parts: BTreeSet<&str> = options.split(',').filter(|part| !part.is_empty()).collect();
        parts.into_iter().collect::<Vec<_>>().join(",")
    };
    let canonical: BTreeMap<&str, String> =
        pairs.iter().map(|(path, options)| (trimmed(path), normal(options))).collect();
    Ok(if canonical.is_empty() { Value::Null } else { json!(canonical) })
}

pub(super) fn write_tmpfs(canonical: &Value, body: &mut Body) {
    body.set(TMPFS, canonical.clone());
}

pub(super) fn tmpfs_differ(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(TMPFS);
    if !inspect.gaps().partial {
        return !compare::same(canonical, found);
    }
    let own = |text: &str| {
        let words =
            text.split(',').filter(|word| !matches!(*word, "" | "rw" | "nosuid" | "nodev" | "noexec"));
        words.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    each_entry(canonical).any(|(target, wanted)| {
        let there = found.and_then(|found| found[target.as_str()].as_str());
        there.is_none_or(|there| own(there) != own(wanted.as_str().unwrap_or_default()))
    })
}
