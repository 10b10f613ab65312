//! Which helper answers for which registry: `credHelpers` by host, `credsStore` for all of them.

use super::json::{Lines, field, line_of, object, start, string, table};
use super::layout::{Layout, cuts};
use super::splice::{Splice, apply};
use crate::problem::{Place, Problem, Problems, Result, escaped};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use std::collections::BTreeMap;

/// What clients call us: they run `docker-credential-pillarbox`.
pub const HELPER: &str = "pillarbox";

pub(super) const HELPERS: &str = "credHelpers";
const STORE: &str = "credsStore";

/// The helpers that a file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helpers {
    /// `credsStore`: for every registry without an entry of its own. Podman does not read it.
    pub store: Option<String>,
    /// `credHelpers`: by the name of a registry, as written.
    pub by_host: BTreeMap<String, String>,
    /// The line of `credsStore`; 0 where there is none.
    pub store_line: u32,
    /// The lines of `credHelpers`, by the name of a registry.
    pub lines: BTreeMap<String, u32>,
}

/// What a file must say.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// `credHelpers` for these registries, as this client names them.
    Hosts(&'a [String]),
    /// `credsStore`.
    Store,
}

/// What stood where our name stands now: to be put back one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Other helpers by registry.
    pub by_host: BTreeMap<String, String>,
    /// Another `credsStore`.
    pub store: Option<String>,
}

/// Reads which helpers a file names. `file` is its path, for errors.
///
/// # Errors
/// Where it is not JSON, or one of the two fields is of another type.
pub fn helpers(text: &str, file: &str) -> Result<Helpers> {
    let Some(root) = object(text, file)? else { return Ok(Helpers::default()) };
    let at = Lines::of(text);
    let store = string(text, file, &root, STORE)?;
    let store_line = store.map_or(0, |found| at.line(found.range.start));
    let (mut by_host, mut lines) = (BTreeMap::new(), BTreeMap::new());
    // Of two equal keys the last holds, as in Go.
    for entry in table(text, file, &root, HELPERS)?.into_iter().flat_map(|table| &table.properties) {
        if let Value::StringLit(name) = &entry.value {
            by_host.insert(entry.name.as_str().to_owned(), name.value.to_string());
            lines.insert(entry.name.as_str().to_owned(), at.line(entry.range.start));
        }
    }
    Ok(Helpers { store: store.map(|found| found.value.to_string()), by_host, store_line, lines })
}

