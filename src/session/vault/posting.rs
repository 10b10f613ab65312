//! Posting secrets: by the public slot alone.

use super::Vault;
use crate::keys::Recipient;
use crate::pillar::boxes::{BoxFolder, OpenBox};
use crate::pillar::known::{Purpose, SeenBox};
use crate::pillar::seal::{self, Kind};
use crate::pillar::{Origin, SealId, Sealed};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use crate::session::identity::Asking;
use std::rc::Rc;

impl Vault<'_> {
    /// Seals a secret for a place and puts it there, under a new id. Needs no private key. `slot` is
    /// the slot that was given by hand (`--slot`), for machines that know nothing.
    ///
    /// # Errors
    /// Where no box governs the place; [`Code::Seal`] where the box is not the known one or not the
    /// given one.
    pub fn post(
        &mut self,
        origin: &Origin,
        secret: &Secret,
        kind: Kind,
        slot: Option<&Recipient>,
    ) -> Result<SealId> {
        let to = self.slot_for(&origin.file, slot)?;
        let sealed = seal::seal(secret, kind, origin, seal::new_id()?, &to)?;
        self.edit(&origin.file, |document| document.set_sealed(&sealed))?;
        Ok(sealed.id)
    }

    /// A value sealed again for another place, under the same id. Nothing is put there yet.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::post`].
    pub fn sealed_for(&self, sealed: &Sealed, to: &Origin) -> Result<Sealed> {
        let slot = self.slot_for(&to.file, None)?;
        let opened = self.open(sealed)?;
        seal::seal(&opened.secret, opened.kind, to, sealed.id.clone(), &slot)
    }

    /// The slot that secrets of a file are posted to.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub fn slot_for(&self, file: &str, given: Option<&Recipient>) -> Result<Recipient> {
        self.slot_to_post(self.governing(file)?, given)
    }

    /// The slot of a box, to be posted to: met against what this machine knows, and its lock opened
    /// where an identity at hand can, because only that shows a slot which was swapped.
    fn slot_to_post(&self, folder: &BoxFolder, given: Option<&Recipient>) -> Result<Recipient> {
        let file = self.boxes.get(folder).ok_or_else(|| self.no_box(folder))?;
        if let Some(given) = given.filter(|given| **given != file.slot) {
            return Err(Problem::new(
                Code::Seal,
                format!("the slot of the box {folder} is not the given one"),
            )
            .cause(format!("given: {given}"))
            .cause(format!("found: {}", file.slot))
            .hint("ask a reader of the box which one is right: pillarbox box list")
            .into());
        }
        let slot = file.slot.clone();
        let open = self.unlocked_to_post(folder)?;
        let seen = SeenBox { workspace: self.seen(), folder, slot: &slot, open: open.as_deref() };
        match self.known.meet(self.session, &seen, Purpose::Post, self.is_strict() && given.is_none()) {
            // Who gives a slot says which one is right, as `known accept` does: a machine without a key
            // could not follow a change otherwise. A slot that has retired is not brought back so.
            Err(problems) if given.is_none() || self.has_retired(folder, &slot) => return Err(problems),
            Err(_) => {
                self.known.learn(self.session, &[seen])?;
                self.session.operator.say(format_args!(
                    "{}: the slot of the box {folder} is the given one; from now on it is the known one",
                    self.name()
                ));
            }
            Ok(()) => {}
        }
        Ok(slot)
    }

    /// Whether this machine knows that a slot of a box was replaced.
    fn has_retired(&self, folder: &BoxFolder, slot: &Recipient) -> bool {
        self.known.look(|known| {
            known
                .workspace(self.seen())
                .and_then(|known| known.boxes.get(folder))
                .is_some_and(|known| known.retired.contains(slot))
        })
    }

    /// Meets a box that is to be posted to; it need not open here.
    ///
    /// # Errors
    /// [`Code::Seal`] where its lock does not hold, or it is not the known box.
    pub fn meet_to_post(&self, folder: &BoxFolder, strict: bool) -> Result<Option<Rc<OpenBox>>> {
        let file = self.boxes.get(folder).ok_or_else(|| self.no_box(folder))?;
        let open = self.unlocked_to_post(folder)?;
        if !self.met_to_post.borrow().contains(folder) {
            let seen = SeenBox { workspace: self.seen(), folder, slot: &file.slot, open: open.as_deref() };
            self.known.meet(self.session, &seen, Purpose::Post, strict)?;
        }
        Ok(open)
    }

    /// A box whose form holds, opened where a key here does.
    pub(super) fn unlocked_to_post(&self, folder: &BoxFolder) -> Result<Option<Rc<OpenBox>>> {
        let file = self.boxes.get(folder).ok_or_else(|| self.no_box(folder))?;
        file.check_shape(folder)?;
        // A poster needs no private key: no passphrase is asked for, and an identity that cannot be read is
        // none.
        match self.unlock_asking(folder, Asking::No) {
            Ok(open) => Ok(Some(open)),
            Err(problems) if problems.code() == Code::Seal => Err(problems),
            Err(_) => Ok(None),
        }
    }
}
