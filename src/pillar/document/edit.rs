//! Changes of a file, each a few bytes of its text.

use super::layout::{Layout, Section};
use super::read::{in_clear, must_be_sealed, parse_toml};
use super::{Document, inline};
use crate::name::KeyPath;
use crate::pillar::value::{Sealed, Value};
use crate::problem::{Place, Problem, Problems, Result, escaped, quoted};
use std::ops::Range;
use toml_edit::{Item, Table, TableLike, Value as Toml};

/// A value as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'a> {
    /// A string, unless the key has a value of another type: then one of that type. So that a version
    /// `1.10` stays `1.10`.
    Plain(&'a str),
    /// A TOML value of any type.
    Toml(&'a str),
}

/// Bytes to be replaced.
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Document {
    /// Gives a key a value; makes the key, and a table for it, where there is none.
    ///
    /// # Errors
    /// Where the key is sealed, is a table, lies below something that is none, or must be sealed; where
    /// the text is no value of the type that the key has.
    pub fn set(&mut self, key: &KeyPath, value: Written<'_>) -> Result<()> {
        if must_be_sealed(key.parts()) {
            return Err(in_clear(key).into());
        }
        self.change(|document, root, layout| {
            let existing = document.get(key).map(|node| (&node.value, &node.place));
            if let Some((Value::Sealed(_), place)) = existing {
                return Err(Problem::usage(format!("`{key}` is sealed"))
                    .at(place)
                    .hint(format!("to seal another value there: pillarbox seal {}", quoted(&key.to_string())))
                    .hint(format!(
                        "to have it in clear: pillarbox unset {}, then set it",
                        quoted(&key.to_string())
                    ))
                    .into());
            }
            put(root, layout, key, &value_text(key, value, existing)?)
        })
    }

    /// Puts a sealed value at the key it is bound to, in place of a sealed or a clear one, or as a new
    /// key.
    ///
    /// # Errors
    /// Where it is bound to another file, or its key cannot hold a value.
    pub fn set_sealed(&mut self, sealed: &Sealed) -> Result<()> {
        self.change(|document, root, layout| {
            document.same_file(sealed)?;
            put(root, layout, &sealed.origin.key, &sealed_text(sealed))
        })
    }

    /// Replaces sealed values by others of the same keys, in one pass: a rekey.
    ///
    /// # Errors
    /// Where one is bound to another file, or no sealed value stands at its key.
    pub fn reseal<'s>(&mut self, all: impl IntoIterator<Item = &'s Sealed>) -> Result<()> {
        self.change(|document, root, _| {
            let mut splices = Vec::new();
            for sealed in all {
                document.same_file(sealed)?;
                let key = &sealed.origin.key;
                let stands = document.get(key).is_some_and(|node| matches!(node.value, Value::Sealed(_)));
                match find(root, key.parts()) {
                    Some(Found::Value(value)) if stands => {
                        splices.extend(value.span().map(|range| Splice { range, text: sealed_text(sealed) }))
                    }
                    _ => {
                        return Err(
                            Problem::failed(format!("no sealed value stands at {}", sealed.origin)).into()
                        );
                    }
                }
            }
            Ok(splices)
        })
    }

    /// Removes a key with its value, or a table with all that is in it. Comments above it stay.
    ///
    /// # Errors
    /// Where there is no such key.
    pub fn unset(&mut self, key: &KeyPath) -> Result<()> {
        self.change(|document, root, layout| {
            if document.get(key).is_none() {
                let keys: Vec<String> = document.keys().iter().map(ToString::to_string).collect();
                return Err(Problem::failed(format!("there is no `{key}` in pillar/{}", document.file))
                    .nearest(&key.to_string(), keys.iter().map(String::as_str))
                    .into());
            }
            remove(root, layout, key)
        })
    }

    fn same_file(&self, sealed: &Sealed) -> Result<()> {
        if sealed.origin.file == self.file {
            return Ok(());
        }
        Err(Problem::failed(format!(
            "a value sealed for {} cannot stand in pillar/{}",
            sealed.origin, self.file
        ))
        .into())
    }

    /// Applies splices and reads the result; keeps the old text where that has a new fault.
    fn change(
        &mut self,
        splices: impl FnOnce(&Self, &Table, &Layout<'_>) -> Result<Vec<Splice>>,
    ) -> Result<()> {
        let parsed = parse_toml(&format!("pillar/{}", self.file), &self.text)?;
        let root = parsed.as_table();
        let mut splices = splices(self, root, &Layout::of(&self.text, root))?;
        splices.sort_by_key(|splice| splice.range.start);
        let mut text = String::with_capacity(self.text.len() + 256);
        let mut done = 0;
        for splice in splices {
            text.push_str(&self.text[done..splice.range.start]);
            text.push_str(&splice.text);
            done = splice.range.end;
        }
        text.push_str(&self.text[done..]);
        let changed = Self::parse(&self.file, text)?;
        let is_new = |problem: &&Problem| !self.problems.iter().any(|old| old.what == problem.what);
        Problems::check(changed.problems.iter().filter(is_new).cloned().collect())?;
        *self = changed;
        Ok(())
    }
}

/// What stands at a key.
enum Found<'t> {
    Value(&'t Toml),
    Table,
}

fn find<'t>(root: &'t Table, path: &[String]) -> Option<Found<'t>> {
    let (last, before) = path.split_last()?;
    let mut table: &dyn TableLike = root;
    for part in before {
        table = table.get(part)?.as_table_like()?;
    }
    match table.get(last)? {
        Item::Value(Toml::InlineTable(inner)) if inner.is_dotted() => Some(Found::Table),
        Item::Value(value) => Some(Found::Value(value)),
        Item::None => None,
        Item::Table(_) | Item::ArrayOfTables(_) => Some(Found::Table),
    }
}

