//! `known.toml` as text.
//!
//! ```toml
//! format = 2
//!
//! [[workspaces]]
//! name = "shop"
//! id = "9f2c41d70b6e83aa"
//! folders = ["/home/alice/shop"]
//!
//! [workspaces.boxes."pillar/"]
//! slot = "age1…"
//! turn = 2
//! retired = ["age1…"]
//! readers = { alice = "age1…", ci = "age1…" }
//! beside = [{ slot = "age1…", turn = 1, folder = "/home/alice/shop", branch = "main" }]
//!
//! [workspaces.hosts.web1]
//! address = "tcp://web1.example.com:2376"
//! tls = "/home/alice/.docker"
//! ca = "sha256:…"
//! daemon = "7TRN:…"
//! ```
//!
//! Format 1 had `[workspaces.NAME]`, without ids and folders; it is read, and written anew as format 2.

mod boxes;

use self::boxes::{box_table, read_box};
use super::{Known, KnownHost, KnownWorkspace};
use crate::name::{HostName, WorkspaceId, WorkspaceName};
use crate::pillar::boxes::BoxFolder;
use crate::problem::{Place, Problem, Problems, Result, escaped};
use std::collections::BTreeMap;
use std::fmt;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, value};

impl Known {
    /// Reads `known.toml`; an empty text is nothing known. `file` is its path, for errors.
    ///
    /// # Errors
    /// If it is not a text that `to_string` gives: its content is never guessed, and never replaced.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let place = Place::new(file, 0);
        let refused = |why: &str| {
            Problem::failed("the known boxes and hosts of this machine cannot be read")
                .at(&place)
                .cause(why)
                .hint("repair the file, or move it away: then every box and host counts as new")
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| refused(error.message()))?;
        let mut found = Vec::new();
        let known = read(document.as_table(), &mut found);
        Problems::check(found.iter().map(|why| refused(why)).collect())?;
        Ok(known)
    }
}

/// Collects errors into `found`.
fn read(top: &Table, found: &mut Vec<String>) -> Known {
    let mut known = Known::default();
    for (key, item) in top.iter() {
        match (key, item.as_table_like()) {
            ("format", _) if matches!(item.as_integer(), Some(1 | 2)) => {}
            ("format", _) => {
                found.push("it has a format that this version of pillarbox does not know".into());
            }
            ("workspaces", Some(table)) => {
                for (name, table) in tables(table, key, found) {
                    let workspace = read_workspace(table, &format!("{key}.{name}"), Some(name), found);
                    known.workspaces.extend(workspace);
                }
            }
            ("workspaces", None) if item.is_array_of_tables() => {
                for table in item.as_array_of_tables().into_iter().flatten() {
                    let name = table.get("name").and_then(Item::as_str).unwrap_or_default();
                    let workspace = read_workspace(table, &format!("{key}.{name}"), None, found);
                    known.workspaces.extend(workspace);
                }
            }
            _ => found.push(unknown("", key)),
        }
    }
    if !top.contains_key("format") {
        found.push("`format = 1` is missing".into());
    }
    known
}

/// `named`: its name, where that is the table's own.
fn read_workspace(
    table: &dyn TableLike,
    path: &str,
    named: Option<&str>,
    found: &mut Vec<String>,
) -> Option<KnownWorkspace> {
    let name = named.or_else(|| table.get("name").and_then(Item::as_str));
    if name.is_none() {
        found.push(format!("{}: `name` is missing", escaped(path)));
    }
    let mut workspace = KnownWorkspace {
        name: parsed(WorkspaceName::parse(name?), path, found)?,
        id: None,
        folders: Vec::new(),
        boxes: BTreeMap::new(),
        hosts: BTreeMap::new(),
    };
    for (key, item) in table.iter() {
        let path_here = format!("{path}.{key}");
        match (key, item.as_table_like()) {
            ("name", None) if named.is_none() => {}
            ("id", None) if named.is_none() => {
                workspace.id = parsed(WorkspaceId::parse(item.as_str().unwrap_or_default()), path, found);
            }
            ("folders", None) if named.is_none() && item.is_array() => {
                for folder in item.as_array().into_iter().flatten() {
                    match folder.as_str() {
                        Some(folder) => workspace.folders.push(folder.to_owned()),
                        None => found.push(unknown(path, key)),
                    }
                }
            }
            ("boxes", Some(boxes)) => {
                for (name, table) in tables(boxes, &path_here, found) {
                    let read = read_box(table, &format!("{path_here}.{name}"), found);
                    let folder = parsed(BoxFolder::parse(name), &path_here, found);
                    workspace.boxes.extend(folder.zip(read));
                }
            }
            ("hosts", Some(hosts)) => {
                for (name, table) in tables(hosts, &path_here, found) {
                    let read = read_host(table, &format!("{path_here}.{name}"), found);
                    let host = parsed(HostName::parse(name), &path_here, found);
                    workspace.hosts.extend(host.zip(read));
                }
            }
            _ => found.push(unknown(path, key)),
        }
    }
    Some(workspace)
}

fn read_host(table: &dyn TableLike, path: &str, found: &mut Vec<String>) -> Option<KnownHost> {
    let mut host = KnownHost::default();
    for (key, item) in table.iter() {
        let text = item.as_str().map(str::to_owned);
        let field = match key {
            "address" if text.is_some() => {
                host.address = text.unwrap_or_default();
                continue;
            }
            "leads_to" => &mut host.leads_to,
            "tls" => &mut host.tls,
            "ca" => &mut host.ca,
            "stranger" => &mut host.stranger,
            "daemon" => &mut host.daemon,
            _ => {
                found.push(unknown(path, key));
                continue;
            }
        };
        if text.is_none() {
            found.push(unknown(path, key));
        }
        *field = text;
    }
    if !table.contains_key("address") {
        found.push(format!("{}: `address` is missing", escaped(path)));
        return None;
    }
    Some(host)
}

