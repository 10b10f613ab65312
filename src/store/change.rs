//! Writing to a workspace.

use super::journal::{Files, hash_of};
use super::path::within;
use super::workspace::Workspace;
use super::{fault::cannot, journal};
use crate::pillar::document::Document;
use crate::problem::{Problem, Problems, Result, escaped};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

/// Files of a workspace to be written and removed together. Paths are relative to the workspace:
/// `pillarbox.toml`, `.gitattributes`, `.gitignore`, or below `pillar/`, `keys/`, `states/`.
#[derive(Debug, Default)]
pub struct Change {
    pub(super) files: Files,
}

impl Change {
    /// A change of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file; folders are made as needed. An existing file keeps its mode.
    pub fn put(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), Some(text.into()));
    }

    /// Writes a pillar file.
    pub fn put_document(&mut self, document: &Document) {
        self.put(format!("pillar/{}", document.file()), document.text());
    }

    /// Removes a file; nothing if it is not there.
    pub fn remove(&mut self, path: impl Into<String>) {
        self.files.insert(path.into(), None);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// The right to write to a workspace: nobody else has it at the same time. Everything that a change is
/// computed from is read through it. Held for as short as it can be, never while a person is asked.
#[derive(Debug)]
pub struct Writer<'w> {
    workspace: &'w Workspace,
    own: PathBuf,
    seen: RefCell<BTreeMap<String, Option<String>>>,
    _lock: File,
}

impl<'w> Writer<'w> {
    pub(super) fn new(workspace: &'w Workspace, own: PathBuf, lock: File) -> Self {
        workspace.writing(true);
        Self { workspace, own, seen: RefCell::default(), _lock: lock }
    }

    /// The workspace; its lists of files may be used while this is held.
    pub fn workspace(&self) -> &'w Workspace {
        self.workspace
    }

    /// The text of a file, if it is there. A change of it is refused if it was changed by somebody
    /// without the lock (an editor) after this.
    ///
    /// # Errors
    /// As [`Workspace::read_if_there`].
    pub fn read_if_there(&self, path: &str) -> Result<Option<String>> {
        let target = within(self.workspace.root(), path)?;
        let seen = hash_of(&target).map_err(|error| cannot("read", &target, &error))?;
        let text = self.workspace.read_if_there(path)?;
        self.seen.borrow_mut().entry(path.to_owned()).or_insert(seen);
        Ok(text)
    }

    /// A pillar file, relative to `pillar/`; an empty one if it is not there.
    ///
    /// # Errors
    /// Where it cannot be read or is not TOML.
    pub fn document(&self, file: &str) -> Result<Document> {
        Document::parse(file, self.read_if_there(&format!("pillar/{file}"))?.unwrap_or_default())
    }

    /// All pillar files.
    ///
    /// # Errors
    /// All files that cannot be read or are not TOML.
    pub fn documents(&self) -> Result<Vec<Document>> {
        collect(self.workspace.pillar_files()?.iter().map(|file| self.document(file)))
    }

    /// Makes a change, wholly or not at all.
    ///
    /// # Errors
    /// Where a file was changed since it was read, or cannot be written: then nothing is changed, unless
    /// the problem says otherwise.
    pub fn commit(&self, change: &Change) -> Result<()> {
        let mut problems = Vec::new();
        for path in change.files.keys() {
            let target = within(self.workspace.root(), path)?;
            let now = hash_of(&target).map_err(|error| cannot("read", &target, &error))?;
            if self.seen.borrow().get(path).is_some_and(|seen| *seen != now) {
                problems.push(
                    Problem::failed(format!("{} was changed meanwhile, say in an editor", escaped(path)))
                        .hint("nothing was written: run the same command again"),
                );
            }
        }
        Problems::check(problems)?;
        journal::write(self.workspace.disk(), self.workspace.root(), &self.own, &change.files)?;
        self.seen.borrow_mut().clear();
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.workspace.writing(false);
    }
}

/// All results, or all problems.
pub(super) fn collect<T>(results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => found.push(value),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems)?;
    Ok(found)
}
