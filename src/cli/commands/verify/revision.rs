//! What protects secrets, as it stands in the folder and as it stood at a git revision.

use super::commit::Commit;
use super::git::Git;
use crate::inventory::{self, EngineAddress, Host, Inventory, Tls};
use crate::name::Owner;
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::pillar::document::Document;
use crate::problem::{Problem, Result, escaped};
use crate::session::{Vault, dialled};
use std::collections::BTreeMap;

/// Inventory, boxes, key files and values at one time.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Name and id of the workspace.
    pub(super) owner: Option<Owner>,
    /// Engines by the names of their hosts, with all that decides who answers there.
    pub(super) engines: BTreeMap<String, String>,
    /// Pillar files and states of each host.
    pub(super) gets: BTreeMap<String, String>,
    /// Boxes by folder.
    pub(super) boxes: BTreeMap<BoxFolder, BoxFile>,
    /// Keys by path, comments left out.
    pub(super) keys: BTreeMap<String, String>,
    /// Pillar files, relative to `pillar/`.
    pub(super) documents: BTreeMap<String, Document>,
    /// Files that could not be read, by path.
    pub(super) unreadable: Vec<String>,
}

impl Snapshot {
    /// As the workspace stands.
    pub(super) fn of(vault: &Vault<'_>) -> Result<Self> {
        let mut snapshot = Self { boxes: vault.boxes().clone(), ..Self::default() };
        snapshot.add_inventory(vault.inventory(), &|host| engine(vault, host));
        for document in vault.documents() {
            snapshot.documents.insert(document.file().to_owned(), document.clone());
        }
        for file in vault.workspace().key_files()? {
            let path = format!("keys/{file}");
            snapshot.add_key(&path, &vault.workspace().read(&path)?);
        }
        Ok(snapshot)
    }

    /// As it stood at a commit of the repository around the workspace.
    pub(super) fn at(vault: &Vault<'_>, git: &Git, commit: &Commit) -> Result<Self> {
        let mut snapshot = Self::default();
        for (path, text) in files(git, &commit.id)? {
            snapshot.add(&path, text, &|host| engine(vault, host));
        }
        Ok(snapshot)
    }

    fn add(&mut self, path: &str, text: Option<String>, engine: &dyn Fn(&Host) -> String) {
        let read = (|| {
            let text = text?;
            if path == inventory::FILE {
                self.add_inventory(&Inventory::parse(&text).ok()?, engine);
            } else if let Some(file) = path.strip_prefix("keys/") {
                if file.ends_with(".pub") {
                    self.add_key(path, &text);
                }
            } else if let Some(file) = path.strip_prefix("pillar/").filter(|file| file.ends_with(".toml")) {
                match if file == "box.toml" { Some("") } else { file.strip_suffix("/box.toml") } {
                    Some(folder) => {
                        let read = BoxFile::parse(&text, path).ok()?;
                        self.boxes.insert(BoxFolder::parse(folder).ok()?, read);
                    }
                    None => drop(self.documents.insert(file.to_owned(), Document::parse(file, text).ok()?)),
                }
            }
            Some(())
        })();
        if read.is_none() {
            self.unreadable.push(path.to_owned());
        }
    }

    fn add_inventory(&mut self, inventory: &Inventory, engine: &dyn Fn(&Host) -> String) {
        self.owner = Some(inventory.owner.clone());
        for (name, host) in &inventory.hosts {
            self.engines.insert(name.to_string(), engine(host));
            self.gets.insert(name.to_string(), gets(inventory, host));
        }
    }

    fn add_key(&mut self, path: &str, text: &str) {
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        self.keys.insert(path.to_owned(), lines.join(" "));
    }
}

/// The engine of a host with its certificates and what its docker context stands for, as they are found on this
/// machine now.
fn engine(vault: &Vault<'_>, host: &Host) -> String {
    let written = match &host.engine {
        EngineAddress::Tcp { tls: Tls::Folder(folder), .. } => format!(", TLS {folder}"),
        _ => String::new(),
    };
    let root = vault.workspace().root();
    let Ok((_, seen)) = dialled(vault.session(), root, host) else {
        return format!("{}{written}", host.engine);
    };
    let parts = [("leads to", seen.leads_to), ("TLS", seen.tls), ("authority", seen.ca)];
    let parts = parts.into_iter().filter_map(|(what, text)| Some(format!(", {what} {}", text?)));
    std::iter::once(seen.address).chain(parts).collect()
}

/// Which pillar files and states a host gets, as the inventory names them.
fn gets(inventory: &Inventory, host: &Host) -> String {
    let groups = host.groups.iter().filter_map(|name| inventory.groups.get(name));
    let (mut pillar, mut states): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (files, of) in
        groups.map(|group| (&group.pillar, &group.states)).chain([(&host.pillar, &host.states)])
    {
        pillar.extend(files.iter().map(|entry| entry.text.as_str()));
        states.extend(of.iter().map(|entry| entry.text.as_str()));
    }
    format!("pillar {}; states {}", pillar.join(" "), states.join(" "))
}

/// Files of the workspace at a commit, relative to it; without text where one is no regular file or
/// not UTF-8.
fn files(git: &Git, commit: &str) -> Result<Vec<(String, Option<String>)>> {
    let prefix = git.prefix();
    let paths: Vec<String> = [inventory::FILE, "pillar", "keys"].map(|path| format!("{prefix}{path}")).into();
    let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", commit, "--"];
    arguments.extend(paths.iter().map(String::as_str));
    let listed = git.ask(arguments, b"")?;
    let (mut found, mut blobs) = (Vec::new(), String::new());
    for entry in String::from_utf8_lossy(&listed).split('\0').filter(|entry| !entry.is_empty()) {
        let Some((data, path)) = entry.split_once('\t') else { continue };
        let path = path.strip_prefix(prefix).unwrap_or(path).to_owned();
        match data.split(' ').collect::<Vec<_>>().as_slice() {
            ["100644" | "100755", "blob", id] => {
                blobs.push_str(id);
                blobs.push('\n');
                found.push((path, true));
            }
            _ => found.push((path, false)),
        }
    }
    let texts = git.ask(["cat-file", "--batch"], blobs.as_bytes())?;
    let mut rest = texts.as_slice();
    let mut files = Vec::new();
    for (path, regular) in found {
        let text = if regular { next_blob(&mut rest)? } else { None };
        files.push((path, text));
    }
    Ok(files)
}

/// The next answer of `git cat-file --batch`: `ID blob SIZE`, a newline, the bytes, a newline.
fn next_blob(rest: &mut &[u8]) -> Result<Option<String>> {
    let broken = || Problem::failed("git gave an answer that is not understood");
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&rest[..end]).into_owned();
    let size: usize = match head.split(' ').collect::<Vec<_>>().as_slice() {
        [_, "blob", size] => size.parse().map_err(|_| broken())?,
        _ => {
            return Err(Problem::failed("a file of the revision is not in the repository")
                .cause(escaped(&head))
                .into());
        }
    };
    let body = rest.get(end + 1..end + 1 + size).ok_or_else(broken)?;
    *rest = rest.get(end + size + 2..).ok_or_else(broken)?;
    Ok(String::from_utf8(body.to_vec()).ok())
}