/// The changes that make a file name us, and what they replace; no changes where it does already.
///
/// # Errors
/// Where the file is broken, or names another helper and `replace` is not given.
pub fn wire(text: &str, file: &str, want: Want<'_>, replace: bool) -> Result<(Vec<Splice>, Replaced)> {
    let root = object(text, file)?;
    let layout = Layout::of(text, root.as_ref());
    let mut replaced = Replaced::default();
    let ours = format!("\"{HELPER}\"");
    let splices = match want {
        Want::Store => {
            let pair = [(format!("\"{STORE}\""), ours.clone())];
            let found = match &root {
                Some(root) => field(text, file, root, STORE)?,
                None => None,
            };
            match (&root, found.map(|field| &field.value)) {
                (None, _) => fresh(text, &layout, &pair),
                (Some(root), None) => vec![layout.append(root, &pair)],
                (Some(_), Some(Value::StringLit(name))) if name.value == HELPER => Vec::new(),
                (Some(_), Some(value)) => {
                    replaced.store = another(text, file, "every registry", value, replace)?;
                    vec![exchange(text, value, &ours)]
                }
            }
        }
        Want::Hosts(hosts) => {
            let found = match &root {
                Some(root) => field(text, file, root, HELPERS)?.map(|field| &field.value),
                None => None,
            };
            let entries = match found {
                Some(Value::Object(entries)) => Some(entries),
                None | Some(Value::NullKeyword(_)) => None,
                Some(other) => {
                    let place = Place::new(file, line_of(text, start(other)));
                    return Err(Problem::failed(format!("`{HELPERS}` is not an object")).at(&place).into());
                }
            };
            let (mut splices, mut new, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
            for host in hosts {
                let entry = entries.and_then(|entries| entries.get(host));
                match entry.map(|entry| &entry.value) {
                    None => new.push((quoted(host), ours.clone())),
                    Some(Value::StringLit(name)) if name.value == HELPER => {}
                    Some(value) => match another(text, file, &escaped(host), value, replace) {
                        Ok(name) => {
                            replaced.by_host.extend(name.map(|name| (host.clone(), name)));
                            splices.push(exchange(text, value, &ours));
                        }
                        Err(problems) => wrong.extend(problems.into_vec()),
                    },
                }
            }
            Problems::check(wrong)?;
            if !new.is_empty() {
                splices.extend(match (&root, entries, found) {
                    (_, Some(entries), _) => vec![layout.append(entries, &new)],
                    (Some(root), None, Some(null)) => {
                        vec![exchange(text, null, &layout.object(&layout.indent_in(root), &new))]
                    }
                    (Some(root), None, None) => {
                        let value = layout.object(&layout.indent_in(root), &new);
                        vec![layout.append(root, &[(format!("\"{HELPERS}\""), value)])]
                    }
                    (None, ..) => {
                        let value = layout.object("\t", &new);
                        fresh(text, &layout, &[(format!("\"{HELPERS}\""), value)])
                    }
                });
            }
            splices.sort_by_key(|splice| splice.at);
            splices
        }
    };
    Ok((splices, replaced))
}

/// The text of a file without our name, even if it was not written by us; what it replaced is put back. `None` where it
/// does not name us.
///
/// # Errors
/// Where the file is broken.
pub fn unwire(text: &str, file: &str, replaced: &Replaced) -> Result<Option<String>> {
    let Some(root) = object(text, file)? else { return Ok(None) };
    let is_ours = |value: &Value<'_>| matches!(value, Value::StringLit(name) if name.value == HELPER);
    let mut splices = Vec::new();
    let mut gone: Vec<&str> = Vec::new();
    if let Some(store) = field(text, file, &root, STORE)?.filter(|store| is_ours(&store.value)) {
        match &replaced.store {
            Some(old) => splices.push(exchange(text, &store.value, &quoted(old))),
            None => gone.push(store.name.as_str()),
        }
    }
    if let Some(entries) = table(text, file, &root, HELPERS)? {
        let goes = |host: &str, value: &Value<'_>| is_ours(value) && !replaced.by_host.contains_key(host);
        let all_go = entries.properties.iter().all(|entry| goes(entry.name.as_str(), &entry.value));
        match field(text, file, &root, HELPERS)?.filter(|_| all_go && !entries.properties.is_empty()) {
            Some(helpers) => gone.push(helpers.name.as_str()),
            None => {
                splices.extend(cuts(text, entries, |entry| goes(entry.name.as_str(), &entry.value)));
                for entry in entries.properties.iter().filter(|entry| is_ours(&entry.value)) {
                    if let Some(old) = replaced.by_host.get(entry.name.as_str()) {
                        splices.push(exchange(text, &entry.value, &quoted(old)));
                    }
                }
            }
        }
    }
    if !gone.is_empty() && gone.len() == root.properties.len() {
        splices.push(emptied(text, &root));
    } else {
        splices.extend(cuts(text, &root, |property| gone.contains(&property.name.as_str())));
    }
    splices.sort_by_key(|splice| splice.at);
    Ok(if splices.is_empty() { None } else { apply(text, &splices) })
}

fn emptied(text: &str, object: &Object<'_>) -> Splice {
    let inside = object.range.start + 1..object.range.end - 1;
    Splice { at: inside.start, removed: text[inside].to_owned(), inserted: String::new() }
}

/// The whole of a file that held nothing.
pub(super) fn fresh(text: &str, layout: &Layout<'_>, pairs: &[(String, String)]) -> Vec<Splice> {
    let inserted = format!("{}\n", layout.object("", pairs));
    vec![Splice { at: 0, removed: text.to_owned(), inserted }]
}

/// Another value in the place of one.
pub(super) fn exchange(text: &str, value: &Value<'_>, by: &str) -> Splice {
    let range = value.range();
    Splice { at: range.start, removed: text[range.start..range.end].to_owned(), inserted: by.to_owned() }
}

/// The helper that stands there already, if it may be replaced. An empty text and `null` name none.
fn another(text: &str, file: &str, of: &str, value: &Value<'_>, replace: bool) -> Result<Option<String>> {
    let place = Place::new(file, line_of(text, start(value)));
    match value {
        Value::NullKeyword(_) => Ok(None),
        Value::StringLit(name) if name.value.is_empty() => Ok(None),
        Value::StringLit(name) if replace => Ok(Some(name.value.to_string())),
        Value::StringLit(name) => Err(Problem::failed(format!(
            "another helper answers for {of}: `{}`",
            escaped(&name.value)
        ))
        .at(&place)
        .hint("to use pillarbox instead (`helper remove` puts the other one back): pillarbox registry helper install --replace")
        .into()),
        _ => Err(Problem::failed(format!("the helper of {of} is not a string")).at(&place).into()),
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
