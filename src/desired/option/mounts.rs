//! `mounts`, with all the fields that the Engine has for them, keyed by their path in the container.

use super::Body;
use super::simple::{derived, trimmed};
use crate::desired::container_file::FOLDER as OF_FILES;
use crate::desired::secret_file::FOLDER;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::name::is_anonymous;
use crate::problem::{Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const MOUNTS: &str = "/HostConfig/Mounts";

const TYPES: [&str; 6] = ["bind", "cluster", "image", "npipe", "tmpfs", "volume"];

/// A field of a mount.
struct MountField {
    name: &'static str,
    /// As Compose and `docker run --mount` call it.
    aliases: &'static [&'static str],
    /// The types that have it; empty: all.
    types: &'static [&'static str],
    /// Its place in the Engine's `Mount`; empty: nowhere, or by its type.
    path: &'static [&'static str],
}

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    types: &'static [&'static str],
    path: &'static [&'static str],
) -> MountField {
    MountField { name, aliases, types, path }
}

#[rustfmt::skip]
const FIELDS: &[MountField] = &[
    field("type", &[], &[], &["Type"]),
    field("source", &["src"], &[], &["Source"]),
    field("target", &["dst", "dest", "destination"], &[], &["Target"]),
    field("read_only", &["readonly", "ro"], &[], &["ReadOnly"]),
    field("consistency", &[], &[], &["Consistency"]),
    field("create_mountpoint", &["create_host_path", "bind-create-src"], &["bind"], &["BindOptions", "CreateMountpoint"]),
    field("driver", &["volume_driver", "volume-driver"], &["volume"], &["VolumeOptions", "DriverConfig", "Name"]),
    field("driver_options", &["volume_options", "volume-opt"], &["volume"], &["VolumeOptions", "DriverConfig", "Options"]),
    field("labels", &["volume-label"], &["volume"], &["VolumeOptions", "Labels"]),
    field("mode", &["tmpfs_mode", "tmpfs-mode"], &["tmpfs"], &["TmpfsOptions", "Mode"]),
    field("no_copy", &["nocopy", "volume-nocopy"], &["volume"], &["VolumeOptions", "NoCopy"]),
    field("non_recursive", &["bind-nonrecursive"], &["bind"], &["BindOptions", "NonRecursive"]),
    field("options", &["tmpfs_options"], &["tmpfs"], &["TmpfsOptions", "Options"]),
    field("propagation", &["bind-propagation"], &["bind"], &["BindOptions", "Propagation"]),
    field("read_only_force_recursive", &[], &["bind"], &["BindOptions", "ReadOnlyForceRecursive"]),
    field("read_only_non_recursive", &[], &["bind"], &["BindOptions", "ReadOnlyNonRecursive"]),
    field("size", &["tmpfs_size", "tmpfs-size"], &["tmpfs"], &["TmpfsOptions", "SizeBytes"]),
    field("subpath", &["volume-subpath", "image-subpath"], &["volume", "image"], &[]),
];

/// Tables with `type`, `source`, `target` and options of the type, which may be in a table named after
/// it as in Compose; or `docker run --mount`'s text, `type=bind,src=/a,dst=/b,ro`.
pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    keyed(option, arg, read::each(items, |item| mount(option, item))?)
}

/// By path in the container; two different mounts at one path are refused.
pub(super) fn keyed(option: &str, arg: &Arg, items: Vec<(String, Value)>) -> Result<Value> {
    let mut found = BTreeMap::new();
    for (target, value) in items {
        if let Some(before) = found.get(&target)
            && *before != value
        {
            let why = format!("has two mounts at `{}`", escaped(&target));
            return Err(read::wrong(option, arg, &why).into());
        }
        found.insert(target, value);
    }
    Ok(if found.is_empty() { Value::Null } else { json!(found) })
}

pub(super) fn each_entry(canonical: &Value) -> impl Iterator<Item = (&String, &Value)> {
    canonical.as_object().into_iter().flatten()
}

/// In text each entry of a list is a part of its own.
fn add(found: &mut BTreeMap<&'static str, Arg>, name: &'static str, item: &Arg) {
    let listed = matches!(name, "labels" | "driver_options" | "options");
    if !listed || !matches!(item.value, ArgValue::Text(_)) {
        found.insert(name, item.clone());
        return;
    }
    let list =
        found.entry(name).or_insert_with(|| Arg { value: ArgValue::Array(Vec::new()), ..item.clone() });
    if let ArgValue::Array(items) = &mut list.value {
        items.push(item.clone());
    }
}