fn sealed_text(sealed: &Sealed) -> String {
    format!("{{ sealed = {}, id = {} }}", Toml::from(sealed.sealed.as_str()), Toml::from(sealed.id.as_str()))
}

fn value_text(key: &KeyPath, value: Written<'_>, existing: Option<(&Value, &Place)>) -> Result<String> {
    let no_value = |text: &str, reason: Option<toml_edit::TomlError>| {
        let problem = Problem::usage(format!("`{}` is not a TOML value", escaped(text)));
        match reason {
            Some(reason) => problem.cause(reason.message().lines().collect::<Vec<_>>().join(", ")),
            None => problem.cause("`sealed` is the key of sealed values"),
        }
    };
    let parse = |text: &str| -> std::result::Result<Toml, Problem> {
        let mut parsed = text.trim().parse::<Toml>().map_err(|error| no_value(text, Some(error)))?;
        parsed.decor_mut().clear();
        if inline::names_sealed(&parsed) { Err(no_value(text, None)) } else { Ok(parsed) }
    };
    match (value, existing) {
        (Written::Toml(text), _) => Ok(parse(text)?.to_string()),
        (Written::Plain(text), None | Some((Value::String(_), _))) => Ok(Toml::from(text).to_string()),
        (Written::Plain(_), Some((Value::Table(_), place))) => Err(is_table(key).at(place).into()),
        (Written::Plain(text), Some((old, place))) => match (parse(text), old) {
            (Ok(Toml::Integer(whole)), Value::Float(_)) => Ok(format!("{}.0", whole.value())),
            (Ok(new), _) if kind(&new) == old.kind() => Ok(new.to_string()),
            (_, old) => {
                Err(Problem::usage(format!("`{}` is no {}, as `{key}` is", escaped(text), old.kind()))
                    .at(place)
                    .hint(format!(
                        "to change its type: pillarbox set --toml {} {}",
                        quoted(&key.to_string()),
                        quoted(&Toml::from(text).to_string())
                    ))
                    .into())
            }
        },
    }
}

fn kind(value: &Toml) -> &'static str {
    match value {
        Toml::String(_) => "string",
        Toml::Integer(_) => "integer",
        Toml::Float(_) => "float",
        Toml::Boolean(_) => "boolean",
        Toml::Datetime(_) => "datetime",
        Toml::Array(_) => "array",
        Toml::InlineTable(_) => "table",
    }
}

fn is_table(key: &KeyPath) -> Problem {
    Problem::usage(format!("`{key}` is a table")).hint("name a key in it")
}

fn put(root: &Table, layout: &Layout<'_>, key: &KeyPath, value: &str) -> Result<Vec<Splice>> {
    let path = key.parts();
    match find(root, path) {
        Some(Found::Value(old)) => {
            Ok(old.span().map(|range| Splice { range, text: value.to_owned() }).into_iter().collect())
        }
        Some(Found::Table) => Err(is_table(key).into()),
        None => Ok(vec![add(root, layout, key, value)?]),
    }
}

/// How the deepest existing table above a new key is written.
enum Above {
    Header,
    Implicit,
    Dotted,
}

fn add(root: &Table, layout: &Layout<'_>, key: &KeyPath, value: &str) -> Result<Splice> {
    let path = key.parts();
    let (mut table, mut depth, mut above) = (root, 0, Above::Header);
    while let Some(item) = table.get(&path[depth]) {
        depth += 1;
        match item {
            Item::Table(inner) => {
                above = match (inner.is_dotted(), inner.is_implicit()) {
                    (true, _) => Above::Dotted,
                    (false, true) => Above::Implicit,
                    (false, false) => Above::Header,
                };
                table = inner;
            }
            Item::Value(inner) => return inline::add(layout.text, inner, path, depth, value),
            _ => {
                let list = KeyPath::from_parts(path[..depth].to_vec()).unwrap_or_else(|| key.clone());
                return Err(Problem::usage(format!("`{list}` is a list of tables"))
                    .hint("edit the file by hand")
                    .into());
            }
        }
    }
    let (known, new) = path.split_at(depth);
    match above {
        Above::Header if new.len() == 1 => {
            let section = layout.sections.iter().position(|section| section.path == known).unwrap_or(0);
            Ok(key_line(layout, section, &dotted(new), value))
        }
        Above::Dotted => {
            let holds =
                |section: &&Section| section.entries.iter().any(|entry| entry.path.starts_with(known));
            let home = layout.sections.iter().find(holds);
            let after =
                home.and_then(|home| home.entries.iter().rev().find(|entry| entry.path.starts_with(known)));
            match (home, after) {
                (Some(home), Some(after)) => {
                    let line = format!("{} = {value}", dotted(&path[home.path.len()..]));
                    Ok(line_after(layout.text, after.end, after.start, &line))
                }
                _ => Err(Problem::failed(format!("cannot find where `{key}` belongs")).into()),
            }
        }
        Above::Header | Above::Implicit => Ok(new_section(layout, path, depth, value)),
    }
}

