//! Judging a box against what is known of it.

use super::{Known, KnownBox, SeenWorkspace};
use crate::keys::Recipient;
use crate::pillar::boxes::{BoxFolder, OpenBox, Readers};
use crate::problem::{Code, Problem, Result};

/// What a box is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Opening values.
    Read,
    /// Sealing values to its slot: values sealed to a retired slot could be read by a removed
    /// reader.
    Post,
}

/// A box as it is in the workspace now.
#[derive(Clone, Copy, Debug)]
pub struct SeenBox<'a> {
    /// The workspace.
    pub workspace: &'a SeenWorkspace,
    /// Its folder.
    pub folder: &'a BoxFolder,
    /// The slot in its `box.toml`.
    pub slot: &'a Recipient,
    /// The opened box, if it was opened here; a poster without an identity has none.
    pub open: Option<&'a OpenBox>,
}

/// A box that may be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxVerdict {
    /// Nothing was known of it; now it is. To be printed.
    FirstUse,
    /// The slot is the known one.
    Same,
    /// The slot is new, and its lock, which opened here, holds the key of the known one.
    Followed {
        /// The slot known until now.
        from: Recipient,
    },
    /// An older slot, known as retired: an older checkout. It may be read.
    Retired,
}

impl Known {
    /// Judges a box, and records what it accepts; called in each run by everything that opens or posts.
    /// With `strict` a first use is refused.
    ///
    /// # Errors
    /// [`Code::Seal`] where the slot differs from the known one and nothing here proves the change, or the
    /// workspace has another name or id than is known.
    pub fn meet_box(&mut self, seen: &SeenBox<'_>, purpose: Purpose, strict: bool) -> Result<BoxVerdict> {
        self.check_workspace(seen.workspace)?;
        let verdict = self.judge_box(seen, purpose, strict)?;
        self.touch_workspace(seen.workspace);
        if verdict != BoxVerdict::Retired {
            self.learn_box(seen);
        }
        Ok(verdict)
    }

    /// Accepts a box as it is, regardless of what was known: for `known accept`, and for commands that make or
    /// rekey a box here. The slot known until now counts as retired.
    pub fn learn_box(&mut self, seen: &SeenBox<'_>) {
        let old = self.known_box(seen);
        let same = old.filter(|old| old.slot == *seen.slot);
        let turn = seen.open.map(OpenBox::turn).or(same.and_then(|same| same.turn));
        let mut retired: Vec<Recipient> = match (seen.open, same) {
            (Some(open), _) => open.keys().retired_slots().cloned().collect(),
            (None, Some(same)) => same.retired.clone(),
            (None, None) => Vec::new(),
        };
        let older = old.into_iter().flat_map(|old| std::iter::once(&old.slot).chain(&old.retired));
        for slot in older.cloned().collect::<Vec<_>>() {
            if slot != *seen.slot && !retired.contains(&slot) {
                retired.push(slot);
            }
        }
        retired.retain(|slot| slot != seen.slot);
        let readers = match (seen.open, same) {
            (Some(open), _) => open.readers().clone(),
            (None, Some(same)) => same.readers.clone(),
            (None, None) => Readers::new(),
        };
        let new = KnownBox { slot: seen.slot.clone(), turn, retired, readers };
        if old != Some(&new) {
            self.of(seen.workspace).boxes.insert(seen.folder.clone(), new);
        }
    }

    fn known_box(&self, seen: &SeenBox<'_>) -> Option<&KnownBox> {
        self.workspace(seen.workspace)?.boxes.get(seen.folder)
    }

    fn judge_box(&self, seen: &SeenBox<'_>, purpose: Purpose, strict: bool) -> Result<BoxVerdict> {
        let SeenBox { folder, slot, open, .. } = seen;
        let Some(known) = self.known_box(seen) else {
            if !strict {
                return Ok(BoxVerdict::FirstUse);
            }
            return Err(Problem::new(Code::Seal, format!("the box {folder} is not known on this machine"))
                .cause(format!("its slot is {slot}; a first use is refused with --strict"))
                .hint("compare the slot with one that you got over another channel, then accept it:")
                .hint(accept(folder))
                .into());
        };
        let turn = open.map(OpenBox::turn);
        if known.slot == **slot {
            return match (known.turn, turn) {
                (Some(known), Some(turn)) if known != turn => Err(changed(
                    folder,
                    &format!("it is at revision {turn}, and was at revision {known} with the same slot"),
                )),
                _ => Ok(BoxVerdict::Same),
            };
        }
        let older = |text: String| {
            changed(folder, &format!("{text}\nknown slot: {}\nfound slot: {slot}", known.slot))
        };
        if known.retired.contains(slot) {
            return match purpose {
                Purpose::Read => Ok(BoxVerdict::Retired),
                Purpose::Post => {
                    Err(older("its slot is retired: the box is older than the one this machine knows".into()))
                }
            };
        }
        let Some(open) = open else {
            return Err(older("the change is not proved, because its lock was not opened here".into()));
        };
        if !open.keys().retired_slots().any(|retired| *retired == known.slot) {
            return Err(older("its lock does not hold the known slot's key among its retired ones".into()));
        }
        match known.turn {
            Some(known) if known >= open.turn() => {
                Err(older(format!("its revision is {}, and was {known} before", open.turn())))
            }
            _ => Ok(BoxVerdict::Followed { from: known.slot.clone() }),
        }
    }
}

fn accept(folder: &BoxFolder) -> String {
    format!("pillarbox known accept {folder}")
}

fn changed(folder: &BoxFolder, why: &str) -> crate::problem::Problems {
    let mut problem =
        Problem::new(Code::Seal, format!("the box {folder} is not the one that this machine knows"));
    problem.causes.extend(why.lines().map(str::to_owned));
    problem
        .hint("ask who changed it, and look at the commits that did; if it is right, accept it:")
        .hint(accept(folder))
        .into()
}
