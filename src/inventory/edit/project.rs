//! A Compose project into `pillarbox.toml`: its table, and its name at a host or group.

use crate::inventory::{FILE, Inventory};
use crate::problem::syntax::no_toml;
use crate::problem::{Problem, Result, escaped};
use toml_edit::{Array, Item, TableLike};

/// What is written of a project.
#[derive(Clone, Copy, Debug)]
pub struct NewProject<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its files in the workspace.
    pub files: &'a [String],
    /// Profiles that are on.
    pub profiles: &'a [String],
    /// Where its folder lies on the hosts.
    pub dir: Option<&'a str>,
}

/// Who gets a project.
#[derive(Clone, Copy, Debug)]
pub enum Getter<'a> {
    /// A host, with the address of its Engine where it is a new one.
    Host(&'a str, Option<&'a str>),
    /// A group that is there.
    Group(&'a str),
}

/// The text with a project in a table of its own at the end.
///
/// # Errors
/// If the text is not a sound inventory, before or after.
pub fn add_project(text: &str, project: NewProject<'_>) -> Result<String> {
    let mut lines =
        vec![format!("[compose.{}]", key(project.name)), format!("files = {}", list(project.files))];
    if !project.profiles.is_empty() {
        lines.push(format!("profiles = {}", list(project.profiles)));
    }
    lines.extend(project.dir.map(|dir| format!("dir = {}", quoted(dir))));
    sound(appended(text, &lines))
}

/// The text in which a host or group gets a project, and a pillar file if one is named. A new host is appended.
///
/// # Errors
/// If the text is not a sound inventory, before or after; where there is no such host or group.
pub fn give_project(text: &str, to: Getter<'_>, project: &str, pillar: Option<&str>) -> Result<String> {
    let inventory = Inventory::parse(text)?;
    if let Getter::Host(name, Some(engine)) = to
        && !inventory.hosts.keys().any(|host| host.as_str() == name)
    {
        let mut lines = vec![format!("[hosts.{}]", key(name)), format!("engine = {}", quoted(engine))];
        lines.extend(pillar.map(|pillar| format!("pillar = [{}]", quoted(pillar))));
        lines.push(format!("compose = [{}]", quoted(project)));
        return sound(appended(text, &lines));
    }
    let (kind, name) = match to {
        Getter::Host(name, _) => ("hosts", name),
        Getter::Group(name) => ("groups", name),
    };
    let mut text = text.to_owned();
    for (list, entry) in [("pillar", pillar), ("compose", Some(project))] {
        if let Some(entry) = entry {
            text = listed(&text, kind, name, list, entry)?;
        }
    }
    sound(text)
}

pub(super) fn sound(text: String) -> Result<String> {
    Inventory::parse(&text)?;
    Ok(text)
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

pub(super) fn appended(text: &str, lines: &[String]) -> String {
    let newline = newline(text);
    let gap = match text {
        "" => "",
        _ if text.ends_with('\n') => newline,
        _ => &format!("{newline}{newline}"),
    };
    format!("{text}{gap}{}{newline}", lines.join(newline))
}

/// A part of a key, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if name.bytes().all(bare) { name.to_owned() } else { quoted(name) }
}

pub(super) fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

pub(super) fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Puts an entry at the end of a list of a host or group; what is in it stays as it is written.
pub(super) fn listed(text: &str, kind: &str, name: &str, list: &str, entry: &str) -> Result<String> {
    let parsed = toml_edit::Document::parse(text)
        .map_err(|error| no_toml(FILE, text, error.span().map(|span| span.start), error.message()))?;
    let all = parsed.as_table().get(kind).and_then(Item::as_table_like);
    let item = all.and_then(|all| all.get(name));
    let missing = || Problem::failed(format!("{FILE} has no [{kind}.{}]", escaped(name)));
    let item = item.ok_or_else(missing)?;
    let table = item.as_table_like().ok_or_else(missing)?;
    let (at, added) = match table.get(list).and_then(Item::as_array) {
        Some(array) if array.iter().any(|value| value.as_str() == Some(entry)) => return Ok(text.to_owned()),
        Some(array) => into(array, text, entry),
        None => beside(item, table, text, kind, name).map(|(at, inline)| {
            let pair = format!("{list} = [{}]", quoted(entry));
            (at, if inline { format!(", {pair}") } else { format!("{pair}{}", newline(text)) })
        }),
    }
    .ok_or_else(|| {
        Problem::failed(format!("`{list}` cannot be written below [{kind}.{}]", escaped(name)))
            .hint(format!("write it by hand: {list} = [{}]", quoted(entry)))
    })?;
    let (before, after) = text.split_at(at);
    Ok(format!("{before}{added}{after}"))
}