/// The written fields by their canonical names.
fn written(option: &str, arg: &Arg) -> Result<BTreeMap<&'static str, Arg>> {
    let mut found = BTreeMap::new();
    let mut put = |name: &str, item: &Arg| {
        let known = FIELDS.iter().find(|field| field.name == name || field.aliases.contains(&name));
        match known {
            Some(field) => {
                add(&mut found, field.name, item);
                Ok(())
            }
            None => {
                let problem =
                    crate::problem::Problem::failed(format!("`{option}` has no field `{}`", escaped(name)));
                Err(problem.at(&item.place).nearest(name, FIELDS.iter().map(|field| field.name)))
            }
        }
    };
    if let ArgValue::Table(table) = &arg.value {
        let mut problems = Vec::new();
        for (name, item) in table.iter().filter(|(_, item)| item.value != ArgValue::Unset) {
            match &item.value {
                ArgValue::Table(below) if TYPES.contains(&name.as_str()) => {
                    let set = below.iter().filter(|(_, item)| item.value != ArgValue::Unset);
                    problems.extend(set.filter_map(|(name, item)| put(name, item).err()));
                }
                _ => problems.extend(put(name, item).err()),
            }
        }
        crate::problem::Problems::check(problems)?;
        return Ok(found);
    }
    for part in read::word(option, arg)?.split(',') {
        match part.split_once('=') {
            Some((name, value)) => put(name, &derived(arg, value))?,
            None => put(part, &Arg { value: ArgValue::Boolean(true), ..arg.clone() })?,
        }
    }
    Ok(found)
}

fn mount(option: &str, arg: &Arg) -> Result<(String, Value)> {
    let fields = written(option, arg)?;
    let text = |name: &str| fields.get(name).map(|arg| read::word(option, arg)).transpose();
    let kind = text("type")?.unwrap_or_else(|| "volume".to_owned());
    let target = text("target")?.unwrap_or_default();
    if !target.starts_with('/') || trimmed(&target) == "/" {
        return Err(read::wrong(option, arg, "needs an absolute `target` other than /").into());
    }
    let source = text("source")?.unwrap_or_default();
    let fits = match kind.as_str() {
        "bind" => source.starts_with('/'),
        "volume" => !source.contains('/'),
        "tmpfs" => source.is_empty(),
        _ if TYPES.contains(&kind.as_str()) => !source.is_empty(),
        _ => {
            let what = "has a `type` that is not bind, volume, tmpfs, image, npipe or cluster";
            return Err(read::wrong(option, arg, what).into());
        }
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
        let types = FIELDS.iter().find(|field| field.name == *name).map_or(&[][..], |field| field.types);
        if !types.is_empty() && !types.contains(&kind.as_str()) {
            let why = format!("is an option of type {}, not {kind}", types.join(" or "));
            return Err(read::wrong(&full, arg, &why).into());
        }
        let value = match *name {
            "type" | "source" | "target" => continue,
            "size" => json!(read::bytes(&full, arg)?),
            "mode" => json!(mode(&full, arg)?),
            "labels" | "driver_options" => json!(read::pairs(&full, arg, '=')?),
            "propagation" | "driver" | "subpath" => json!(read::word(&full, arg)?),
            "consistency" => match read::word(&full, arg)?.as_str() {
                "default" => continue,
                word => json!(word),
            },
            "options" => options(&full, arg)?,
            _ => json!(truth(&full, arg)?),
        };
        // False and empty is what the Engine takes anyway.
        if value != json!(false) && value != json!({}) && value != json!([]) {
            canonical.insert((*name).to_owned(), value);
        }
    }
    Ok((trimmed(&target).to_owned(), Value::Object(canonical)))
}

/// In `docker run`'s text it is a word.
fn truth(option: &str, arg: &Arg) -> Result<bool> {
    match &arg.value {
        ArgValue::Text(text) if matches!(text.as_clear(), Some("true" | "1")) => Ok(true),
        ArgValue::Text(text) if matches!(text.as_clear(), Some("false" | "0")) => Ok(false),
        _ => read::boolean(option, arg),
    }
}

