//! Changes of `pillarbox.toml` that a command makes.

mod host;
mod project;

pub use host::{NewHost, add_group, add_host, give};
pub use project::{Getter, NewProject, add_project, give_project};

use super::{FILE, Inventory};
use crate::name::{ReaderName, WorkspaceId};
use crate::problem::syntax::no_toml;
use crate::problem::{Place, Problem, Result};
use std::ops::Range;
use toml_edit::{Array, Item, TableLike};

/// The text without a reader: removed from `[readers] default` and from every group of readers. Everything else
/// stays as it is written; a text that does not name the reader is returned unchanged.
///
/// # Errors
/// If the text is not a sound inventory, before or after.
pub fn remove_reader(text: &str, reader: &ReaderName) -> Result<String> {
    Inventory::parse(text)?;
    let parsed = toml_edit::Document::parse(text)
        .map_err(|error| no_toml(FILE, text, error.span().map(|span| span.start), error.message()))?;
    let readers = parsed.as_table().get("readers").and_then(Item::as_table_like);
    let groups = readers.and_then(|readers| readers.get("groups")).and_then(Item::as_table_like);
    let default = readers.and_then(|readers| readers.get("default"));
    let mut cuts: Vec<Range<usize>> = groups
        .into_iter()
        .flat_map(TableLike::iter)
        .map(|(_, item)| item)
        .chain(default)
        .filter_map(Item::as_array)
        .flat_map(|list| cuts(list, text, reader.as_str()))
        .collect();
    cuts.sort_by_key(|cut| std::cmp::Reverse(cut.start));
    let mut changed = text.to_owned();
    for cut in cuts {
        changed.replace_range(cut, "");
    }
    Inventory::parse(&changed)?;
    Ok(changed)
}

/// The text with an id below the name of the workspace, and the word that what carries none is its own too.
///
/// # Errors
/// Where the text is not a sound inventory, or has an id.
pub fn add_id(text: &str, id: &WorkspaceId) -> Result<String> {
    if Inventory::parse(text)?.owner.id.is_some() {
        return Err(Problem::failed("this workspace has an id already").at(&Place::new(FILE, 0)).into());
    }
    let parsed = toml_edit::Document::parse(text)
        .map_err(|error| no_toml(FILE, text, error.span().map(|span| span.start), error.message()))?;
    let name = parsed.as_table().get("workspace").and_then(Item::span);
    let after = name.map_or(0, |span| span.end);
    let line = text[after..].find('\n').map(|end| after + end + 1);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (before, rest) = text.split_at(line.unwrap_or(text.len()));
    let gap = if line.is_some() { "" } else { newline };
    let added = format!(
        "{gap}id = \"{id}\"{newline}# What was made before the id carries none, and is ours all the same.\
         {newline}owns_without_id = true{newline}"
    );
    let changed = format!("{before}{added}{rest}");
    Inventory::parse(&changed)?;
    Ok(changed)
}

/// The bytes to be cut out of a list so that an entry leaves it, comments around it stay, and commas
/// are right: a list may end with one.
fn cuts(list: &Array, text: &str, name: &str) -> Vec<Range<usize>> {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let mut before: Option<usize> = None;
    for entry in list {
        let Some(span) = entry.span() else { continue };
        if entry.as_str() != Some(name) {
            before = Some(span.end);
            continue;
        }
        let blank = |text: &str| text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let comma = comma_after(&text[span.end..]).map(|at| span.end + at);
        let end = comma.map_or(span.end, |comma| comma + 1);
        let line = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &text[end + blank(&text[end..])..];
        let newline = ["\r\n", "\n"].into_iter().find(|newline| rest.starts_with(newline));
        cuts.push(match (newline, comma) {
            (Some(newline), _) if text[line..span.start].trim().is_empty() => {
                line..text.len() - rest.len() + newline.len()
            }
            (_, Some(_)) => span.start..end + blank(&text[end..]),
            (_, None) => match before {
                Some(before) if text[before..span.start].trim() == "," => before..end,
                _ => span.start..end,
            },
        });
    }
    cuts
}

