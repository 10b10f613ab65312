//! Opening boxes, each at most once, and values.

use super::Vault;
use super::cores::{locks_on_all_cores, on_all_cores};
use crate::pillar::Sealed;
use crate::pillar::boxes::{BoxFile, BoxFolder, OpenBox};
use crate::pillar::known::{Purpose, SeenBox};
use crate::pillar::seal::{self, Opened};
use crate::problem::{Code, Problem, Problems, Result};
use crate::session::identity::Asking;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

impl Vault<'_> {
    /// Opens a box, once, and meets it, once, against what this machine knows.
    ///
    /// # Errors
    /// [`Code::NoIdentity`] with every place that was looked at; [`Code::Seal`] where its lock does not
    /// hold or it is not the known one.
    pub fn open_box(&self, folder: &BoxFolder) -> Result<Rc<OpenBox>> {
        let open = self.unlock(folder)?;
        if !self.met.borrow().contains(folder) {
            let slot = open.keys().slot();
            let seen = SeenBox { workspace: self.seen(), folder, slot, open: Some(&open) };
            self.known.meet(self.session, &seen, Purpose::Read, self.is_strict())?;
            self.met.borrow_mut().insert(folder.clone());
        }
        Ok(open)
    }

    /// Meets the boxes that are older than the ones this machine knows, before anything of the workspace is
    /// used: also where no value has to be opened. Other differences are said where a box is opened.
    ///
    /// # Errors
    /// [`Code::Seal`] with `strict`, for every one of them; otherwise each is a warning, once.
    pub fn meet_older_boxes(&self) -> Result<()> {
        let mut problems = Vec::new();
        for (folder, file) in &self.boxes {
            let keyless = SeenBox { workspace: self.seen(), folder, slot: &file.slot, open: None };
            if self.met.borrow().contains(folder) || !self.known.look(|known| known.is_older(&keyless)) {
                continue;
            }
            let open = self.unlocked_to_post(folder)?;
            let seen = SeenBox { open: open.as_deref(), ..keyless };
            match self.known.meet(self.session, &seen, Purpose::Read, self.is_strict()) {
                Ok(()) => drop(self.met.borrow_mut().insert(folder.clone())),
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        Problems::check(problems)
    }

    /// Opens a box whose readers or slot are to be changed: unlike for reading, an older box than the
    /// known one is refused, because what is made of it would bring a retired slot back.
    ///
    /// # Errors
    /// As [`Self::open_box`].
    pub fn open_box_to_change(&self, folder: &BoxFolder) -> Result<Rc<OpenBox>> {
        match self.meet_to_post(folder, self.is_strict())? {
            Some(open) => Ok(open),
            None => self.open_box(folder),
        }
    }

    /// As [`Self::open_box_to_change`], of many boxes: their locks are opened on all cores, and what this
    /// machine learns of them is written once. In their order.
    pub fn open_boxes_to_change(&self, folders: &[BoxFolder]) -> Vec<Result<Rc<OpenBox>>> {
        self.prepare(folders, Asking::No);
        folders.iter().map(|folder| self.open_box_to_change(folder)).collect()
    }

    /// Opens and meets many boxes at once, so that doing so one by one costs nothing afterwards: their locks on
    /// all cores, and what this machine learns of them written once.
    pub fn prepare(&self, folders: &[BoxFolder], asking: Asking) {
        self.unlock_all(folders, asking);
        let opened: Vec<(&BoxFolder, Rc<OpenBox>)> = {
            let unlocked = self.unlocked.borrow();
            let open = |folder| Some((folder, Rc::clone(unlocked.get(folder)?.as_ref().ok()?)));
            folders.iter().filter_map(open).collect()
        };
        let seen = opened.iter().map(|(folder, open)| SeenBox {
            workspace: self.seen(),
            folder,
            slot: open.keys().slot(),
            open: Some(open),
        });
        // What does not hold is met again by who uses the box, and said.
        let seen: Vec<SeenBox<'_>> = seen.collect();
        let met = self.known.meet_all(self.session, &seen, Purpose::Post, self.is_strict());
        let holds = opened.iter().zip(met).filter(|(_, met)| met.is_ok()).map(|((folder, _), _)| folder);
        self.met_to_post.borrow_mut().extend(holds.map(|folder| (*folder).clone()));
    }

    /// Opens the locks of many boxes on all cores, with the private keys that open the first that opens. The
    /// others are left to [`Self::unlock`], and so is what to say of them.
    fn unlock_all(&self, folders: &[BoxFolder], asking: Asking) {
        let closed = |folder: &&BoxFolder| !self.unlocked.borrow().contains_key(*folder);
        let closed: Vec<&BoxFolder> = folders.iter().filter(closed).collect();
        let opens = |folder: &&BoxFolder| self.unlock_asking(folder, asking).is_ok();
        let Some(first) = closed.iter().position(opens) else { return };
        let (keys, name) = (self.session.identities_met(), self.name());
        let others: Vec<(&BoxFolder, &BoxFile)> = closed[first + 1..]
            .iter()
            .filter_map(|folder| Some((*folder, self.boxes.get(*folder)?)))
            .collect();
        let opened = locks_on_all_cores(&others, |(folder, file)| file.open(name, folder, &keys).ok());
        let mut unlocked = self.unlocked.borrow_mut();
        for ((folder, _), open) in others.iter().zip(opened) {
            if let Some(open) = open {
                unlocked.insert((*folder).clone(), Ok(Rc::new(open)));
            }
        }
    }

    /// Opens the lock of a box, once, whatever this machine knows of the box: for what looks at boxes
    /// or accepts them.
    ///
    /// # Errors
    /// As [`Self::open_box`], but for the last.
    pub fn unlock(&self, folder: &BoxFolder) -> Result<Rc<OpenBox>> {
        self.unlock_asking(folder, Asking::Allowed)
    }

    /// As [`Self::unlock`]; whether a passphrase may be asked for, is said.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub(super) fn unlock_asking(&self, folder: &BoxFolder, asking: Asking) -> Result<Rc<OpenBox>> {
        if let Some(found) = self.unlocked.borrow().get(folder) {
            return found.clone();
        }
        let opened = self.unlock_now(folder, asking).map(Rc::new);
        // What stays closed for want of a passphrase may open yet.
        if opened.is_ok() || asking == Asking::Allowed {
            self.unlocked.borrow_mut().insert(folder.clone(), opened.clone());
        }
        opened
    }

    fn unlock_now(&self, folder: &BoxFolder, asking: Asking) -> Result<OpenBox> {
        let file = self.boxes.get(folder).ok_or_else(|| self.no_box(folder))?;
        self.unlock_asking_file(folder, file, asking)
    }

    /// Opens the lock of a box as it stands elsewhere, such as on another branch, whatever this machine knows of
    /// it.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub fn unlock_file(&self, folder: &BoxFolder, file: &BoxFile) -> Result<OpenBox> {
        self.unlock_asking_file(folder, file, Asking::Allowed)
    }

    /// As [`Self::open_box_to_change`], of a box as git has it.
    ///
    /// # Errors
    /// As [`Self::open_box_to_change`].
    pub fn open_file_to_change(&self, folder: &BoxFolder, file: &BoxFile) -> Result<OpenBox> {
        let open = self.unlock_file(folder, file)?;
        let seen = SeenBox { workspace: self.seen(), folder, slot: &file.slot, open: Some(&open) };
        self.known.meet(self.session, &seen, Purpose::Post, self.is_strict())?;
        Ok(open)
    }

    fn unlock_asking_file(&self, folder: &BoxFolder, file: &BoxFile, asking: Asking) -> Result<OpenBox> {
        // Also where there is no identity to find it out.
        file.check_shape(folder)?;
        let opened =
            self.session.with_identities(asking, &|key| file.may_open_with(key), |keys| {
                match file.open(self.name(), folder, keys) {
                    Ok(open) => Ok(Some(open)),
                    Err(problems) if problems.code() == Code::NoIdentity => Ok(None),
                    Err(problems) => Err(problems),
                }
            })?;
        opened.ok_or_else(|| {
            let missing = file.no_identity(folder, &self.session.identities_met());
            self.session.with_places_tried(missing).into()
        })
    }

    /// Opens a sealed value, by the box that governs its place.
    ///
    /// # Errors
    /// As [`Self::open_box`]; [`Code::Seal`] where the value was changed, or stands where it was not
    /// sealed for: with both places, where a box at hand tells the other.
    pub fn open(&self, sealed: &Sealed) -> Result<Opened> {
        let open = self.open_box(self.governing(&sealed.origin.file)?)?;
        seal::open(sealed, open.keys()).map_err(|problems| self.where_from(sealed, problems))
    }

    /// Opens many values, each box once and the values on all cores; in the order of `all`.
    pub fn open_all(&self, all: &[&Sealed]) -> Vec<Result<Opened>> {
        let folders: BTreeSet<&BoxFolder> =
            all.iter().filter_map(|sealed| self.governing(&sealed.origin.file).ok()).collect();
        self.unlock_all(&folders.into_iter().cloned().collect::<Vec<_>>(), Asking::Allowed);
        let mut boxes: BTreeMap<&BoxFolder, Result<Rc<OpenBox>>> = BTreeMap::new();
        for sealed in all {
            if let Ok(folder) = self.governing(&sealed.origin.file) {
                boxes.entry(folder).or_insert_with(|| self.open_box(folder));
            }
        }
        let with_keys: Vec<(&Sealed, Result<&OpenBox>)> = all
            .iter()
            .map(|sealed| {
                let open = self.governing(&sealed.origin.file).and_then(|folder| match boxes.get(folder) {
                    Some(Ok(open)) => Ok(&**open),
                    Some(Err(problems)) => Err(problems.clone()),
                    None => Err(self.no_box(folder).into()),
                });
                (*sealed, open)
            })
            .collect();
        let opened = on_all_cores(&with_keys, |(sealed, open)| match open {
            Ok(open) => seal::open(sealed, open.keys()),
            Err(problems) => Err(problems.clone()),
        });
        let explained = |(sealed, result): (&&Sealed, Result<Opened>)| {
            result.map_err(|problems| self.where_from(sealed, problems))
        };
        all.iter().zip(opened).map(explained).collect()
    }

    /// Adds to a refusal where the value was sealed for, if another box that opens here tells it.
    fn where_from(&self, sealed: &Sealed, problems: Problems) -> Problems {
        if problems.code() != Code::Seal {
            return problems;
        }
        let own = self.governing(&sealed.origin.file).ok();
        let inside = self.boxes.keys().filter(|folder| Some(*folder) != own).find_map(|folder| {
            let open = self.open_box(folder).ok()?;
            Some((folder, seal::place_inside(sealed, open.keys())?))
        });
        let Some((folder, place)) = inside else { return problems };
        problems.map(|problem| {
            problem.cause(format!(
                "it was sealed for another box, {folder}: for {}",
                crate::problem::escaped(&place.to_string())
            ))
        })
    }

    pub(super) fn no_box(&self, folder: &BoxFolder) -> Problem {
        let known: Vec<String> = self.boxes.keys().map(ToString::to_string).collect();
        Problem::failed(format!("there is no box {folder}"))
            .cause(format!("the boxes are: {}", known.join(", ")))
            .nearest(&folder.to_string(), known.iter().map(String::as_str))
    }
}
