//! Changes of a file, each a few bytes of its text.

use super::layout::Layout;
use super::read::{in_clear, must_be_sealed, parse_layout};
use super::{Document, add, inline};
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
    /// Sets the value of a key; creates the key, and a table for it, if they do not exist.
    ///
    /// # Errors
    /// If the key is sealed, is a table, is below something that is not a table, or must be sealed; if
    /// the text is not a value of the key's type.
    pub fn set(&mut self, key: &KeyPath, value: Written<'_>) -> Result<()> {
        if must_be_sealed(key.parts()) {
            return Err(in_clear(key).into());
        }
        self.change(|document, root, layout| {
            let existing = document.get(key).map(|node| (&node.value, &node.place));
            if let Some((Value::Sealed(_), place)) = existing {
                return Err(Problem::usage(format!("`{key}` is sealed"))
                    .at(place)
                    .hint(format!("to replace the secret: pillarbox seal {}", quoted(&key.to_string())))
                    .hint(format!(
                        "to store it in clear text: pillarbox unset {}, then set it",
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
    /// If it is bound to another file, or its key cannot hold a value.
    pub fn set_sealed(&mut self, sealed: &Sealed) -> Result<()> {
        self.change(|document, root, layout| {
            document.same_file(sealed)?;
            put(root, layout, &sealed.origin.key, &sealed_text(sealed))
        })
    }

    /// Appends tables of another document, as they are written there.
    ///
    /// # Errors
    /// If one of their keys is there already, or cannot be written so here.
    pub fn append(&mut self, tables: &Self) -> Result<()> {
        self.change(|document, _, layout| {
            let (end, at) = (if layout.text.contains("\r\n") { "\r\n" } else { "\n" }, document.text.len());
            let open = match layout.text {
                "" => String::new(),
                text if text.ends_with('\n') => end.to_owned(),
                _ => end.repeat(2),
            };
            Ok(vec![Splice { range: at..at, text: open + &tables.text.replace('\n', end) }])
        })
    }

    /// Removes a key with its value, or a table with all that is in it. Comments above it stay.
    ///
    /// # Errors
    /// If there is no such key.
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

    pub(super) fn same_file(&self, sealed: &Sealed) -> Result<()> {
        if sealed.origin.file == self.file {
            return Ok(());
        }
        Err(Problem::failed(format!(
            "a value sealed for {} cannot be put into pillar/{}",
            sealed.origin, self.file
        ))
        .into())
    }

    /// Applies splices and reads the result; keeps the old text if the result has a new error.
    pub(super) fn change(
        &mut self,
        splices: impl FnOnce(&Self, &Table, &Layout<'_>) -> Result<Vec<Splice>>,
    ) -> Result<()> {
        let parsed = parse_layout(&format!("pillar/{}", self.file), &self.text)?;
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

/// What a key holds.
pub(super) enum Found<'t> {
    Value(&'t Toml),
    Table,
}

pub(super) fn find<'t>(root: &'t Table, path: &[String]) -> Option<Found<'t>> {
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

pub(super) fn sealed_text(sealed: &Sealed) -> String {
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
            (_, old) => Err(Problem::usage(format!(
                "`{}` is not a value of type {}, the type of `{key}`",
                escaped(text),
                old.kind()
            ))
            .at(place)
            .hint(format!(
                "to change its type: pillarbox set --toml {} {}",
                quoted(&key.to_string()),
                quoted(&Toml::from(text).to_string())
            ))
            .into()),
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

pub(super) fn put(root: &Table, layout: &Layout<'_>, key: &KeyPath, value: &str) -> Result<Vec<Splice>> {
    let path = key.parts();
    match find(root, path) {
        Some(Found::Value(old)) => {
            Ok(old.span().map(|range| Splice { range, text: value.to_owned() }).into_iter().collect())
        }
        Some(Found::Table) => Err(is_table(key).into()),
        None => Ok(vec![add::add(root, layout, key, value)?]),
    }
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
pub(super) fn without_gap(text: &str, range: Range<usize>) -> Range<usize> {
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
