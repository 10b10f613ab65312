//! What this machine has accepted of boxes, readers and hosts, outside of the workspace.
//!
//! Anyone who can write to a workspace can make a slot together with a lock, so nothing inside proves
//! a slot. `known.toml` records, as ssh's `known_hosts` does: for each workspace the slot and revision of each
//! box, the keys of its readers, and of each host everything that decides who receives what is sent to it.
//! There is no secret in it.
//!
//! A workspace is found by its folder, its id or its name, and all of them must agree: a new name or a new id
//! makes no new workspace of one that is known.
//!
//! A caller loads the text, [`Known::parse`]s it, lets it [`Known::meet_box`] and
//! [`Known::meet_host`], and saves `to_string()` where [`Known::is_changed`].

mod boxes;
mod hosts;
#[cfg(test)]
mod refused;
mod text;
mod workspaces;

pub use boxes::{BoxVerdict, Older, Purpose, SeenBox};
pub use hosts::HostVerdict;
pub use workspaces::SeenWorkspace;

use crate::keys::Recipient;
use crate::name::{HostName, ReaderName, WorkspaceId, WorkspaceName};
use crate::pillar::boxes::{BoxFolder, ReaderChange, Readers};
use std::collections::{BTreeMap, BTreeSet};

/// What this machine knows; empty to begin with.
#[derive(Clone, Debug, Default)]
pub struct Known {
    workspaces: Vec<KnownWorkspace>,
    changed: bool,
}

/// What this machine knows of one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownWorkspace {
    /// Its name.
    pub name: WorkspaceName,
    /// Its id, if it has one.
    pub id: Option<WorkspaceId>,
    /// The folders that it was seen in, the latest last.
    pub folders: Vec<String>,
    /// Boxes by their folder.
    pub boxes: BTreeMap<BoxFolder, KnownBox>,
    /// Hosts by their name in the inventory.
    pub hosts: BTreeMap<HostName, KnownHost>,
}

/// A box as it was last accepted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBox {
    /// Its slot.
    pub slot: Recipient,
    /// The revision of its slot, `turn` in the file; `None` until its lock was opened here.
    pub turn: Option<u32>,
    /// Slots that it had before, newest first: they may be read, never posted to.
    pub retired: Vec<Recipient>,
    /// Its readers with their keys; none until its lock was opened here.
    pub readers: Readers,
    /// Slots of other branches, accepted beside the newest one.
    pub beside: Vec<Beside>,
}

/// A slot that was accepted although another branch has a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The slot.
    pub slot: Recipient,
    /// Its revision; `None` where its lock did not open here.
    pub turn: Option<u32>,
    /// The folder of the workspace where it was accepted.
    pub folder: Option<String>,
    /// The git branch that was checked out there. Once the newest slot is met on it, a merge has retired this
    /// one.
    pub branch: Option<String>,
}

/// A host as it is, or was last accepted here: everything that decides who receives what is sent to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownHost {
    /// Its engine, as the inventory writes it: `ssh://deploy@web1.example.com`.
    pub address: String,
    /// Where its docker context leads: `tcp://web1.example.com:2376`.
    pub leads_to: Option<String>,
    /// Of `tcp://`: the folder of its certificates, or `none`.
    pub tls: Option<String>,
    /// Of TLS: the SHA-256 fingerprints of the authorities in `ca.pem`.
    pub ca: Option<String>,
    /// Of `unix://`: who else than root and this user decides what answers there.
    pub stranger: Option<String>,
    /// The ID that its Engine gives itself (`GET /info`, `ID`); `None` until it was asked.
    pub daemon: Option<String>,
}

impl Known {
    /// Whether there is something to save that was not in the text.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// All workspaces.
    pub fn workspaces(&self) -> impl Iterator<Item = &KnownWorkspace> {
        self.workspaces.iter()
    }

    /// The keys of each reader, from the locks that were opened here: one key, or several while a
    /// box is not yet rekeyed to the new one.
    pub fn reader_keys(&self, workspace: &SeenWorkspace) -> BTreeMap<ReaderName, BTreeSet<Recipient>> {
        let mut keys: BTreeMap<ReaderName, BTreeSet<Recipient>> = BTreeMap::new();
        for known in self.workspace(workspace).into_iter().flat_map(|known| known.boxes.values()) {
            for (name, key) in &known.readers {
                keys.entry(name.clone()).or_default().insert(key.clone());
            }
        }
        keys
    }

    /// Which of these keys this machine does not know (`come`), and which other keys it knows under
    /// their names (`gone`). Used before a box is made, when there is no older lock to compare
    /// with: an attacker who can write to `keys/` may have added a key of their own.
    pub fn unknown_readers(&self, workspace: &SeenWorkspace, readers: &Readers) -> ReaderChange {
        let known = self.reader_keys(workspace);
        let mut change = ReaderChange::default();
        for (name, key) in readers {
            let old = known.get(name);
            if old.is_some_and(|old| old.contains(key)) {
                continue;
            }
            change.come.push((name.clone(), key.clone()));
            change.gone.extend(old.into_iter().flatten().map(|key| (name.clone(), key.clone())));
        }
        change
    }

    /// Forgets a box or host of a workspace by the name that messages give it (`pillar/prod/`,
    /// `web1`); says whether there was one.
    pub fn forget(&mut self, workspace: &SeenWorkspace, name: &str) -> bool {
        let Some(known) = self.workspace_mut(workspace) else { return false };
        let before = known.clone();
        known.boxes.retain(|folder, _| folder.to_string() != name);
        known.hosts.retain(|host, _| host.as_str() != name);
        let gone = before != *known;
        self.changed |= gone;
        gone
    }
}
