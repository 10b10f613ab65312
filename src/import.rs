//! Credentials of other tools for the pillar: what a file of docker, podman, Kubernetes, Salt or a CI system
//! contains for each registry. Pure; helpers that such a file names are asked elsewhere, and their answers added.

mod clients;
mod env_file;
mod format;
mod item;
mod key;
mod kubernetes;
mod salt;
mod sops;
mod yaml;

pub use format::Format;
pub use item::{Ask, Gives, Item};
pub use sops::sops_type;

use crate::docker_config::Entries;
use crate::name::HelperName;
use crate::problem::{Place, Problem, Result, escaped};
use crate::registry::Scope;
use key::{Keys, Taken};
use std::collections::BTreeMap;

/// Everything in a source.
#[derive(Clone, Debug, Default)]
pub struct Source {
    keys: Keys,
    /// Each with the rank of its key.
    items: BTreeMap<Scope, (u8, Item)>,
    /// Entries whose keys say `http://`: looked at when all others are known.
    plain: Vec<(Scope, Item)>,
    /// Each with the key that it is about.
    bad: Vec<(Option<String>, Problem)>,
    notes: Vec<(String, String)>,
    /// Helpers that are named for one registry each.
    pub asks: Vec<Ask>,
    /// The helper that keeps all others (`credsStore`), and its place.
    pub store: Option<(HelperName, Place)>,
}

/// The mark that some editors put before a text.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

impl Source {
    /// Reads a source. `file` is its path, for errors.
    ///
    /// # Errors
    /// If it is not of the format. Single entries that are wrong are kept for [`Source::bad`].
    pub fn read(text: &str, file: &str, format: Format) -> Result<Self> {
        let mut source = Self { keys: format.keys(), ..Self::default() };
        let text = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => {
                let said = "it begins with a byte order mark, which docker refuses; it was read without";
                source.notes.push((String::new(), format!("{}: {said}", escaped(file))));
                rest
            }
            None => text,
        };
        match format {
            Format::Docker | Format::Podman => clients::read(text, file, Entries::Auths, &mut source)?,
            Format::Dockercfg => clients::read(text, file, Entries::Flat, &mut source)?,
            Format::Kubernetes => kubernetes::read(text, file, &mut source)?,
            Format::Env => env_file::read(text, file, &mut source)?,
            Format::Salt => salt::read(text, file, &mut source)?,
        }
        source.settle_plain();
        Ok(source)
    }

    /// Adds a credential, or what is wrong with it: the registry is none or has another one already, or it is no
    /// credential yet.
    pub fn add(&mut self, item: Item) {
        if let Some(why) = item.gives.placeholder() {
            return self.wrong(&item.key, &item.place, why);
        }
        match key::taken(&item.key, self.keys) {
            Err(why) => self.wrong(&item.key, &item.place, &why),
            Ok(Taken { scope, is_plain: true, .. }) => self.plain.push((scope, item)),
            Ok(Taken { scope, rank, .. }) => self.put(scope, rank, item),
        }
    }

    fn put(&mut self, scope: Scope, rank: u8, mut item: Item) {
        let Some((old_rank, old)) = self.items.get_mut(&scope) else {
            self.items.insert(scope, (rank, item));
            return;
        };
        if old.gives.same_as(&item.gives) {
            old.entries.append(&mut item.entries);
            return;
        }
        if rank < *old_rank {
            *old_rank = rank;
            std::mem::swap(old, &mut item);
        }
        let problem = Problem::failed(format!(
            "`{}` and `{}` are one registry and have two credentials",
            escaped(&old.key),
            escaped(&item.key)
        ));
        let problem = problem.at(&item.place).cause(format!("the other one, in {}, is taken", old.place));
        self.bad.push((Some(item.key), problem));
    }

    /// Entries for plain HTTP: one with the credential of its twin is that, any other is left out.
    fn settle_plain(&mut self) {
        for (scope, mut item) in std::mem::take(&mut self.plain) {
            let why = match self.items.get_mut(&scope) {
                Some((_, twin)) if twin.gives.same_as(&item.gives) => {
                    twin.entries.append(&mut item.entries);
                    continue;
                }
                Some((_, twin)) => {
                    format!("it is for plain HTTP, and `{}` has another credential", escaped(&twin.key))
                }
                None => {
                    "it is for plain HTTP, over which a credential of the pillar is never sent".to_owned()
                }
            };
            self.wrong(&item.key, &item.place, &why);
        }
    }

    /// Adds what is wrong with an entry.
    pub fn wrong(&mut self, key: &str, place: &Place, why: &str) {
        let what = format!("the entry of `{}` cannot be imported: {why}", escaped(key));
        let mut problem = Problem::failed(what).at(place);
        if key.is_empty() {
            problem = problem.hint("write the registry's host in its place: registry.example.com");
        }
        self.bad.push((Some(key.to_owned()), problem));
    }

    /// Adds what went wrong elsewhere on the way to a credential.
    pub fn failed(&mut self, problem: Problem) {
        self.bad.push((None, problem));
    }

    /// Adds something to know about an entry.
    pub fn note(&mut self, key: &str, place: &Place, what: &str) {
        self.notes.push((key.to_owned(), format!("{place}: `{}`: {what}", escaped(key))));
    }

    /// The entries without errors, by registry.
    pub fn items(&self) -> impl Iterator<Item = (&Scope, &Item)> {
        self.items.iter().map(|(scope, (_, item))| (scope, item))
    }

    /// The errors of the others.
    pub fn bad(&self) -> impl Iterator<Item = &Problem> {
        self.bad.iter().map(|(_, problem)| problem)
    }

    /// What is to know, each with its place.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(|(_, note)| note.as_str())
    }

    /// Why a key cannot be that of an entry of the pillar, whatever it is given.
    pub fn refusal(&self, key: &str) -> Option<String> {
        match key::taken(key, self.keys) {
            Ok(Taken { is_plain: true, .. }) => {
                Some("it is for plain HTTP, over which a credential of the pillar is never sent".to_owned())
            }
            Ok(_) => None,
            Err(why) => Some(why),
        }
    }

    /// The registry that a key of this source names.
    pub fn scope_of(&self, key: &str) -> Option<Scope> {
        key::taken(key, self.keys).ok().map(|taken| taken.scope)
    }

    /// Leaves out what is not in any of these registries, or prefixes of them.
    pub fn only(&mut self, wanted: impl Fn(&Scope) -> bool) {
        let keys = self.keys;
        let is_wanted = |key: &str| key::taken(key, keys).is_ok_and(|taken| wanted(&taken.scope));
        self.items.retain(|scope, _| wanted(scope));
        self.asks.retain(|ask| is_wanted(&ask.key));
        self.bad.retain(|(key, _)| key.as_deref().is_none_or(is_wanted));
        self.notes.retain(|(key, _)| key.is_empty() || is_wanted(key));
    }

    /// Whether anything in it is about a registry.
    pub fn mentions(&self, wanted: impl Fn(&Scope) -> bool) -> bool {
        let about = self.bad.iter().filter_map(|(key, _)| key.as_deref());
        let about = about.chain(self.notes.iter().map(|(key, _)| key.as_str()));
        self.items.keys().any(&wanted)
            || about.filter_map(|key| self.scope_of(key)).any(|scope| wanted(&scope))
    }
}

#[cfg(test)]
mod tests;
