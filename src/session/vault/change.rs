//! Changes of a workspace: collected, then written as one.

use super::Vault;
use super::cores::on_all_cores;
use crate::pillar::boxes::{Made, OpenBox};
use crate::pillar::document::Document;
use crate::pillar::known::SeenBox;
use crate::pillar::seal;
use crate::pillar::{Origin, Sealed};
use crate::problem::{Problem, Problems, Result};
use crate::store::Writer;

/// The values of a box after a look at each of them.
#[derive(Debug, Default)]
pub struct Sweep {
    /// Sealed again, to be put in their places.
    pub resealed: Vec<Sealed>,
    /// Places of those that stood sealed to a slot that has retired.
    pub late: Vec<Origin>,
}

impl Vault<'_> {
    /// Changes a pillar file, or makes it. `file` is relative to `pillar/`. Nothing is written before
    /// [`Self::commit`].
    ///
    /// # Errors
    /// What `change` says; then the file stays as it is.
    pub fn edit(&mut self, file: &str, change: impl FnOnce(&mut Document) -> Result<()>) -> Result<()> {
        let mut document = match self.documents.get(file) {
            Some(document) => document.clone(),
            None => Document::parse(file, "")?,
        };
        change(&mut document)?;
        self.put(&format!("pillar/{file}"), document.text());
        self.documents.insert(file.to_owned(), document);
        Ok(())
    }

    /// Puts a whole pillar file in its place, also of one that could not be read.
    pub fn put_document(&mut self, document: Document) {
        self.put(&format!("pillar/{}", document.file()), document.text());
        self.unread.remove(document.file());
        self.documents.insert(document.file().to_owned(), document);
    }

    /// Removes a pillar file.
    pub fn remove_document(&mut self, file: &str) {
        self.documents.remove(file);
        self.remove(&format!("pillar/{file}"));
    }

    /// Writes any file of the workspace; `path` is relative to it. Pillar files: [`Self::edit`].
    pub fn put(&mut self, path: &str, text: impl Into<Vec<u8>>) {
        self.change.put(path, text);
    }

    /// Removes any file of the workspace.
    pub fn remove(&mut self, path: &str) {
        self.change.remove(path);
    }

    /// Puts a box that was made or rekeyed in its place. It counts as opened.
    pub fn put_box(&mut self, made: &Made) {
        let folder = made.open.folder().clone();
        self.put(&folder.file(), made.file.to_string());
        self.unread.remove(folder.file().trim_start_matches("pillar/"));
        self.boxes.insert(folder.clone(), made.file.clone());
        self.unlocked.borrow_mut().insert(folder.clone(), Ok(made.open.clone().into()));
        self.met.borrow_mut().insert(folder.clone());
        self.made.insert(folder);
    }

    /// Seals values again to a slot, with their ids; each stays where it is.
    ///
    /// # Errors
    /// Where one does not stand where it says.
    pub fn put_resealed(&mut self, all: &[Sealed]) -> Result<()> {
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

    /// Opens every value of a box with the keys that it had, and seals again what has to be: all of
    /// them where the slot is a new one, else those that stand sealed to an old slot.
    ///
    /// # Errors
    /// All values that do not open, and files of the box that are not sound: nothing may be left sealed
    /// to a key that goes.
    pub fn sweep(&self, open: &OpenBox, made: &Made) -> Result<Sweep> {
        let mut problems = Vec::new();
        let mut all: Vec<&Sealed> = Vec::new();
        for document in self.documents_in(open.folder()) {
            all.extend(document.sealed());
            problems.extend(document.tree().err().into_iter().flat_map(Problems::into_vec));
        }
        let results = on_all_cores(&all, |sealed| {
            let opened = seal::open(sealed, open.keys())?;
            let late = opened.retired.is_some();
            let again = (late || made.new_slot).then(|| {
                seal::seal(&opened.secret, opened.kind, &sealed.origin, sealed.id.clone(), &made.file.slot)
            });
            Ok((again.transpose()?, late.then(|| sealed.origin.clone())))
        });
        let mut sweep = Sweep::default();
        for result in results {
            match result {
                Ok((again, late)) => {
                    sweep.resealed.extend(again);
                    sweep.late.extend(late);
                }
                Err(found) => problems.extend(Problems::into_vec(found)),
            }
        }
        Problems::check(problems)?;
        Ok(sweep)
    }

    /// Whether there is anything to commit.
    pub fn is_changed(&self) -> bool {
        !self.change.is_empty()
    }

    /// Any file of the workspace, as it stands under the lock.
    ///
    /// # Errors
    /// Where it cannot be read, or the workspace was loaded for reading alone.
    pub fn read(&self, path: &str) -> Result<Option<String>> {
        self.writer()?.read_if_there(path)
    }

    /// Writes all changes as one: after a crash at any moment the workspace is the old one or the new
    /// one. Then this machine knows the boxes made.
    ///
    /// # Errors
    /// Where they cannot be written; then nothing is changed.
    pub fn commit(self) -> Result<()> {
        self.writer()?.commit(&self.change)?;
        for folder in &self.made {
            let open = self.unlock(folder)?;
            let slot = open.keys().slot();
            let seen = SeenBox { workspace: self.seen(), folder, slot, open: Some(&open) };
            self.known.learn(self.session, &seen)?;
        }
        Ok(())
    }

    fn writer(&self) -> Result<&Writer<'_>> {
        self.writer
            .as_ref()
            .ok_or_else(|| Problem::failed("the workspace was loaded for reading alone").into())
    }
}
