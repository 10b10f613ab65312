//! What is mounted: `volumes` in short form, `mounts` with all their fields, `tmpfs`. All are keyed
//! by their path in the container.

use super::Body;
use super::simple::trimmed;
use crate::desired::secret_file::FOLDER;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const BINDS: &str = "/HostConfig/Binds";
const MOUNTS: &str = "/HostConfig/Mounts";
const TMPFS: &str = "/HostConfig/Tmpfs";

/// `source:/path[:options]`, or `/path` for an anonymous volume.
pub(super) fn volumes(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let read = |item: &Arg| match &item.value {
        ArgValue::Table(_) => Err(read::wrong(option, item, "is a list of texts")
            .hint("tables with `type`, `source` and `target` go into `mounts`")
            .into()),
        _ => bind(option, item),
    };
    keyed(option, arg, read::each(items, read)?)
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

/// By path in the container; two different things at one path are refused.
fn keyed(option: &str, arg: &Arg, items: Vec<(String, Value)>) -> Result<Value> {
    let mut found = BTreeMap::new();
    for (target, value) in items {
        if let Some(before) = found.get(&target)
            && *before != value
        {
            let why = format!("mounts two things at `{}`", escaped(&target));
            return Err(read::wrong(option, arg, &why).into());
        }
        found.insert(target, value);
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

fn each_entry(canonical: &Value) -> impl Iterator<Item = (&String, &Value)> {
    canonical.as_object().into_iter().flatten()
}

fn bind_text(target: &str, bind: &Value) -> String {
    let source = bind["source"].as_str().unwrap_or_default();
    let options: Vec<String> = compare::texts(bind.get("options")).collect();
    match options.is_empty() {
        true => format!("{source}:{target}"),
        false => format!("{source}:{target}:{}", options.join(",")),
    }
}

pub(super) fn write_volumes(canonical: &Value, body: &mut Body) {
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

pub(super) fn volumes_differ(canonical: &Value, inspect: &Inspect) -> bool {
    let normal = |bind: &str| {
        let mut parts = bind.splitn(3, ':');
        let (source, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let options = parts.next().unwrap_or_default().split(',').filter(|part| !matches!(*part, "" | "rw"));
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
    wanted != found || missing
}

/// Tables with `type` (`bind`, `volume` or `tmpfs`), `source`, `target` and options of the type.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    keyed(option, arg, read::each(items, |item| mount(option, item))?)
}

fn mount(option: &str, arg: &Arg) -> Result<(String, Value)> {
    let known = ["type", "source", "target", "read_only", "propagation", "no_copy", "size", "mode"];
    let fields = read::fields(option, arg, &known)?;
    let text = |name: &str| fields.get(name).map(|arg| read::word(option, arg)).transpose();
    let kind = text("type")?.unwrap_or_else(|| "volume".to_owned());
    let target = text("target")?.unwrap_or_default();
    if !target.starts_with('/') || trimmed(&target) == "/" {
        return Err(read::wrong(option, arg, "wants an absolute `target`, which is not /").into());
    }
    let source = text("source")?.unwrap_or_default();
    let fits = match kind.as_str() {
        "bind" => source.starts_with('/'),
        "volume" => !source.contains('/'),
        "tmpfs" => source.is_empty(),
        _ => return Err(read::wrong(option, arg, "has a `type` that is not bind, volume or tmpfs").into()),
    };
    if !fits {
        let why = format!("of type {kind} has a `source` that does not fit: `{}`", escaped(&source));
        return Err(read::wrong(option, arg, &why).into());
    }
    let mut canonical = Map::from_iter([("type".to_owned(), json!(kind))]);
    if !source.is_empty() {
        let source = if kind == "bind" { trimmed(&source) } else { &source };
        canonical.insert("source".to_owned(), json!(source));
    }
    for (name, arg) in &fields {
        let full = format!("{option}.{name}");
        let of_type = match *name {
            "propagation" => "bind",
            "no_copy" => "volume",
            "size" | "mode" => "tmpfs",
            _ => kind.as_str(),
        };
        if of_type != kind {
            return Err(
                read::wrong(&full, arg, &format!("is an option of type {of_type}, not {kind}")).into()
            );
        }
        let value = match *name {
            "read_only" | "no_copy" => json!(read::boolean(&full, arg)?),
            "size" => json!(read::bytes(&full, arg)?),
            "mode" => json!(mode(&full, arg)?),
            "propagation" => json!(read::word(&full, arg)?),
            _ => continue,
        };
        // False is what the Engine takes anyway.
        if value != json!(false) {
            canonical.insert((*name).to_owned(), value);
        }
    }
    Ok((trimmed(&target).to_owned(), Value::Object(canonical)))
}

/// A file mode: text is octal, a number is as it is (TOML has `0o1777`).
fn mode(option: &str, arg: &Arg) -> Result<i64> {
    let mode = match &arg.value {
        ArgValue::Text(text) => text.as_clear().and_then(|text| i64::from_str_radix(text.trim(), 8).ok()),
        ArgValue::Integer(mode) => Some(*mode),
        _ => None,
    };
    let fits = mode.filter(|mode| (0..=0o7777).contains(mode));
    fits.ok_or_else(|| read::wrong(option, arg, "wants a file mode like \"1777\"").into())
}

fn engine_mount(target: &str, mount: &Value) -> Value {
    let mut shaped = json!({ "Type": mount["type"], "Target": target });
    let mut put = |pointer: [&str; 2], value: &Value| match pointer {
        ["", field] => shaped[field] = value.clone(),
        [part, field] => shaped[part][field] = value.clone(),
    };
    for (name, value) in mount.as_object().into_iter().flatten() {
        match name.as_str() {
            "source" => put(["", "Source"], value),
            "read_only" => put(["", "ReadOnly"], value),
            "propagation" => put(["BindOptions", "Propagation"], value),
            "no_copy" => put(["VolumeOptions", "NoCopy"], value),
            "size" => put(["TmpfsOptions", "SizeBytes"], value),
            "mode" => put(["TmpfsOptions", "Mode"], value),
            _ => {}
        }
    }
    shaped
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let mounts: Vec<Value> =
        each_entry(canonical).map(|(target, mount)| engine_mount(target, mount)).collect();
    body.set(MOUNTS, Value::Array(mounts));
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(MOUNTS).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let declared = each_entry(canonical).count();
    // The volume of `secrets` is no declared mount.
    let own = |mount: &&Value| mount["Target"] == FOLDER;
    let found: Vec<&Value> = found.iter().filter(|mount| !own(mount)).collect();
    declared != found.len()
        || each_entry(canonical).any(|(target, mount)| {
            let wanted = engine_mount(target, mount);
            let there = found.iter().find(|found| found["Target"] == target.as_str());
            there.is_none_or(|there| !compare::within(&wanted, there))
        })
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
        let why = format!("has `{}`, which is no absolute path below /", escaped(path));
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
    !compare::same(canonical, inspect.compare(TMPFS))
}
