//! The values of `pillar.items`: which are sealed, and which file each goes to.

use super::looks_secret;
use super::merge::Group;
use super::write::{key as written_key, quoted};
use crate::name::KeyPath;
use crate::problem::{Place, Problem, Result, escaped};
use crate::registry::placeholder;
use crate::secret::Secret;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Tables of a pillar that have a meaning of their own here.
const OURS: [&str; 2] = ["deploy", "registries"];

/// How deep a pillar may nest.
const DEEPEST: usize = 64;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeafValue {
    /// A text.
    Text(String),
    /// Anything else, as TOML.
    Toml(String),
}

/// A value of the pillar of a minion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarLeaf {
    /// Its key.
    pub key: KeyPath,
    /// What it is.
    pub value: LeafValue,
    /// Whether it is sealed.
    pub is_sealed: bool,
    /// Why it is not imported, and the way on.
    pub left_out: Option<(String, String)>,
}

/// The values of a pillar. `seal` and `clear` are keys, or tables of them, that are sealed or not whatever they are
/// called.
///
/// # Errors
/// If it is no pillar, or Salt could not render it.
pub fn leaves(file: &str, answer: &Value, seal: &[KeyPath], clear: &[KeyPath]) -> Result<Vec<PillarLeaf>> {
    let place = Place::new(file, 0);
    let Value::Object(top) = answer else {
        return Err(Problem::failed("this is no pillar that Salt has rendered")
            .at(&place)
            .hint("salt-call --local --out json pillar.items > pillar.json")
            .into());
    };
    if let Some(errors) = top.get("_errors") {
        let mut problem = Problem::failed("Salt could not render the pillar").at(&place);
        for line in errors.as_array().into_iter().flatten().filter_map(Value::as_str) {
            problem = problem.cause(escaped(line.lines().next().unwrap_or_default()));
        }
        return Err(problem.hint("mend the pillar of Salt, and run its command again").into());
    }
    let mut walk = Walk { seal, clear, file, found: Vec::new() };
    walk.table(top, &mut Vec::new());
    Ok(walk.found)
}

/// Whether a value of a pillar holds Salt's credentials of registries.
pub fn is_registries(key: &KeyPath) -> bool {
    key.parts().len() == 1 && key.parts().first().is_some_and(|top| holds_registries(top))
}

fn holds_registries(top: &str) -> bool {
    top == "docker-registries" || top.ends_with("-docker-registries")
}

struct Walk<'a> {
    seal: &'a [KeyPath],
    clear: &'a [KeyPath],
    file: &'a str,
    found: Vec<PillarLeaf>,
}

impl Walk<'_> {
    fn table(&mut self, table: &Map<String, Value>, path: &mut Vec<String>) {
        for (name, value) in table {
            path.push(name.clone());
            self.value(name, value, path);
            path.pop();
        }
    }

    fn value(&mut self, name: &str, value: &Value, path: &mut Vec<String>) {
        if let Some((why, hint)) = self.not_ours(path) {
            return self.leave(path, &why, &hint);
        }
        match value {
            Value::Object(_) if path.len() >= DEEPEST => self.leave(path, "it is nested too deep", ""),
            Value::Object(table) => self.table(table, path),
            Value::Null => self.leave(path, "it has no value", ""),
            Value::String(text) => {
                let way = format!("decrypt it with its own tool, then: pillarbox seal {}", shown(path));
                if let Some(why) = encrypted(text) {
                    return self.leave(path, why, &way);
                }
                let is_sealed = self.is_sealed(path, text);
                self.put(path, LeafValue::Text(text.clone()), is_sealed);
            }
            Value::Array(items) => {
                let secret = self.is_sealed(path, "") || !self.is_clear(path) && holds_secret(name, value);
                if secret {
                    let way =
                        format!("give each of them a name, and seal it: pillarbox seal {}.NAME", shown(path));
                    return self.leave(path, "a list cannot hold sealed values", &way);
                }
                if let Some(why) = items.iter().find_map(within_encrypted) {
                    return self.leave(path, why, "decrypt it with its own tool");
                }
                let written = toml(value);
                self.put(path, LeafValue::Toml(written), false);
            }
            Value::Bool(_) | Value::Number(_) => {
                let sealed = self.seal.iter().any(|key| is_below(path, key));
                let value =
                    if sealed { LeafValue::Text(value.to_string()) } else { LeafValue::Toml(toml(value)) };
                self.put(path, value, sealed);
            }
        }
    }

    /// Tables with a meaning of their own, here or for Salt.
    fn not_ours(&self, path: &[String]) -> Option<(String, String)> {
        let [top] = path else { return None };
        if holds_registries(top) {
            let way = format!("pillarbox registry import {}", escaped(self.file));
            return Some(("credentials of registries have a command of their own".to_owned(), way));
        }
        if OURS.contains(&top.as_str()) {
            let why = format!("`{top}` has a meaning of its own in a pillar here");
            return Some((why, "give it another name in Salt, and render it again".to_owned()));
        }
        (top == "master").then(|| ("it is the configuration of Salt's master".to_owned(), String::new()))
    }

    fn is_sealed(&self, path: &[String], text: &str) -> bool {
        if self.seal.iter().any(|key| is_below(path, key)) {
            return true;
        }
        let name = path.last().map(String::as_str).unwrap_or_default();
        !text.is_empty() && !self.is_clear(path) && looks_secret(name, text)
    }

    fn is_clear(&self, path: &[String]) -> bool {
        self.clear.iter().any(|key| is_below(path, key))
    }

    fn put(&mut self, path: &[String], value: LeafValue, is_sealed: bool) {
        if let Some(key) = KeyPath::from_parts(path.to_vec()) {
            self.found.push(PillarLeaf { key, value, is_sealed, left_out: None });
        }
    }

    fn leave(&mut self, path: &[String], why: &str, hint: &str) {
        if let Some(key) = KeyPath::from_parts(path.to_vec()) {
            let left_out = Some((why.to_owned(), hint.to_owned()));
            self.found.push(PillarLeaf {
                key,
                value: LeafValue::Toml(String::new()),
                is_sealed: false,
                left_out,
            });
        }
    }
}

