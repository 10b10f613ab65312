//! Writing to a workspace.

use super::change::{Change, collect};
use super::fault::cannot;
use super::journal::{self, hash_of, pending};
use super::lock::{Mode, TIMEOUT, make_own_folder, own_folder, take};
use super::path::within;
use super::workspace::Workspace;
use crate::pillar::document::Document;
use crate::problem::{Problem, Problems, Result, escaped};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

impl Workspace {
    /// Takes the right to write. `waiting` is called once if another command has it. At most a minute is
    /// waited.
    ///
    /// # Errors
    /// Where nothing can be written here, the other command does not end, or an unfinished change is in
    /// the way.
    pub fn lock(&self, waiting: &mut dyn FnMut()) -> Result<Writer<'_>> {
        let own = make_own_folder(self.disk(), self.root())
            .map_err(|error| cannot("write to", &own_folder(self.root()), &error))?;
        let lock = take(&own.join("lock"), Mode::Exclusive, TIMEOUT, waiting)?;
        if let Some(pending) = pending(&own)? {
            pending.finish(self.disk(), self.root(), &own)?;
        }
        journal::sweep(self.disk(), &own);
        Ok(Writer::new(self, own, lock))
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
