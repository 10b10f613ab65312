//! Another name for a key, and keys that go to another table or file: as they are written, with the
//! comments right above and after them.

use super::edit::{Found, Splice, find, put, without_gap};
use super::layout::{KeyEntry, Layout, Section};
use super::{Document, inline};
use crate::name::KeyPath;
use crate::problem::{Problem, Result};
use std::ops::Range;
use toml_edit::{Item, Table, TableLike};

/// A line of what was cut out: a key with its value, or the header of a table.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its key below the one that was cut; empty for that itself.
    below: Vec<String>,
    /// The value as it is written; `None` for a header.
    value: Option<String>,
    /// Comment lines right above.
    above: Vec<String>,
    /// A comment on the same line.
    behind: Option<String>,
}

impl Document {
    /// Gives a key, or a table with all that is in it, another last part. Everything else stays as it
    /// is. `false` if that cannot be done in place: within a table on one line.
    ///
    /// # Errors
    /// If the new key is not beside the old one.
    pub fn rename(&mut self, from: &KeyPath, to: &KeyPath) -> Result<bool> {
        if from.parent() != to.parent() {
            return Err(Problem::failed(format!("`{to}` is not beside `{from}`")).into());
        }
        let mut done = false;
        self.change(|_, _, layout| {
            let (old, new) = (from.parts(), to.parts());
            let renamed = |path: &[String]| [new, &path[old.len()..]].concat();
            let mut splices = Vec::new();
            for section in &layout.sections {
                if section.path.starts_with(old) {
                    let range = header_key(layout.text, section);
                    splices.push(Splice { range, text: dotted(&renamed(&section.path)) });
                } else {
                    for entry in section.entries.iter().filter(|entry| entry.path.starts_with(old)) {
                        let range = entry_key(layout.text, entry);
                        let text = dotted(&renamed(&entry.path)[section.path.len()..]);
                        splices.push(Splice { range, text });
                    }
                }
            }
            done = !splices.is_empty();
            Ok(splices)
        })?;
        Ok(done)
    }

    /// Cuts a key out, or a table with everything in it, with the comments that belong to it.
    ///
    /// # Errors
    /// If there is no such key, or a list of tables is in it, whose text cannot be taken apart.
    pub fn cut(&mut self, key: &KeyPath) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        self.change(|document, root, layout| {
            if document.get(key).is_none() {
                return Err(
                    Problem::failed(format!("there is no `{key}` in pillar/{}", document.file)).into()
                );
            }
            let path = key.parts();
            if item(root, path).is_some_and(holds_list_of_tables) {
                return Err(Problem::usage(format!("`{key}` holds a list of tables"))
                    .hint("move it by hand in an editor")
                    .into());
            }
            let text = |range: Range<usize>| layout.text[range].to_owned();
            let mut splices = Vec::new();
            for (index, section) in layout.sections.iter().enumerate() {
                let whole = section.path.starts_with(path);
                if whole {
                    let start = layout.above(index);
                    pieces.push(Piece {
                        below: section.path[path.len()..].to_vec(),
                        value: None,
                        above: comment_lines(&layout.text[start..section.start]),
                        behind: behind(&layout.text[header_key(layout.text, section).end..section.body]),
                    });
                    let range = without_gap(layout.text, start..section.last_line());
                    splices.push(Splice { range, text: String::new() });
                }
                let mut floor = section.body;
                for entry in &section.entries {
                    if entry.path.starts_with(path)
                        && let Some(Found::Value(value)) = find(root, &entry.path)
                        && let Some(range) = value.span()
                    {
                        let start = comments_above(layout.text, floor, entry.start);
                        pieces.push(Piece {
                            below: entry.path[path.len()..].to_vec(),
                            above: comment_lines(&layout.text[start..entry.start]),
                            behind: behind(&layout.text[range.end..entry.end]),
                            value: Some(text(range)),
                        });
                        if !whole {
                            splices.push(Splice { range: start..entry.end, text: String::new() });
                        }
                    }
                    floor = entry.end;
                }
            }
            if splices.is_empty()
                && let Some(Found::Value(value)) = find(root, path)
                && let Some((depth, outer)) =
                    (1..path.len()).find_map(|depth| match find(root, &path[..depth]) {
                        Some(Found::Value(outer)) => Some((depth, outer)),
                        _ => None,
                    })
            {
                let value = value.span().map(text);
                pieces.push(Piece { below: Vec::new(), value, above: Vec::new(), behind: None });
                splices.push(inline::remove(layout.text, outer, path, depth)?);
            }
            if !pieces.iter().any(|piece| piece.value.is_some()) {
                return Err(Problem::failed(format!("there is nothing in `{key}`")).into());
            }
            Ok(splices)
        })?;
        // What stood first took the blank lines below it along only if it was one section.
        self.change(|document, _, _| {
            let blank = document.text.len() - document.text.trim_start_matches(['\r', '\n']).len();
            Ok(vec![Splice { range: 0..blank, text: String::new() }])
        })?;
        Ok(pieces)
    }

    /// Puts what was cut out at another key, which must not exist.
    ///
    /// # Errors
    /// If the key cannot hold it.
    pub fn paste(&mut self, key: &KeyPath, pieces: &[Piece]) -> Result<()> {
        let at = |piece: &Piece| piece.below.iter().fold(key.clone(), |key, part| key.child(part.as_str()));
        for piece in pieces {
            let Some(value) = &piece.value else { continue };
            let key = at(piece);
            self.change(|_, root, layout| put(root, layout, &key, value))?;
        }
        for piece in pieces {
            let key = at(piece);
            self.change(|_, _, layout| Ok(comments(layout, &key, piece)))?;
        }
        Ok(())
    }
}