fn is_below(path: &[String], key: &KeyPath) -> bool {
    path.len() >= key.parts().len() && path.iter().zip(key.parts()).all(|(one, other)| one == other)
}

fn shown(path: &[String]) -> String {
    KeyPath::from_parts(path.to_vec()).map(|key| escaped(&key.to_string())).unwrap_or_default()
}

fn encrypted(text: &str) -> Option<&'static str> {
    placeholder(&Secret::from(text.to_owned())).filter(|why| why.contains("encrypted"))
}

fn within_encrypted(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => encrypted(text),
        Value::Array(items) => items.iter().find_map(within_encrypted),
        Value::Object(table) => table.values().find_map(within_encrypted),
        _ => None,
    }
}

fn holds_secret(name: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty() && looks_secret(name, text),
        Value::Array(items) => items.iter().any(|item| holds_secret(name, item)),
        Value::Object(table) => table.iter().any(|(name, value)| holds_secret(name, value)),
        _ => false,
    }
}

/// A value of JSON as TOML on one line, without what has no value.
fn toml(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.to_string(),
            None if number.to_string().contains('.') => number.to_string(),
            None => quoted(&number.to_string()),
        },
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter(|item| !item.is_null()).map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let set = table.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> =
                set.map(|(name, value)| format!("{} = {}", written_key(name), toml(value))).collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
    }
}

/// The values of a pillar file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Each with whether it is sealed.
    pub leaves: BTreeMap<KeyPath, (LeafValue, bool)>,
}

/// The values of a minion, each with whether it is sealed.
type Values<'l> = BTreeMap<&'l KeyPath, (&'l LeafValue, bool)>;

/// The values of all minions, each where it is written once: `salt` has what all of them share, then groups,
/// then `hosts/NAME`.
pub fn shares(
    minions: &[(Option<String>, Vec<PillarLeaf>)],
    groups: &[Group],
    host_of: impl Fn(&str) -> String,
) -> BTreeMap<String, Share> {
    let tables: Vec<(Option<&str>, Values<'_>)> = minions
        .iter()
        .map(|(name, leaves)| {
            let kept = leaves.iter().filter(|leaf| leaf.left_out.is_none());
            (name.as_deref(), kept.map(|leaf| (&leaf.key, (&leaf.value, leaf.is_sealed))).collect())
        })
        .collect();
    let mut found: BTreeMap<String, Share> = BTreeMap::new();
    let keys: BTreeSet<&KeyPath> = tables.iter().flat_map(|(_, table)| table.keys().copied()).collect();
    for key in keys {
        let mut put = |file: String, (value, sealed): (&LeafValue, bool)| {
            found.entry(file).or_default().leaves.insert(key.clone(), (value.clone(), sealed));
        };
        let same = |members: &[usize]| -> Option<(&LeafValue, bool)> {
            let first = tables.get(*members.first()?)?.1.get(key)?;
            members.iter().all(|at| tables[*at].1.get(key) == Some(first)).then_some(*first)
        };
        let all: Vec<usize> = (0..tables.len()).collect();
        if let Some(value) = same(&all) {
            put("salt.toml".to_owned(), value);
            continue;
        }
        let mut done: BTreeSet<usize> = BTreeSet::new();
        for group in groups {
            let members: Vec<usize> = all
                .iter()
                .copied()
                .filter(|at| {
                    tables[*at].0.is_some_and(|name| group.minions.iter().any(|minion| minion == name))
                })
                .collect();
            if members.len() > 1
                && let Some(value) = same(&members)
            {
                put(format!("{}.toml", group.name), value);
                done.extend(members);
            }
        }
        for (_, (name, table)) in tables.iter().enumerate().filter(|(at, _)| !done.contains(at)) {
            if let (Some(name), Some(value)) = (name, table.get(key)) {
                put(format!("hosts/{}.toml", host_of(name)), *value);
            }
        }
    }
    found
}

/// A pillar file with values in clear and sealed ones, which `sealed` writes.
///
/// # Errors
/// Those of `sealed`.
pub fn pillar_file(
    share: &Share,
    mut sealed: impl FnMut(&KeyPath, &str) -> Result<String>,
) -> Result<String> {
    let mut by_table: BTreeMap<Vec<String>, Vec<(&KeyPath, &LeafValue, bool)>> = BTreeMap::new();
    for (key, (value, is_sealed)) in &share.leaves {
        let parent = key.parent().map(|parent| parent.parts().to_vec()).unwrap_or_default();
        by_table.entry(parent).or_default().push((key, value, *is_sealed));
    }
    let mut text = "# From Salt's pillar, imported by pillarbox.\n".to_owned();
    for (table, leaves) in by_table {
        if !table.is_empty() {
            let parts: Vec<String> = table.iter().map(|part| written_key(part)).collect();
            text.push_str(&format!("\n[{}]\n", parts.join(".")));
        }
        for (key, value, is_sealed) in leaves {
            let written = match (value, is_sealed) {
                (LeafValue::Text(text), true) => sealed(key, text)?,
                (LeafValue::Text(text), false) => quoted(text),
                (LeafValue::Toml(written), _) => written.clone(),
            };
            text.push_str(&format!("{} = {written}\n", written_key(key.last())));
        }
    }
    Ok(text)
}