fn dotted(path: &[String]) -> String {
    KeyPath::from_parts(path.to_vec()).map(|key| key.to_string()).unwrap_or_default()
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A line behind another one, indented as that is.
fn line_after(text: &str, at: usize, model: usize, line: &str) -> Splice {
    let end = newline(text);
    let indent: String = text[model..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let open = if at > 0 && !text[..at].ends_with('\n') { end } else { "" };
    Splice { range: at..at, text: format!("{open}{indent}{line}{end}") }
}

fn key_line(layout: &Layout<'_>, index: usize, key: &str, value: &str) -> Splice {
    let section = &layout.sections[index];
    let line = format!("{key} = {value}");
    match section.entries.last() {
        Some(last) => line_after(layout.text, last.end, last.start, &line),
        None if section.path.is_empty() && layout.sections.len() > 1 => {
            // The first key above all headers: a comment above the first header belongs to that.
            let (at, end) = (layout.above(1), newline(layout.text));
            Splice { range: at..at, text: format!("{line}{end}{end}") }
        }
        None if section.path.is_empty() => {
            line_after(layout.text, layout.text.len(), layout.text.len(), &line)
        }
        None => line_after(layout.text, section.body, section.start, &line),
    }
}

/// A new `[table]` with one key: beside its next of kin, in order below `registries`.
fn new_section(layout: &Layout<'_>, path: &[String], depth: usize, value: &str) -> Splice {
    let (text, end) = (layout.text, newline(layout.text));
    let (table, leaf) = path.split_at(path.len() - 1);
    let body = format!("[{}]{end}{} = {value}{end}", dotted(table), dotted(leaf));
    let kin = |section: &Section| section.path.starts_with(&path[..depth]) && !section.path.is_empty();
    let first = layout.sections.iter().position(kin);
    let last = layout.sections.iter().rposition(kin);
    let ordered = depth <= 1 && table.len() == 2 && table[0] == "registries";
    let greater = |section: &Section| {
        section.path.len() > 1 && section.path[0] == table[0] && section.path[1] > table[1]
    };
    let before = match () {
        () if depth == table.len() => first,
        () if ordered => layout.sections.iter().position(greater),
        () => None,
    };
    if let Some(index) = before {
        let at = layout.above(index);
        return Splice { range: at..at, text: format!("{body}{end}") };
    }
    let at = match last {
        Some(index) if depth > 0 => layout.tail(index),
        _ => text.len(),
    };
    let written = &text[..at];
    let open = match () {
        () if written.trim().is_empty() => String::new(),
        () if !written.ends_with('\n') => end.repeat(2),
        () if written.trim_end_matches([' ', '\t', '\r', '\n']).len() + end.len() < written.len() => {
            String::new()
        }
        () => end.to_owned(),
    };
    Splice { range: at..at, text: format!("{open}{body}") }
}

fn remove(root: &Table, layout: &Layout<'_>, key: &KeyPath) -> Result<Vec<Splice>> {
    let path = key.parts();
    if let Some(entry) = layout.entry(path) {
        return Ok(vec![Splice { range: entry.start..entry.end, text: String::new() }]);
    }
    for depth in 1..path.len() {
        if let Some(Found::Value(outer)) = find(root, &path[..depth]) {
            return Ok(vec![inline::remove(layout.text, outer, path, depth)?]);
        }
    }
    let mut splices = Vec::new();
    for section in &layout.sections {
        let range = if section.path.starts_with(path) {
            section.start..section.last_line()
        } else {
            splices.extend(
                section
                    .entries
                    .iter()
                    .filter(|entry| entry.path.starts_with(path))
                    .map(|entry| Splice { range: entry.start..entry.end, text: String::new() }),
            );
            continue;
        };
        splices.push(Splice { range: without_gap(layout.text, range), text: String::new() });
    }
    Ok(splices)
}

/// Takes the blank lines above a section along if more follow below it, or nothing does.
fn without_gap(text: &str, range: Range<usize>) -> Range<usize> {
    let blank = |line: &str| line.trim().is_empty();
    if !blank(text[range.end..].split('\n').next().unwrap_or_default()) {
        return range;
    }
    let mut start = range.start;
    while start > 0 {
        let before = text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
        if !blank(&text[before..start]) {
            break;
        }
        start = before;
    }
    start..range.end
}