fn tables<'a>(
    table: &'a dyn TableLike,
    path: &str,
    found: &mut Vec<String>,
) -> Vec<(&'a str, &'a dyn TableLike)> {
    let mut inner = Vec::new();
    for (key, item) in table.iter() {
        match item.as_table_like() {
            Some(table) => inner.push((key, table)),
            None => found.push(unknown(path, key)),
        }
    }
    inner
}

fn parsed<T>(read: Result<T>, path: &str, found: &mut Vec<String>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(problems) => {
            found.extend(problems.iter().map(|problem| format!("{}: {}", escaped(path), problem.what)));
            None
        }
    }
}

fn unknown(path: &str, key: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    format!("`{}{dot}{}` is not a key of this file, or has a wrong type", escaped(path), escaped(key))
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut workspaces = ArrayOfTables::new();
        for known in &self.workspaces {
            let (mut boxes, mut hosts) = (implicit(), implicit());
            for (folder, known) in &known.boxes {
                boxes.insert(&folder.to_string(), Item::Table(box_table(known)));
            }
            for (host, known) in &known.hosts {
                hosts.insert(host.as_str(), Item::Table(host_table(known)));
            }
            let mut workspace = Table::new();
            workspace.insert("name", value(known.name.as_str()));
            known.id.as_ref().map(|id| workspace.insert("id", value(id.as_str())));
            let folders: toml_edit::Array = known.folders.iter().map(String::as_str).collect();
            workspace.insert("folders", value(folders));
            workspace.insert("boxes", Item::Table(boxes));
            workspace.insert("hosts", Item::Table(hosts));
            workspaces.push(workspace);
        }
        let mut document = DocumentMut::new();
        document.insert("format", value(2));
        document.insert("workspaces", Item::ArrayOfTables(workspaces));
        f.write_str(
            "# What this machine has seen and accepted; see 'pillarbox known'. There is no secret in it.\n",
        )?;
        write!(f, "{document}")
    }
}

fn host_table(known: &KnownHost) -> Table {
    let mut table = Table::new();
    table.insert("address", value(&known.address));
    for (key, text) in [
        ("leads_to", &known.leads_to),
        ("tls", &known.tls),
        ("ca", &known.ca),
        ("stranger", &known.stranger),
        ("daemon", &known.daemon),
    ] {
        text.as_ref().map(|text| table.insert(key, value(text)));
    }
    table
}

/// A table without a header line of its own.
fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

#[cfg(test)]
mod tests {
    use super::super::{Beside, KnownBox};
    use super::*;
    use crate::keys::{Identity, Recipient};
    use crate::name::ReaderName;
    use proptest::prelude::*;

    fn key() -> Recipient {
        Identity::generate().recipient().clone()
    }

    #[test]
    fn nothing_is_guessed_in_a_file_that_is_wrong() {
        assert!(Known::parse("", "known.toml").expect("empty").workspaces.is_empty());
        let text = format!(
            "format = 1\nworkspace = 1\n[workspaces.shop.boxes.\"pillar/\"]\nslot = \"{}\"\nturn = -1\n\
             [workspaces.shop.boxes.\"../x\"]\nslt = 1\n[workspaces.shop.hosts.web1]\n",
            key()
        );
        let problems = Known::parse(&text, "known.toml").expect_err("wrong");
        assert_eq!(problems.iter().count(), 6, "{problems:#?}");
        for text in [
            "format = 3",
            "[workspaces.shop]",
            "format = 2\n[[workspaces]]",
            "format = 2\n[[workspaces]]\nname = \"s\"\nid = \"x\"",
            "format = 1\nx",
            "format = 1\n[workspaces.Shop]",
        ] {
            assert!(Known::parse(text, "known.toml").is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_known_reads_back(
            names in proptest::collection::btree_map("[a-z0-9][a-z0-9._-]{0,9}", (any::<Option<u32>>(), 0..3_usize), 0..4),
            address in ".*",
            daemon in proptest::option::of(".*"),
        ) {
            let mut known = Known::default();
            for (name, (turn, count)) in &names {
                let mut workspace = KnownWorkspace {
                    name: WorkspaceName::parse(name).expect("a name"),
                    id: turn.map(|turn| WorkspaceId::from_bits(u64::from(turn).to_be_bytes())),
                    folders: vec![address.clone(); *count],
                    boxes: BTreeMap::new(),
                    hosts: BTreeMap::new(),
                };
                let readers = (0..*count).map(|n| (ReaderName::parse(&format!("{name}{n}")).expect("a name"), key()));
                let retired = (0..*count).map(|_| key()).collect();
                let beside = (0..*count).map(|_| Beside { slot: key(), turn: *turn, folder: daemon.clone(), branch: daemon.clone() });
                let of_box = KnownBox { slot: key(), turn: *turn, retired, readers: readers.collect(), beside: beside.collect() };
                workspace.boxes.insert(BoxFolder::parse(name).expect("a folder"), of_box);
                let host = KnownHost { address: address.clone(), tls: daemon.clone(), daemon: daemon.clone(), ..KnownHost::default() };
                workspace.hosts.insert(HostName::parse(name).expect("a name"), host);
                known.workspaces.push(workspace);
            }
            let read = Known::parse(&known.to_string(), "known.toml").expect("reads back");
            prop_assert!(!read.is_changed());
            prop_assert_eq!(read.workspaces, known.workspaces);
        }
    }
}
