//! Credentials that a file holds itself, in base64: `auths`, or all of a `.dockercfg`.

use super::json::{Lines, object, table};
use super::layout::cuts;
use super::splice::{Splice, apply};
use super::stored::{Stored, stored};
use crate::problem::{Place, Result};
use jsonc_parser::ast::{Object, ObjectProp, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The name of the field.
pub(super) const AUTHS: &str = "auths";

/// Where a file has its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// Below `auths`: `config.json`, `auth.json`.
    Auths,
    /// At the top: `.dockercfg`, as Docker wrote it before 1.7.
    Flat,
}

/// All entries of a file, in its order.
pub type Auths = Vec<Auth>;

/// One entry.
#[derive(Clone, Debug)]
pub struct Auth {
    /// The registry, as written: `ghcr.io`, `https://index.docker.io/v1/`, and in Podman's files
    /// `quay.io/acme`.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// What it holds, or why that cannot be read; without any of it.
    pub stored: Result<Stored, &'static str>,
    /// What is odd about how it is written, and was taken as clients take it.
    pub remarks: Vec<&'static str>,
    /// Whether the same key stands again further down: clients take the last.
    pub is_hidden: bool,
}

/// Reads the entries of `auths`. `file` is its path, for errors.
///
/// # Errors
/// Where it is not JSON, or `auths` is no object.
pub fn read_auths(text: &str, file: &str) -> Result<Auths> {
    read_entries(text, file, Entries::Auths)
}

/// Reads the entries of a file.
///
/// # Errors
/// As [`read_auths`].
pub fn read_entries(text: &str, file: &str, at: Entries) -> Result<Auths> {
    let Some(root) = object(text, file)? else { return Ok(Vec::new()) };
    Ok(entries(text, file, &root, at)?.map(|entries| read(text, file, entries)).unwrap_or_default())
}

fn entries<'o, 't>(
    text: &str,
    file: &str,
    root: &'o Object<'t>,
    at: Entries,
) -> Result<Option<&'o Object<'t>>> {
    match at {
        Entries::Auths => table(text, file, root, AUTHS),
        Entries::Flat => Ok(Some(root)),
    }
}

fn read(text: &str, file: &str, entries: &Object<'_>) -> Auths {
    let lines = Lines::of(text);
    let last: BTreeMap<&str, usize> =
        entries.properties.iter().enumerate().map(|(index, entry)| (entry.name.as_str(), index)).collect();
    let one = |(index, entry): (usize, &ObjectProp<'_>)| {
        let mut remarks = Vec::new();
        let stored = match &entry.value {
            Value::Object(fields) => stored(fields, &mut remarks),
            Value::NullKeyword(_) => Ok(Stored::Nothing),
            _ => Err("it is not an object"),
        };
        Auth {
            key: entry.name.as_str().to_owned(),
            place: Place::new(file, lines.line(entry.range.start)),
            stored,
            remarks,
            is_hidden: last.get(entry.name.as_str()) != Some(&index),
        }
    };
    entries.properties.iter().enumerate().map(one).collect()
}

/// The text of a file without some of its entries; `None` where none of them goes.
///
/// # Errors
/// As [`read_auths`].
pub fn without_auths(
    text: &str,
    file: &str,
    at: Entries,
    goes: impl Fn(&Auth) -> bool,
) -> Result<Option<String>> {
    let Some(root) = object(text, file)? else { return Ok(None) };
    let Some(entries) = entries(text, file, &root, at)? else { return Ok(None) };
    let all = read(text, file, entries);
    let gone: BTreeSet<usize> = entries
        .properties
        .iter()
        .zip(&all)
        .filter(|(_, auth)| goes(auth))
        .map(|(entry, _)| entry.range.start)
        .collect();
    let splices = match gone.len() {
        0 => return Ok(None),
        count if count == entries.properties.len() => {
            let inside = entries.range.start + 1..entries.range.end - 1;
            let removed = text[inside.clone()].to_owned();
            vec![Splice { at: inside.start, removed, inserted: String::new() }]
        }
        _ => cuts(text, entries, |entry| gone.contains(&entry.range.start)),
    };
    Ok(apply(text, &splices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_leave_a_file_and_nothing_else_changes() {
        let text = "{\n  \"auths\": {\n    \"a\": {},\n    \"b\" : {\"auth\": \"eA==\"},\n    \"c\": {}\n  },\n  \"x\":1 }";
        let cut = |goes: &[&str]| {
            without_auths(text, "f", Entries::Auths, |auth| goes.contains(&auth.key.as_str())).expect("JSON")
        };
        assert_eq!(
            cut(&["b"]).as_deref(),
            Some("{\n  \"auths\": {\n    \"a\": {},\n    \"c\": {}\n  },\n  \"x\":1 }")
        );
        assert_eq!(
            cut(&["a", "c"]).as_deref(),
            Some("{\n  \"auths\": {\n    \"b\" : {\"auth\": \"eA==\"}\n  },\n  \"x\":1 }")
        );
        assert_eq!(cut(&["a", "b", "c"]).as_deref(), Some("{\n  \"auths\": {},\n  \"x\":1 }"));
        assert_eq!(cut(&["z"]), None);
    }

    #[test]
    fn of_two_equal_keys_the_last_is_read_and_each_can_leave_alone() {
        let text = "{\"auths\": {\"a.io\": {\"auth\": \"dTox\"}, \"a.io\": {\"auth\": \"dToy\"}}}";
        let hidden: Vec<bool> =
            read_auths(text, "f").expect("JSON").iter().map(|auth| auth.is_hidden).collect();
        assert_eq!(hidden, [true, false]);
        let left = without_auths(text, "f", Entries::Auths, |auth| !auth.is_hidden).expect("JSON");
        assert_eq!(left.as_deref(), Some("{\"auths\": {\"a.io\": {\"auth\": \"dTox\"}}}"));
        let flat = "{\"a.io\": {\"auth\": \"dTox\"}, \"b.io\": {\"auth\": \"dToy\"}}";
        assert_eq!(read_entries(flat, "f", Entries::Flat).expect("JSON").len(), 2);
        let left = without_auths(flat, "f", Entries::Flat, |auth| auth.key == "a.io").expect("JSON");
        assert_eq!(left.as_deref(), Some("{\"b.io\": {\"auth\": \"dToy\"}}"));
    }
}
