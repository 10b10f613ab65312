//! Changes of a workspace: collected, then written as one.

use super::Vault;
use super::cores::{locks_on_all_cores, on_all_cores};
use crate::pillar::boxes::{self, BoxFolder, Made, NewSlot, OpenBox, Readers};
use crate::pillar::document::Document;
use crate::pillar::known::SeenBox;
use crate::pillar::seal;
use crate::pillar::{Origin, Sealed};
use crate::problem::{Problem, Problems, Result};
use crate::store::Writer;
use std::collections::BTreeMap;

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
        self.met_to_post.borrow_mut().remove(&folder);
        self.made.insert(folder);
    }

    /// Seals values again to a slot, with their ids; each stays where it is.
    ///
    /// # Errors
    /// Where one does not stand where it says.
    pub fn put_resealed(&mut self, all: &[Sealed]) -> Result<()> {
        let mut by_file: BTreeMap<&str, Vec<&Sealed>> = BTreeMap::new();
        for sealed in all {
            by_file.entry(&sealed.origin.file).or_default().push(sealed);
        }
        for (file, sealed) in by_file {
            self.edit(file, |document| document.reseal(sealed))?;
        }
        Ok(())
    }

    /// Opens every value of some boxes with the keys that they had, and seals again what has to be: all of a
    /// box where its slot is a new one, else those that stand sealed to an old slot. One sweep for each box, in
    /// their order.
    ///
    /// # Errors
    /// All values that do not open, and files of the boxes that are not sound: nothing may be left sealed
    /// to a key that goes.
    pub fn sweep(&self, boxes: &[(&OpenBox, &Made)]) -> Result<Vec<Sweep>> {
        let index: BTreeMap<&BoxFolder, usize> =
            boxes.iter().enumerate().map(|(at, (open, _))| (open.folder(), at)).collect();
        let mut problems = Vec::new();
        let mut all: Vec<(usize, &Sealed)> = Vec::new();
        for document in self.documents() {
            let folder = BoxFolder::governing(document.file(), self.boxes.keys());
            let Some(at) = folder.and_then(|folder| index.get(folder)) else { continue };
            all.extend(document.sealed().into_iter().map(|sealed| (*at, sealed)));
            problems.extend(document.tree().err().into_iter().flat_map(Problems::into_vec));
        }
        let tally = self.session.operator.tally("values sealed again", all.len());
        let results = on_all_cores(&all, |(at, sealed)| {
            let (open, made) = boxes[*at];
            let opened = seal::open(sealed, open.keys())?;
            let late = opened.retired.is_some();
            let again = (late || made.new_slot).then(|| {
                seal::seal(&opened.secret, opened.kind, &sealed.origin, sealed.id.clone(), &made.file.slot)
            });
            tally.one_done();
            Ok((again.transpose()?, late.then(|| sealed.origin.clone())))
        });
        drop(tally);
        let mut sweeps: Vec<Sweep> = boxes.iter().map(|_| Sweep::default()).collect();
        for ((at, _), result) in all.iter().zip(results) {
            match result {
                Ok((again, late)) => {
                    sweeps[*at].resealed.extend(again);
                    sweeps[*at].late.extend(late);
                }
                Err(found) => problems.extend(Problems::into_vec(found)),
            }
        }
        Problems::check(problems)?;
        Ok(sweeps)
    }

    /// Makes new locks on all cores, each of an opened box, for other readers.
    ///
    /// # Errors
    /// As [`boxes::rekey`]: all of them.
    pub fn rekeyed(&self, all: &[(&OpenBox, Readers)], when: NewSlot) -> Result<Vec<Made>> {
        let (mut made, mut problems) = (Vec::new(), Vec::new());
        for result in locks_on_all_cores(all, |(open, readers)| boxes::rekey(open, readers, when)) {
            match result {
                Ok(one) => made.push(one),
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        Problems::check(problems)?;
        Ok(made)
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
        let made = self.made.iter().map(|folder| Ok((folder, self.unlock(folder)?)));
        let made = made.collect::<Result<Vec<_>>>()?;
        let seen = made.iter().map(|(folder, open)| SeenBox {
            workspace: self.seen(),
            folder,
            slot: open.keys().slot(),
            open: Some(open),
        });
        self.known.learn(self.session, &seen.collect::<Vec<_>>())
    }

    fn writer(&self) -> Result<&Writer<'_>> {
        self.writer
            .as_ref()
            .ok_or_else(|| Problem::failed("the workspace was loaded for reading alone").into())
    }
}
