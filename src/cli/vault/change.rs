//! Changes of a workspace: collected, then written as one.

use super::Vault;
use crate::pillar::Sealed;
use crate::pillar::boxes::Made;
use crate::pillar::document::Document;
use crate::pillar::known::SeenBox;
use crate::problem::{Problem, Result};

impl Vault<'_> {
    /// Changes a pillar file, or makes it. `file` is relative to `pillar/`. Nothing is written before
    /// [`Self::commit`].
    ///
    /// # Errors
    /// What `change` says; then the file stays as it is.
    pub(in crate::cli) fn edit(
        &mut self,
        file: &str,
        change: impl FnOnce(&mut Document) -> Result<()>,
    ) -> Result<()> {
        let mut document = match self.documents.get(file) {
            Some(document) => document.clone(),
            None => Document::parse(file, "")?,
        };
        change(&mut document)?;
        self.put(&format!("pillar/{file}"), document.text());
        self.documents.insert(file.to_owned(), document);
        Ok(())
    }

    /// Removes a pillar file.
    pub(in crate::cli) fn remove_document(&mut self, file: &str) {
        self.documents.remove(file);
        self.remove(&format!("pillar/{file}"));
    }

    /// Writes any file of the workspace; `path` is relative to it. Pillar files: [`Self::edit`].
    pub(in crate::cli) fn put(&mut self, path: &str, text: impl Into<String>) {
        self.changes.insert(path.to_owned(), Some(text.into()));
    }

    /// Removes any file of the workspace.
    pub(in crate::cli) fn remove(&mut self, path: &str) {
        self.changes.insert(path.to_owned(), None);
    }

    /// Puts a box that was made or rekeyed in its place. It counts as opened.
    pub(in crate::cli) fn put_box(&mut self, made: &Made) {
        let folder = made.open.folder().clone();
        self.put(&folder.file(), made.file.to_string());
        self.boxes.insert(folder.clone(), made.file.clone());
        self.unlocked.borrow_mut().insert(folder.clone(), Ok(made.open.clone().into()));
        self.met.borrow_mut().insert(folder.clone());
        self.made.insert(folder);
    }

    /// Seals values again to a slot, with their ids; each stays where it is.
    ///
    /// # Errors
    /// Where one does not stand where it says.
    pub(in crate::cli) fn put_resealed(&mut self, all: &[Sealed]) -> Result<()> {
        let mut files: Vec<&str> = all.iter().map(|sealed| sealed.origin.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            self.edit(file, |document| {
                document.reseal(all.iter().filter(|sealed| sealed.origin.file == file))
            })?;
        }
        Ok(())
    }

    /// Whether there is anything to commit.
    pub(in crate::cli) fn is_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Writes all changes as one: after a crash at any moment the workspace is the old one or the new
    /// one. Then this machine knows the boxes made. Returns the paths changed.
    ///
    /// # Errors
    /// Where they cannot be written; then nothing is changed.
    pub(in crate::cli) fn commit(mut self) -> Result<Vec<String>> {
        let Some(lock) = self.lock.take() else {
            return Err(Problem::failed("the workspace was loaded for reading alone").into());
        };
        let changed = self.workspace.commit(&lock, &self.changes)?;
        for folder in &self.made {
            let open = self.unlock(folder)?;
            let slot = open.keys().slot();
            self.anchor
                .learn(self.ctx, &SeenBox { workspace: self.name(), folder, slot, open: Some(&open) })?;
        }
        drop(lock);
        Ok(changed)
    }
}