/// The comments of a piece, where its line has none of its own.
fn comments(layout: &Layout<'_>, key: &KeyPath, piece: &Piece) -> Vec<Splice> {
    let line = match piece.value {
        Some(_) => layout.entry(key.parts()).map(|entry| entry.start..entry.end),
        None => {
            let section = layout.sections.iter().position(|section| section.path == key.parts());
            section
                .filter(|index| layout.above(*index) == layout.sections[*index].start)
                .map(|index| layout.sections[index].start..layout.sections[index].body)
        }
    };
    let Some(line) = line else { return Vec::new() };
    let written = &layout.text[line.clone()];
    let end = if layout.text.contains("\r\n") { "\r\n" } else { "\n" };
    let indent: String = written.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let mut splices = Vec::new();
    if !piece.above.is_empty() {
        let text = piece.above.iter().map(|line| format!("{indent}{line}{end}")).collect();
        splices.push(Splice { range: line.start..line.start, text });
    }
    if let Some(comment) = &piece.behind {
        let at = line.start + written.trim_end_matches(['\r', '\n']).len();
        splices.push(Splice { range: at..at, text: format!(" {comment}") });
    }
    splices
}

fn item<'t>(root: &'t Table, path: &[String]) -> Option<&'t Item> {
    let (last, before) = path.split_last()?;
    let mut table: &dyn TableLike = root;
    for part in before {
        table = table.get(part)?.as_table_like()?;
    }
    table.get(last)
}

fn holds_list_of_tables(item: &Item) -> bool {
    match item {
        Item::ArrayOfTables(_) => true,
        Item::Table(table) => table.iter().any(|(_, item)| holds_list_of_tables(item)),
        Item::Value(_) | Item::None => false,
    }
}

fn dotted(path: &[String]) -> String {
    KeyPath::from_parts(path.to_vec()).map(|key| key.to_string()).unwrap_or_default()
}

/// The position of the key of a header: between its brackets.
fn header_key(text: &str, section: &Section) -> Range<usize> {
    let line = &text[section.start..section.body];
    let open = line.find(|c| c != '[' && c != ' ' && c != '\t').unwrap_or(0);
    let key = &line[open..];
    section.start + open..section.start + open + key[..unquoted(key, ']')].trim_end().len()
}

/// The position of the key of a line: before the `=`, without the blanks around it.
fn entry_key(text: &str, entry: &KeyEntry) -> Range<usize> {
    let line = &text[entry.start..entry.end];
    let start = entry.start + (line.len() - line.trim_start().len());
    let key = &text[start..entry.end];
    start..start + key[..unquoted(key, '=')].trim_end().len()
}

/// The first position of a character outside of quotes.
fn unquoted(text: &str, wanted: char) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == wanted => return at,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
    }
    text.len()
}

/// Where the comment lines right above a line begin.
fn comments_above(text: &str, floor: usize, line: usize) -> usize {
    let mut start = line;
    while start > floor {
        let before = text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
        if before < floor || !text[before..start].trim_start().starts_with('#') {
            break;
        }
        start = before;
    }
    start
}

fn comment_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| line.starts_with('#')).collect()
}

fn behind(rest: &str) -> Option<String> {
    let comment = rest.trim_start_matches([']', ' ', '\t', ',']).trim_end();
    comment.starts_with('#').then(|| comment.to_owned())
}