/// The position of the comma after an entry, behind blanks and comments.
fn comma_after(text: &str) -> Option<usize> {
    let mut in_comment = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => in_comment = false,
            _ if in_comment => {}
            b'#' => in_comment = true,
            b' ' | b'\t' | b'\r' => {}
            b',' => return Some(at),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_leaves_every_list_and_nothing_else_changes() {
        let text = "# shop\nworkspace = \"shop\" # name\n[readers]\ndefault = [ \"frank\", \"ci\", \"@ops\" ] # new boxes\n[readers.groups]\nops = [\"ann\", \"frank\"]\nsolo = [\"frank\"]\nlong = [\n  \"ann\", # boss\n  \"frank\",\n  \"bob\",\n]\n[hosts.frank]\nengine = \"context:frank\"\n";
        let frank = ReaderName::parse("frank").expect("a name");
        let expected = text
            .replace("[ \"frank\", \"ci\"", "[ \"ci\"")
            .replace("[\"ann\", \"frank\"]", "[\"ann\"]")
            .replace("[\"frank\"]", "[]")
            .replace("  \"frank\",\n", "");
        let changed = remove_reader(text, &frank).expect("removed");
        assert_eq!(changed, expected);
        let left = Inventory::parse(&changed).expect("sound");
        assert!(
            left.readers.groups.values().flatten().chain(&left.readers.default).all(|name| *name != frank)
        );
        assert_eq!(remove_reader(&changed, &frank).expect("nothing to do"), changed);
    }
    #[test]
    fn an_id_is_written_below_the_name_and_nothing_else_changes() {
        let id = WorkspaceId::from_bits([0x9f; 8]);
        let added = "id = \"9f9f9f9f9f9f9f9f\"\n# What was made before the id carries none, and is ours all the same.\nowns_without_id = true\n";
        for (text, before) in [
            (
                "# shop\nworkspace = \"shop\" # name\n[hosts.a]\nengine = \"context:x\"\n",
                "# shop\nworkspace = \"shop\" # name\n",
            ),
            ("workspace = 'shop'", "workspace = 'shop'\n"),
        ] {
            let changed = add_id(text, &id).expect("added");
            assert_eq!(changed, format!("{before}{added}{}", text.strip_prefix(before).unwrap_or_default()));
            let owner = Inventory::parse(&changed).expect("sound").owner;
            assert_eq!(
                (owner.id.as_ref(), owner.owns_without_id, owner.scope()),
                (Some(&id), true, "shop".to_owned())
            );
            assert!(add_id(&changed, &id).is_err());
        }
    }

    #[test]
    fn a_reader_leaves_lists_of_every_shape() {
        let frank = ReaderName::parse("frank").expect("a name");
        for (list, expected) in [
            ("[\"frank\"]", "[]"),
            ("[\"frank\", \"a\"]", "[\"a\"]"),
            ("[\"a\", \"frank\" , \"b\"]", "[\"a\", \"b\"]"),
            ("[\"a\",\"frank\",]", "[\"a\",]"),
            ("[\n\"a\", # x, y\n\"frank\" # z, \n]", "[\n\"a\", # x, y\n # z, \n]"),
            ("[\n\"frank\"\n, \"b\"]", "[\n\"b\"]"),
            ("[ 'frank', \"frank\", \"frank\" ]", "[  ]"),
            ("[\r\n  \"frank\",\r\n  \"b\"\r\n]", "[\r\n  \"b\"\r\n]"),
        ] {
            let around = |list: &str| format!("workspace = \"s\"\nreaders.default = {list} # end\n");
            assert_eq!(remove_reader(&around(list), &frank).expect(list), around(expected), "{list}");
        }
    }
}
