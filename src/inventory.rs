//! `pillarbox.toml`: the hosts, how to connect to them, and the pillar files and states of each
//! one.

mod address;
mod compose;
mod edit;
mod files;
mod order;
mod read;
mod select;

#[cfg(test)]
mod tests;

pub use address::{EngineAddress, Tls};
pub use compose::ComposeProject;
pub use edit::{
    Getter, NewHost, NewProject, add_group, add_host, add_id, add_project, give, give_project, remove_reader,
};
pub use files::{matches_glob, pillar_files, state_files};

use crate::name::{HostName, Owner, ReaderName};
use crate::pillar::document::plain_tree;
use crate::problem::{Place, Problem, Result, escaped};
use crate::rollout::Share;
use std::collections::BTreeMap;

/// The name of the file, at the top of a workspace.
pub const FILE: &str = "pillarbox.toml";

/// The whole inventory.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// `workspace`, `id`, `owns_without_id`: the owner of everything that has the labels of pillarbox.
    pub owner: Owner,
    /// `[readers]`.
    pub readers: Readers,
    /// `[groups.*]` by name.
    pub groups: BTreeMap<String, Group>,
    /// `[hosts.*]` by name.
    pub hosts: BTreeMap<HostName, Host>,
    /// `[compose.*]` by name.
    pub compose: BTreeMap<String, ComposeProject>,
}

/// `[readers]`: who reads a new box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readers {
    /// `default`: the readers of a new box, groups resolved, each once.
    pub default: Vec<ReaderName>,
    /// `[readers.groups]`: the readers of `@NAME`.
    pub groups: BTreeMap<String, Vec<ReaderName>>,
}

/// An entry of a list, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// As written.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// `[groups.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Pillar files relative to `pillar/`, without `.toml`; `*` and `?` match within a part.
    pub pillar: Vec<ListEntry>,
    /// State files relative to `states/`, likewise.
    pub states: Vec<ListEntry>,
    /// Compose projects, all of which exist.
    pub compose: Vec<ListEntry>,
    /// `after`: groups whose hosts are changed before those of this one; all of them exist.
    pub after: Vec<String>,
    /// How many groups in a row come before it.
    pub wave: usize,
    /// `canary`: a glob of host names; of this group's hosts these are changed before the others.
    pub canary: Option<String>,
    /// `batch`: so many of its hosts are changed at once at most.
    pub batch: Option<Share>,
    /// The line of its header.
    pub place: Place,
}

/// `[hosts.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its name.
    pub name: HostName,
    /// `engine`: where its Engine answers.
    pub engine: EngineAddress,
    /// Its groups in order, each once; all of them exist.
    pub groups: Vec<String>,
    /// Its own pillar files, merged after those of its groups.
    pub pillar: Vec<ListEntry>,
    /// Its own states, after those of its groups.
    pub states: Vec<ListEntry>,
    /// Its own Compose projects, after those of its groups; all of them exist.
    pub compose: Vec<ListEntry>,
    /// `labels`: facts that the inventory adds to those of the Engine.
    pub labels: BTreeMap<String, String>,
    /// `canary`: it is changed before the others.
    pub canary: bool,
    /// `paused`: why nothing is done there, and nothing asked.
    pub paused: Option<String>,
    /// The line of its header.
    pub place: Place,
}

impl Inventory {
    /// Reads the text of `pillarbox.toml`.
    ///
    /// # Errors
    /// All of: unknown keys (with the nearest known one), wrong types, names and addresses that are
    /// none, groups that are not there, a host without an engine; each with its line.
    pub fn parse(text: &str) -> Result<Self> {
        read::inventory(&plain_tree(FILE, text)?)
    }

    /// The Compose projects of a host: those of its groups, then its own, each once.
    pub fn compose_of(&self, host: &Host) -> Vec<&ComposeProject> {
        let groups = host.groups.iter().filter_map(|group| self.groups.get(group));
        let named = groups.flat_map(|group| &group.compose).chain(&host.compose);
        let mut found: Vec<&ComposeProject> = Vec::new();
        for project in named.filter_map(|entry| self.compose.get(&entry.text)) {
            if !found.iter().any(|before| before.name == project.name) {
                found.push(project);
            }
        }
        found
    }

    /// Readers from names and `@groups`, each once, in order.
    ///
    /// # Errors
    /// If a group is not there or empty, or a name is none.
    pub fn expand_readers<'a>(&self, written: impl IntoIterator<Item = &'a str>) -> Result<Vec<ReaderName>> {
        let mut found: Vec<ReaderName> = Vec::new();
        let mut problems = Vec::new();
        for word in written {
            match self.readers.expand(word) {
                Ok(names) if names.is_empty() => {
                    problems
                        .push(Problem::failed(format!("the group of readers `{}` is empty", escaped(word))));
                }
                Ok(names) => {
                    for name in names {
                        if !found.contains(&name) {
                            found.push(name);
                        }
                    }
                }
                Err(more) => problems.extend(more.into_vec()),
            }
        }
        crate::problem::Problems::check(problems)?;
        Ok(found)
    }
}

impl Readers {
    fn expand(&self, word: &str) -> Result<Vec<ReaderName>> {
        let Some(group) = word.strip_prefix('@') else {
            return Ok(vec![ReaderName::parse(word)?]);
        };
        self.groups.get(group).cloned().ok_or_else(|| {
            Problem::failed(format!("there is no group of readers `@{}`", escaped(group)))
                .nearest(group, self.groups.keys().map(String::as_str))
                .hint(format!("declare groups of readers in {FILE} under [readers.groups]"))
                .into()
        })
    }
}
