//! Merges two versions of a pillar file that were made from a third one: key by key, and without opening
//! anything. Comments and order are those of ours; what only the other side has comes with its comment.

use super::edit::{Splice, put};
use super::layout::{KeyEntry, Layout};
use super::{Document, read};
use crate::name::KeyPath;
use crate::pillar::value::Value;
use crate::problem::Result;
use std::collections::{BTreeMap, BTreeSet};

/// A merged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreeWay {
    /// Its text; with git's markers around both values of each conflict.
    pub text: String,
    /// The keys that both sides changed, as they are printed; empty where all is merged. The name of the file
    /// where it could not be merged by key.
    pub conflicts: Vec<String>,
}

/// A key with its value on one version.
#[derive(Clone, Debug)]
struct Leaf {
    /// Its whole lines.
    lines: String,
    /// The value as it is written.
    value: String,
    /// The id of a sealed value.
    id: Option<String>,
    /// Comments right above it.
    comment: String,
}

type Leaves = BTreeMap<Vec<String>, Leaf>;

/// What becomes of a key.
enum Outcome {
    Ours,
    Theirs,
    Conflict,
}

/// Merges the texts of one file, relative to `pillar/`. A value counts as the same where its id is: then it
/// holds the same secret, sealed again.
pub fn three_way(file: &str, base: &str, ours: &str, theirs: &str) -> ThreeWay {
    by_key(file, base, ours, theirs).unwrap_or_else(|| whole(file, ours, theirs))
}

/// The two sides of a file that is no table of keys, or holds one value (a box): with markers around all lines
/// that differ.
pub fn whole(name: &str, ours: &str, theirs: &str) -> ThreeWay {
    if ours == theirs {
        return ThreeWay { text: ours.to_owned(), conflicts: Vec::new() };
    }
    let (a, b): (Vec<&str>, Vec<&str>) =
        (ours.split_inclusive('\n').collect(), theirs.split_inclusive('\n').collect());
    let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let text = [
        a[..head].concat(),
        marked(&a[head..a.len() - tail].concat(), &b[head..b.len() - tail].concat()),
        a[a.len() - tail..].concat(),
    ];
    ThreeWay { text: text.concat(), conflicts: vec![name.to_owned()] }
}

/// Whether two texts have the same keys with the same values.
pub fn same_values(file: &str, a: &str, b: &str) -> bool {
    let values = |text: &str| {
        let leaves = leaves(file, text)?;
        Some(leaves.into_iter().map(|(path, leaf)| (path, leaf.value)).collect::<BTreeMap<_, _>>())
    };
    values(a).is_some_and(|a| Some(a) == values(b))
}

fn by_key(file: &str, base: &str, ours: &str, theirs: &str) -> Option<ThreeWay> {
    let (base, own, other) = (leaves(file, base)?, leaves(file, ours)?, leaves(file, theirs)?);
    let paths: BTreeSet<&Vec<String>> = base.keys().chain(own.keys()).chain(other.keys()).collect();
    let (mut taken, mut conflicts) = (Vec::new(), Vec::new());
    for path in paths {
        match outcome(base.get(path), own.get(path), other.get(path)) {
            Outcome::Ours => {}
            Outcome::Theirs => taken.push(path),
            Outcome::Conflict => conflicts.push(path),
        }
    }
    // A key of one side that is a table of the other cannot be written beside it.
    let all: Vec<&Vec<String>> = own.keys().chain(other.keys()).collect();
    let is_above =
        |path: &Vec<String>| all.iter().any(|longer| longer.len() > path.len() && longer.starts_with(path));
    if taken.iter().chain(&conflicts).any(|path| is_above(path)) {
        return None;
    }
    let mut text = ours.to_owned();
    text = replaced(file, &text, &taken, &own, &other)?;
    let new = |path: &&&Vec<String>| !own.contains_key(**path);
    let added: Vec<&Vec<String>> = taken
        .iter()
        .chain(&conflicts)
        .filter(new)
        .filter(|path| other.contains_key(**path))
        .copied()
        .collect();
    for path in &added {
        text = with(file, &text, path, &other.get(*path)?.value)?;
    }
    text = commented(file, &text, &added, &other)?;
    text = in_conflict(file, &text, &conflicts, &own, &other)?;
    let conflicts = conflicts.into_iter().filter_map(|path| KeyPath::from_parts(path.clone()));
    let merged = ThreeWay { text, conflicts: conflicts.map(|key| key.to_string()).collect() };
    (!merged.conflicts.is_empty() || Document::parse(file, merged.text.as_str()).is_ok()).then_some(merged)
}

fn outcome(base: Option<&Leaf>, ours: Option<&Leaf>, theirs: Option<&Leaf>) -> Outcome {
    let lines = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.lines.trim_end().to_owned());
    let value = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.value.clone());
    let id = |leaf: Option<&Leaf>| leaf.and_then(|leaf| leaf.id.clone());
    let same = |a: Option<&Leaf>, b: Option<&Leaf>| id(a).is_some() && id(a) == id(b);
    match () {
        () if lines(ours) == lines(theirs) || lines(theirs) == lines(base) => Outcome::Ours,
        () if lines(ours) == lines(base) => Outcome::Theirs,
        () if value(ours) == value(theirs) || value(theirs) == value(base) => Outcome::Ours,
        () if value(ours) == value(base) => Outcome::Theirs,
        // The same secret, sealed again on one side or on both.
        () if same(ours, theirs) || same(base, theirs) => Outcome::Ours,
        () if same(base, ours) => Outcome::Theirs,
        () => Outcome::Conflict,
    }
}

