//! Other containers that one is made with: their volumes, their names.

use super::Body;
use super::namespaces::SHARED;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::name::ContainerName;
use crate::problem::{Result, escaped};
use crate::state::{Arg, ArgValue};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FROM: &str = "/HostConfig/VolumesFrom";
const LINKS: &str = "/HostConfig/Links";

/// `NAME[:ro]`; without a word they are writable.
pub(super) fn volumes_from(option: &str, arg: &Arg) -> Result<Value> {
    let single = std::slice::from_ref(arg);
    let items = if let ArgValue::Array(items) = &arg.value { items } else { single };
    let all = read::each(items, |item| {
        let text = read::word(option, item)?;
        // Compose tells containers from services.
        let bare = text.strip_prefix(SHARED).unwrap_or(&text);
        let (name, mode) = bare.split_once(':').unwrap_or((bare, "rw"));
        match (ContainerName::parse(name), mode) {
            (Ok(name), "rw") => Ok(name.to_string()),
            (Ok(name), "ro") => Ok(format!("{name}:ro")),
            _ => Err(read::wrong(
                option,
                item,
                &format!("has `{}`, which does not name a container", escaped(&text)),
            )
            .hint("write the name of a container, \"data\" or \"data:ro\"")
            .into()),
        }
    })?;
    let all: BTreeSet<String> = all.into_iter().collect();
    Ok(if all.is_empty() { Value::Null } else { json!(all) })
}

pub(super) fn write_from(canonical: &Value, body: &mut Body) {
    body.set(FROM, canonical.clone());
}

/// One that Compose made names the other containers by their ids, of which each may be any that is declared.
pub(super) fn from_differs(canonical: &Value, inspect: &Inspect) -> bool {
    let normal = |text: String| text.strip_suffix(":rw").map_or(text.clone(), str::to_owned);
    let wanted: BTreeSet<String> = compare::texts(Some(canonical)).collect();
    let found: BTreeSet<String> = compare::texts(inspect.compare(FROM)).map(normal).collect();
    let (by_id, by_name): (Vec<&String>, Vec<&String>) = found.iter().partition(|one| is_id(one));
    let mut left: Vec<&String> = wanted.iter().filter(|one| !by_name.contains(one)).collect();
    let read_only = |one: &String| one.ends_with(":ro");
    let mut unmatched = by_name.iter().any(|one| !wanted.contains(*one));
    for one in by_id {
        match left.iter().position(|wanted| read_only(wanted) == read_only(one)) {
            Some(at) => drop(left.remove(at)),
            None => unmatched = true,
        }
    }
    unmatched || !left.is_empty()
}

/// A whole id of a container, with or without `:ro`.
fn is_id(text: &str) -> bool {
    let id = text.strip_suffix(":ro").unwrap_or(text);
    id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `NAME[:ALIAS]`, or a table of names and aliases; the name is an alias of itself.
pub(super) fn links(option: &str, arg: &Arg) -> Result<Value> {
    let mut found = BTreeSet::new();
    for (name, alias) in written(option, arg)? {
        let Ok(name) = ContainerName::parse(&name) else {
            let why = format!("has `{}`, which is not a container name", escaped(&name));
            return Err(read::wrong(option, arg, &why)
                .hint("write it like \"db\" or \"db:database\"")
                .into());
        };
        let alias = if alias.is_empty() { name.to_string() } else { alias };
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if !alias.bytes().all(fine) {
            let why = format!("has the alias `{}`, which is not a host name", escaped(&alias));
            return Err(read::wrong(option, arg, &why).into());
        }
        found.insert((name.to_string(), alias));
    }
    let lines: Vec<String> = found.into_iter().map(|(name, alias)| format!("{name}:{alias}")).collect();
    Ok(if lines.is_empty() { Value::Null } else { json!(lines) })
}

/// Names with their aliases as written. A list may give a container several.
fn written(option: &str, arg: &Arg) -> Result<Vec<(String, String)>> {
    let line = |text: String| match text.split_once(':') {
        Some((name, alias)) => (name.to_owned(), alias.to_owned()),
        None => (text, String::new()),
    };
    match &arg.value {
        ArgValue::Text(_) => Ok(vec![line(read::word(option, arg)?)]),
        ArgValue::Array(_) => Ok(read::list(option, arg)?.into_iter().map(line).collect()),
        _ => Ok(read::pairs(option, arg, ':')?.into_iter().collect()),
    }
}

pub(super) fn write_links(canonical: &Value, body: &mut Body) {
    body.set(LINKS, canonical.clone());
}

/// The Engine says `/db:/web/alias`, with the names that both have now; so only the aliases are compared.
pub(super) fn links_differ(canonical: &Value, inspect: &Inspect) -> bool {
    let alias = |line: String| line.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let wanted: BTreeSet<String> = compare::texts(Some(canonical)).map(alias).collect();
    let found: BTreeSet<String> = compare::texts(inspect.compare(LINKS)).map(alias).collect();
    wanted != found
}