/// Where an entry goes in a list, and what is written there.
fn into(array: &Array, text: &str, entry: &str) -> Option<(usize, String)> {
    let Some(last) = array.iter().last().and_then(toml_edit::Value::span) else {
        return Some((array.span()?.start + 1, quoted(entry)));
    };
    let line = text[..last.start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent = &text[line..last.start];
    let own_line = indent.trim().is_empty() && line > array.span()?.start;
    let gap = if own_line { format!(",{}{indent}", newline(text)) } else { ", ".to_owned() };
    Some((last.end, format!("{gap}{}", quoted(entry))))
}

/// Where a new key goes: behind the last value of the table, or below its header.
fn beside(item: &Item, table: &dyn TableLike, text: &str, kind: &str, name: &str) -> Option<(usize, bool)> {
    let values = table.iter().filter(|(_, item)| item.is_value()).filter_map(|(_, item)| item.span());
    let last = values.map(|span| span.end).max();
    if item.is_inline_table() {
        return Some((last?, true));
    }
    let last = last.or_else(|| {
        let headers = [format!("[{kind}.{name}]"), format!("[{kind}.{}]", quoted(name))];
        let mut at = 0;
        text.split_inclusive('\n').find_map(|line| {
            let start = at;
            at += line.len();
            let bare = line.split('#').next().unwrap_or_default().trim();
            headers.iter().any(|header| header == bare).then_some(start + line.trim_end().len())
        })
    })?;
    let line = text[last..].find('\n').map(|end| last + end + 1);
    line.map(|line| (line, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[String]) -> NewProject<'_> {
        NewProject { name: "shop", files, profiles: &[], dir: Some("/srv/shop") }
    }

    #[test]
    fn a_project_is_appended_and_a_new_host_below_it() {
        let text = "# shop\nworkspace = \"shop\" # name\n";
        let files = ["compose.yaml".to_owned(), "a \"b\".yaml".to_owned()];
        let added = add_project(text, project(&files)).expect("added");
        assert_eq!(
            added,
            format!(
                "{text}\n[compose.shop]\nfiles = [\"compose.yaml\", 'a \"b\".yaml']\ndir = \"/srv/shop\"\n"
            )
        );
        let to = Getter::Host("vm1", Some("ssh://deploy@vm1"));
        let given = give_project(&added, to, "shop", Some("shop")).expect("given");
        assert_eq!(
            given,
            format!(
                "{added}\n[hosts.vm1]\nengine = \"ssh://deploy@vm1\"\npillar = [\"shop\"]\ncompose = [\"shop\"]\n"
            )
        );
        assert_eq!(give_project(&given, to, "shop", Some("shop")).expect("again"), given);
    }

    #[test]
    fn an_entry_goes_to_the_end_of_a_list_and_nothing_else_changes() {
        let head = "workspace = \"shop\"\n[compose.shop]\nfiles = [\"c.yaml\"]\n";
        for (before, after) in [
            (
                "[groups.web] # all\npillar = [ \"a\" ] # files\n\n# next\n[hosts.b]\nengine = \"context:x\"\n",
                "[groups.web] # all\npillar = [ \"a\", \"shop\" ] # files\ncompose = [\"shop\"]\n\n# next\n[hosts.b]\nengine = \"context:x\"\n",
            ),
            (
                "[groups.web]\npillar = [\n  \"a\", # one\n  \"b\",\n]\ncompose = []\n",
                "[groups.web]\npillar = [\n  \"a\", # one\n  \"b\",\n  \"shop\",\n]\ncompose = [\"shop\"]\n",
            ),
            (
                "[groups.web]\n# nothing yet\n",
                "[groups.web]\ncompose = [\"shop\"]\npillar = [\"shop\"]\n# nothing yet\n",
            ),
            (
                "[groups]\nweb = { pillar = [\"shop\"] }\n",
                "[groups]\nweb = { pillar = [\"shop\"], compose = [\"shop\"] }\n",
            ),
        ] {
            let changed =
                give_project(&format!("{head}{before}"), Getter::Group("web"), "shop", Some("shop"));
            let changed = changed.expect("given");
            let changed = changed.strip_prefix(head).expect("the head stays");
            let same = changed == after
                || changed.replace(
                    "pillar = [\"shop\"]\ncompose = [\"shop\"]\n",
                    "compose = [\"shop\"]\npillar = [\"shop\"]\n",
                ) == after;
            assert!(same, "{changed}");
        }
        let windows = "workspace = \"shop\"\r\n[compose.shop]\r\n[groups.web]\r\n";
        let changed = give_project(windows, Getter::Group("web"), "shop", None).expect("given");
        assert_eq!(changed, format!("{windows}compose = [\"shop\"]\r\n"));
        assert!(give_project(head, Getter::Group("none"), "shop", None).is_err());
    }
}
