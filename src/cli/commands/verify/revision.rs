//! What protects secrets, as it stands in the folder and as it stood at a git revision.

use crate::inventory::{self, EngineAddress, Host, Inventory, Tls};
use crate::name::Owner;
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::pillar::document::Document;
use crate::problem::Result;
use crate::session::{Git, Vault, dialled};
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
    pub(super) fn at(vault: &Vault<'_>, git: &Git, commit: &str) -> Result<Self> {
        let mut snapshot = Self::default();
        for (path, text) in git.files(commit)? {
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