/// `noexec`, `uid=1000`: the Engine has lists of one or two words.
fn options(option: &str, arg: &Arg) -> Result<Value> {
    let lines = match &arg.value {
        ArgValue::Table(_) => {
            let pairs = read::pairs(option, arg, '=')?.into_iter();
            pairs.map(|(key, value)| if value.is_empty() { key } else { format!("{key}={value}") }).collect()
        }
        _ => read::list(option, arg)?,
    };
    let mut lines: Vec<Vec<&str>> =
        lines.iter().map(|line| line.splitn(2, '=').collect::<Vec<_>>()).collect();
    lines.sort_unstable();
    Ok(json!(lines))
}

/// A file mode in octal digits; a number would be read as decimal by one and octal by the other.
fn mode(option: &str, arg: &Arg) -> Result<i64> {
    let mode = match &arg.value {
        ArgValue::Text(text) => text.as_clear().and_then(|text| i64::from_str_radix(text.trim(), 8).ok()),
        _ => None,
    };
    let fits = mode.filter(|mode| (0..=0o7777).contains(mode));
    let wrong = || read::wrong(option, arg, "must be permission bits from \"0000\" to \"7777\", in quotes");
    fits.ok_or_else(|| wrong().into())
}

fn engine_mount(target: &str, mount: &Value) -> Value {
    let mut shaped = json!({ "Type": mount["type"], "Target": target });
    for (name, value) in mount.as_object().into_iter().flatten() {
        let path: &[&str] = match (name.as_str(), mount["type"].as_str()) {
            ("type", _) => continue,
            ("subpath", Some("image")) => &["ImageOptions", "Subpath"],
            ("subpath", _) => &["VolumeOptions", "Subpath"],
            (name, _) => FIELDS.iter().find(|field| field.name == name).map_or(&[], |field| field.path),
        };
        let mut place = &mut shaped;
        for part in path {
            place = &mut place[*part];
        }
        *place = value.clone();
    }
    shaped
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let mounts: Vec<Value> =
        each_entry(canonical).map(|(target, mount)| engine_mount(target, mount)).collect();
    body.set(MOUNTS, Value::Array(mounts));
}

/// What Podman tells of a mount.
fn reported(mut mount: Value) -> Value {
    if let Some(fields) = mount.as_object_mut() {
        fields.retain(|field, _| {
            matches!(
                field.as_str(),
                "Type" | "Source" | "Target" | "ReadOnly" | "BindOptions" | "TmpfsOptions"
            )
        });
        if fields.get("Type").is_some_and(|kind| kind == "tmpfs") {
            fields.remove("ReadOnly");
        }
        for (part, told) in [("BindOptions", &["Propagation"][..]), ("TmpfsOptions", &["SizeBytes", "Mode"])]
        {
            if let Some(options) = fields.get_mut(part).and_then(Value::as_object_mut) {
                options.retain(|field, _| told.contains(&field.as_str()));
            }
        }
    }
    mount
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(MOUNTS).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let declared = each_entry(canonical).count();
    // The volume of `secrets` and `files` and what is in it are no declared mounts, nor is an anonymous one of a predecessor.
    let is_declared =
        |mount: &Value| each_entry(canonical).any(|(target, _)| mount["Target"] == target.as_str());
    let handed = |mount: &Value| mount["Source"].as_str().is_some_and(is_anonymous) && !is_declared(mount);
    let own = |mount: &&Value| {
        let of_files = mount["Target"] == OF_FILES
            || mount["Source"].as_str().is_some_and(|source| source.contains("/pillarbox-secrets."));
        mount["Target"] == FOLDER || of_files || handed(mount)
    };
    let found: Vec<&Value> = found.iter().filter(|mount| !own(mount)).collect();
    let partial = inspect.gaps().partial;
    (!partial && declared != found.len())
        || each_entry(canonical).any(|(target, mount)| {
            let wanted =
                if partial { reported(engine_mount(target, mount)) } else { engine_mount(target, mount) };
            let there = found.iter().find(|found| found["Target"] == target.as_str());
            let writable = |mount: &Value| partial || mount["ReadOnly"] != true;
            there.is_none_or(|there| !compare::within(&wanted, there) || writable(&wanted) != writable(there))
        })
}