/// The keys of a text; `None` where it is not to be merged by key.
fn leaves(file: &str, text: &str) -> Option<Leaves> {
    let document = Document::parse(file, text).ok()?;
    let parsed = read::parse_layout(file, text).ok()?;
    let layout = Layout::of(text, parsed.as_table());
    let mut found = Leaves::new();
    let entries =
        layout.sections.iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
    for (section, entry) in entries {
        let key = KeyPath::from_parts(entry.path.clone())?;
        let node = document.get(&key)?;
        let id = match &node.value {
            Value::Sealed(sealed) => Some(sealed.id.as_str().to_owned()),
            _ => None,
        };
        let lines = text[entry.start..entry.end].to_owned();
        let value = value_of(&parsed, &entry.path)?;
        let value = text.get(value)?.to_owned();
        let above = if section.entries.first().is_some_and(|first| first.start == entry.start)
            && !section.path.is_empty()
        {
            section.start
        } else {
            entry.start
        };
        let leaf = Leaf { lines, value, id, comment: comment(text, above) };
        // Entries of a list of tables have one path and several values.
        if found.insert(entry.path.clone(), leaf).is_some() {
            return None;
        }
    }
    Some(found)
}

fn value_of(parsed: &toml_edit::Document<&str>, path: &[String]) -> Option<std::ops::Range<usize>> {
    let (last, before) = path.split_last()?;
    let mut table: &dyn toml_edit::TableLike = parsed.as_table();
    for part in before {
        table = table.get(part)?.as_table_like()?;
    }
    table.get(last)?.as_value()?.span()
}

/// The comment lines right above a line.
fn comment(text: &str, line: usize) -> String {
    let mut start = line;
    while start > 0 {
        let before = text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
        if !text[before..start].trim_start().starts_with('#') {
            break;
        }
        start = before;
    }
    text[start..line].to_owned()
}

/// Takes the lines of keys that are on both sides, and removes those that are gone.
fn replaced(file: &str, text: &str, taken: &[&Vec<String>], own: &Leaves, other: &Leaves) -> Option<String> {
    spliced(file, text, |layout| {
        let mut splices = Vec::new();
        for path in taken.iter().filter(|path| own.contains_key(**path)) {
            let entry = layout.entry(path)?;
            let lines = other.get(*path).map(|leaf| ended(&leaf.lines)).unwrap_or_default();
            splices.push(Splice { range: entry.start..entry.end, text: lines });
        }
        Some(splices)
    })
}

/// Adds a key.
fn with(file: &str, text: &str, path: &[String], value: &str) -> Option<String> {
    let parsed = read::parse_layout(file, text).ok()?;
    let root = parsed.as_table();
    let key = KeyPath::from_parts(path.to_vec())?;
    let splices: Result<Vec<Splice>> = put(root, &Layout::of(text, root), &key, value);
    Some(apply(text, splices.ok()?))
}

/// Puts the comments of keys above them.
fn commented(file: &str, text: &str, added: &[&Vec<String>], other: &Leaves) -> Option<String> {
    spliced(file, text, |layout| {
        let mut splices: Vec<Splice> = Vec::new();
        for path in added {
            let section = layout
                .sections
                .iter()
                .find(|section| section.entries.iter().any(|entry| entry.path == **path))?;
            let first: &KeyEntry = section.entries.first()?;
            let at = if first.path == **path && !section.path.is_empty() {
                section.start
            } else {
                layout.entry(path)?.start
            };
            let comment = &other.get(*path)?.comment;
            if !comment.is_empty() {
                splices.push(Splice { range: at..at, text: comment.clone() });
            }
        }
        Some(splices)
    })
}

/// Puts markers around both values of each conflict.
fn in_conflict(
    file: &str,
    text: &str,
    conflicts: &[&Vec<String>],
    own: &Leaves,
    other: &Leaves,
) -> Option<String> {
    spliced(file, text, |layout| {
        let mut splices = Vec::new();
        for path in conflicts {
            let entry = layout.entry(path)?;
            let lines = |side: &Leaves| side.get(*path).map(|leaf| ended(&leaf.lines)).unwrap_or_default();
            splices.push(Splice { range: entry.start..entry.end, text: marked(&lines(own), &lines(other)) });
        }
        Some(splices)
    })
}

fn marked(ours: &str, theirs: &str) -> String {
    let side = |lines: &str| if lines.is_empty() { String::new() } else { ended(lines) };
    format!("<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n", side(ours), side(theirs))
}

fn ended(lines: &str) -> String {
    if lines.ends_with('\n') { lines.to_owned() } else { format!("{lines}\n") }
}

fn spliced(
    file: &str,
    text: &str,
    splices: impl FnOnce(&Layout<'_>) -> Option<Vec<Splice>>,
) -> Option<String> {
    let parsed = read::parse_layout(file, text).ok()?;
    let splices = splices(&Layout::of(text, parsed.as_table()))?;
    Some(apply(text, splices))
}

fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.range.start);
    let (mut result, mut done) = (String::with_capacity(text.len() + 256), 0);
    for splice in splices {
        result.push_str(&text[done..splice.range.start]);
        result.push_str(&splice.text);
        done = splice.range.end;
    }
    result.push_str(&text[done..]);
    result
}
