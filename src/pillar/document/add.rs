//! Where a new key goes, and how it is written there.

use super::edit::Splice;
use super::inline;
use super::layout::{Layout, Section};
use crate::name::KeyPath;
use crate::problem::{Problem, Result};
use toml_edit::{Item, Table};

/// How the deepest existing table above a new key is written.
enum Above {
    Header,
    Implicit,
    Dotted,
}

/// The bytes of a new key, in the place where a user would write it.
pub(super) fn add(root: &Table, layout: &Layout<'_>, key: &KeyPath, value: &str) -> Result<Splice> {
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

/// A line after another one, with the same indentation.
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

/// A new `[table]` with one key: beside the most similar table, in order below `registries`.
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
