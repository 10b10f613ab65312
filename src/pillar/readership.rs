//! Who could open what, over the history of a workspace: the commits come in one after the other, parents
//! first. Pure, and needs no key: the names of readers and the slots stand in clear.
//!
//! A secret is followed by its id, which it keeps when it is moved or sealed again, and loses when it is
//! replaced. A reader can open what was ever sealed to a slot that their lock held, and a lock holds the keys of
//! the slots before as well.

mod step;
#[cfg(test)]
mod tests;

pub use step::State;

use super::{Origin, SealId};
use crate::keys::Recipient;
use crate::name::{KeyPath, ReaderName};
use crate::pillar::boxes::BoxFolder;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A reader of a box, as the list of the box and `keys/` said at that time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// The name.
    pub name: ReaderName,
    /// The key in `keys/NAME.pub`; `None` where there was none.
    pub key: Option<Recipient>,
}

/// What of a `box.toml` stands in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxAt {
    /// Its slot.
    pub slot: Recipient,
    /// The names of its readers.
    pub readers: BTreeSet<ReaderName>,
}

/// The secrets of a pillar file, by key.
pub type Secrets = BTreeMap<KeyPath, SealId>;

/// What a commit changed: `None` where it is gone.
#[derive(Clone, Debug)]
pub enum Change {
    /// A `box.toml`.
    Box(BoxFolder, Option<Rc<BoxAt>>),
    /// A pillar file, relative to `pillar/`.
    File(String, Option<Rc<Secrets>>),
    /// A file in `keys/`.
    Key(ReaderName, Option<Recipient>),
}

/// One secret over time. Moments are numbers of commits, in the order in which they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Every place where it stood.
    pub places: BTreeSet<Origin>,
    /// When it was last taken out of a file, and the secret that came to its place then.
    pub ended: Option<(usize, Option<SealId>)>,
    /// The slots of the boxes that it stood in.
    slots: BTreeSet<usize>,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Readership {
    /// Secrets by id.
    pub secrets: BTreeMap<SealId, Trail>,
    /// When a reader was last taken out of a box.
    pub left: BTreeMap<Reader, BTreeMap<BoxFolder, usize>>,
    slots: BTreeMap<Recipient, usize>,
    /// By the slot of a lock, the most slots that such a lock held.
    locks: BTreeMap<usize, Vec<usize>>,
    /// The slots that a reader could open.
    opened: BTreeMap<Reader, BTreeSet<usize>>,
}

impl Readership {
    /// Everyone who was ever a reader of a box.
    pub fn readers(&self) -> impl Iterator<Item = &Reader> {
        self.opened.keys()
    }

    /// The secrets that a reader could open at any time.
    pub fn of<'s>(&'s self, reader: &Reader) -> impl Iterator<Item = (&'s SealId, &'s Trail)> + use<'s> {
        let slots = self.opened.get(reader).cloned().unwrap_or_default();
        self.secrets.iter().filter(move |(_, trail)| !trail.slots.is_disjoint(&slots))
    }

    /// Everyone who could open a secret at any time.
    pub fn who(&self, id: &SealId) -> BTreeSet<&Reader> {
        let Some(trail) = self.secrets.get(id) else { return BTreeSet::new() };
        let could = |(_, slots): &(&Reader, &BTreeSet<usize>)| !slots.is_disjoint(&trail.slots);
        self.opened.iter().filter(could).map(|(reader, _)| reader).collect()
    }
}
