//! Options of one container that must be compatible: combinations that the Engine would refuse or silently drop.

mod files;
mod namespaces;

use crate::desired::fields::{Canonical, Field, Fields};
use crate::desired::secret_file::FOLDER;
use crate::desired::{SecretFile, Store};
use crate::problem::Problem;
use serde_json::Value;

/// Reports options that are not compatible.
pub(in crate::compile) fn check(fields: &Fields, problems: &mut Vec<Problem>) {
    let get = |name: &str| match fields.get(name) {
        Some(field @ Field { canonical: Canonical::Option(value), .. }) => Some((field, value)),
        _ => None,
    };
    let number = |name: &str| get(name).and_then(|(field, value)| Some((field, value.as_i64()?)));
    let mut wrong = |field: &Field, what: &str, hint: &str| {
        problems.push(Problem::failed(what).at(&field.place).hint(hint));
    };
    let memory = number("memory");
    match (memory, number("memory_swap")) {
        (None, Some((field, _))) => {
            wrong(field, "`memory_swap` is declared without `memory`", "declare `memory` too");
        }
        (Some((_, memory)), Some((field, swap))) if swap != -1 && swap < memory => {
            wrong(field, "`memory_swap` is less than `memory`", "it is memory and swap together");
        }
        _ => {}
    }
    if let (Some((_, memory)), Some((field, reserved))) = (memory, number("memory_reservation"))
        && reserved > memory
    {
        wrong(field, "`memory_reservation` is more than `memory`", "reserve less, or raise `memory`");
    }
    let mode = get("network_mode").map(|(field, value)| (field, value.as_str().unwrap_or_default()));
    if let (Some((field, mode)), Some(_)) = (mode, get("networks")) {
        let what = format!("`network_mode` is {mode} and `networks` are declared too");
        wrong(field, &what, "leave one of them out");
    }
    if let (Some((_, mode @ ("host" | "none"))), Some((field, _))) = (mode, get("ports")) {
        let what = format!("`ports` are published in network mode {mode}, where the Engine drops them");
        wrong(field, &what, "leave `ports` or `network_mode` out");
    }
    if let (None, Some((field, _))) = (get("log_driver"), get("log_options")) {
        wrong(
            field,
            "log options are declared without a driver",
            "write log = { driver = \"json-file\", options = { … } }",
        );
    }
    namespaces::check(fields, problems);
    mounted_twice(fields, problems);
}

/// Reports files and secrets that cannot be where they are declared. `ends`: the container is never
/// started again.
pub(in crate::compile) fn secrets_and_files(fields: &Fields, ends: bool, problems: &mut Vec<Problem>) {
    secrets(fields, ends, problems);
    files::check(fields, ends, problems);
}

/// Reports files of secrets that cannot be in their store or at their path. `ends`: the container is never
/// started again.
fn secrets(fields: &Fields, ends: bool, problems: &mut Vec<Problem>) {
    let mut files: Vec<(&String, &Field, &SecretFile)> = Vec::new();
    for (name, field) in fields {
        if let Canonical::Secret(file) = &field.canonical {
            files.push((name, field, file));
        }
    }
    let Some((first, _, store)) = files.first().map(|(name, field, file)| (*name, field, file.store)) else {
        return;
    };
    for (name, field, file) in &files {
        let name = crate::problem::escaped(name);
        if file.store == Store::Memory && !ends {
            let what = format!("`{name}` has store = \"memory\" in a container that may be started again");
            let cause = "nothing on the host could restore it after a crash or a reboot";
            let hint = "leave `store` out; only a `task.ran` can have a file in memory";
            problems.push(Problem::failed(what).at(&field.place).cause(cause).hint(hint));
        } else if file.store != store {
            let first = crate::problem::escaped(first);
            let what = format!("`{name}` and `{first}` of one container have different stores");
            problems.push(Problem::failed(what).at(&field.place).hint("give both the same `store`"));
        }
    }
    for name in ["mounts", "tmpfs", "volumes"] {
        let Some(field @ Field { canonical: Canonical::Option(Value::Object(paths)), .. }) = fields.get(name)
        else {
            continue;
        };
        let inside = |path: &&String| **path == FOLDER || path.starts_with(&format!("{FOLDER}/"));
        for path in paths.keys().filter(inside) {
            let path = crate::problem::escaped(path);
            let what = format!("`{name}` mounts `{path}`, where the files of `secrets` are");
            problems.push(Problem::failed(what).at(&field.place).hint("mount it elsewhere"));
        }
    }
}

/// Volumes, mounts and tmpfs at one path.
fn mounted_twice(fields: &Fields, problems: &mut Vec<Problem>) {
    let paths = |name: &'static str| {
        let field = fields.get(name);
        let table = match field.map(|field| &field.canonical) {
            Some(Canonical::Option(Value::Object(table))) => Some(table),
            _ => None,
        };
        let paths = table.into_iter().flat_map(|table| table.keys());
        paths.filter_map(move |path| Some((path, name, field?)))
    };
    let mut all: Vec<_> = paths("volumes").chain(paths("mounts")).chain(paths("tmpfs")).collect();
    all.sort_by_key(|(path, _, _)| *path);
    for pair in all.windows(2) {
        if let [(path, first, _), (other, second, field)] = pair
            && path == other
        {
            let what = format!("`{first}` and `{second}` both mount `{}`", crate::problem::escaped(path));
            problems.push(Problem::failed(what).at(&field.place));
        }
    }
}
