//! `keys/`: the public keys of readers. The lock of a box decides who can open it.

use super::Vault;
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::boxes::Readers;
use crate::problem::{Place, Problem, Problems, Result};
use std::collections::BTreeMap;

/// The keys of `keys/NAME.pub` by name.
pub struct KeyFiles(BTreeMap<ReaderName, Result<Recipient>>);

impl KeyFiles {
    /// The path of a reader's key file, relative to the workspace.
    pub fn path(name: &ReaderName) -> String {
        format!("keys/{name}.pub")
    }

    /// The text of a new key file.
    pub fn text(key: &Recipient) -> String {
        format!("{key}\n")
    }

    /// The key in a reader's file, if there is a file.
    ///
    /// # Errors
    /// Where the file holds no key.
    pub fn get(&self, name: &ReaderName) -> Result<Option<&Recipient>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Ok(key)) => Ok(Some(key)),
            Some(Err(problems)) => Err(problems.clone()),
        }
    }

    /// Readers by their names.
    ///
    /// # Errors
    /// All names without a file, and all files without a key.
    pub fn readers<'n>(&self, names: impl IntoIterator<Item = &'n ReaderName>) -> Result<Readers> {
        let (mut readers, mut problems) = (Readers::new(), Vec::new());
        for name in names {
            match self.get(name) {
                Ok(Some(key)) => drop(readers.insert(name.clone(), key.clone())),
                Ok(None) => problems.push(
                    Problem::failed(format!("there is no {}", Self::path(name)))
                        .nearest(name.as_str(), self.0.keys().map(ReaderName::as_str))
                        .hint(format!("add the reader with the key: pillarbox reader add {name} 'age1…'")),
                ),
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        Problems::check(problems)?;
        Ok(readers)
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ReaderName, &Result<Recipient>)> {
        self.0.iter()
    }
}

impl Vault<'_> {
    /// Reads `keys/`.
    ///
    /// # Errors
    /// Where the folder cannot be read, or a file in it has a name that no reader can have.
    pub fn key_files(&self) -> Result<KeyFiles> {
        let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
        for file in self.workspace.key_files()? {
            let path = format!("keys/{file}");
            let key = self.workspace.read(&path).and_then(|text| Recipient::parse_file(&text, &path));
            match ReaderName::parse(file.trim_end_matches(".pub")) {
                Ok(name) => drop(found.insert(name, key)),
                Err(wrong) => {
                    problems
                        .extend(wrong.map(|problem| problem.at(&Place::new(path.as_str(), 0))).into_vec());
                }
            }
        }
        Problems::check(problems)?;
        Ok(KeyFiles(found))
    }
}
