//! What protects secrets, as it stands in the folder and as it stood at a git revision.

use super::commit::Commit;
use super::git::Git;
use crate::cli::vault::Vault;
use crate::inventory::{self, Inventory};
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::pillar::document::Document;
use crate::problem::{Problem, Result, escaped};
use std::collections::BTreeMap;

/// Inventory, boxes, key files and values at one time.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Engines by the names of their hosts.
    pub(super) engines: BTreeMap<String, String>,
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
        snapshot.add_engines(vault.inventory());
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
    pub(super) fn at(git: &Git, commit: &Commit) -> Result<Self> {
        let mut snapshot = Self::default();
        for (path, text) in files(git, &commit.id)? {
            snapshot.add(&path, text);
        }
        Ok(snapshot)
    }

    fn add(&mut self, path: &str, text: Option<String>) {
        let read = (|| {
            let text = text?;
            if path == inventory::FILE {
                self.add_engines(&Inventory::parse(&text).ok()?);
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

    fn add_engines(&mut self, inventory: &Inventory) {
        self.engines
            .extend(inventory.hosts.iter().map(|(name, host)| (name.to_string(), host.engine.to_string())));
    }

    fn add_key(&mut self, path: &str, text: &str) {
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        self.keys.insert(path.to_owned(), lines.join(" "));
    }
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
