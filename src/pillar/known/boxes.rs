//! Judging a box against what is known of it.

use super::{Beside, Known, KnownBox, SeenWorkspace};
use crate::keys::Recipient;
use crate::pillar::boxes::{BoxFolder, OpenBox, Readers};
use crate::problem::{Code, Problem, Problems, Result};
use std::fmt;

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
    /// The slot is the newest known one.
    Same,
    /// The slot is that of another branch, accepted here beside the newest one.
    Accepted,
    /// The slot is new, and its lock, which opened here, is of a higher revision and holds the key of the
    /// known one.
    Followed {
        /// The slot known until now.
        from: Recipient,
    },
    /// The slot has retired. It may be read, with a warning.
    Older(Older),
}

/// An older box than this machine has seen. `Display` says so, with both revisions where they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Older {
    /// The revision here; `None` where the lock did not open.
    pub found: Option<u32>,
    /// The newest one.
    pub seen: Option<u32>,
}

impl fmt::Display for Older {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            Some(found) => write!(f, "this checkout has revision {found}")?,
            None => f.write_str("this checkout has an earlier revision")?,
        }
        match self.seen {
            Some(seen) => write!(f, ", this machine has seen {seen}")?,
            None => f.write_str(" than this machine has seen")?,
        }
        f.write_str(": an older branch, or a rewind?")
    }
}

impl Known {
    /// Judges a box, and records what it accepts; called in each run by everything that opens or posts.
    /// With `strict` a first use is refused, and so is an older box for reading.
    ///
    /// # Errors
    /// [`Code::Seal`] where the slot differs from the known one and nothing here proves the change, where it is
    /// an older one and is posted to, or where the workspace has another name or id than is known.
    pub fn meet_box(&mut self, seen: &SeenBox<'_>, purpose: Purpose, strict: bool) -> Result<BoxVerdict> {
        self.check_workspace(seen.workspace)?;
        let verdict = self.judge_box(seen, purpose, strict)?;
        self.touch_workspace(seen.workspace);
        match verdict {
            BoxVerdict::Accepted | BoxVerdict::Older(_) => {}
            BoxVerdict::FirstUse | BoxVerdict::Same | BoxVerdict::Followed { .. } => {
                self.learn_box(seen);
                self.retire_beside(seen);
            }
        }
        Ok(verdict)
    }

    /// Takes a box as the newest one, regardless of what was known: for commands that make or rekey a box here.
    /// The slot known until now counts as retired, unless it is that of a branch with which this one has no
    /// more than the past in common: then it stays accepted.
    pub fn learn_box(&mut self, seen: &SeenBox<'_>) {
        let old = self.known_box(seen);
        let same = old.filter(|old| old.slot == *seen.slot);
        let turn = seen.open.map(OpenBox::turn).or(same.and_then(|same| same.turn));
        let mut beside: Vec<Beside> = old.map(|old| old.beside.clone()).unwrap_or_default();
        if let (Some(old), Some(open), None) = (old, seen.open, same)
            && !holds(open, &old.slot)
            && old.retired.iter().any(|slot| holds(open, slot))
        {
            beside.push(Beside { slot: old.slot.clone(), turn: old.turn, folder: None, branch: None });
        }
        beside.retain(|one| one.slot != *seen.slot);
        if let (Some(open), None) = (seen.open, same) {
            beside.retain(|one| !holds(open, &one.slot));
        }
        let mut retired: Vec<Recipient> = match (seen.open, same) {
            (Some(open), _) => open.keys().retired_slots().cloned().collect(),
            (None, Some(same)) => same.retired.clone(),
            (None, None) => Vec::new(),
        };
        let older = old.into_iter().flat_map(|old| std::iter::once(&old.slot).chain(&old.retired));
        for slot in older.cloned().collect::<Vec<_>>() {
            if !retired.contains(&slot) && !beside.iter().any(|one| one.slot == slot) {
                retired.push(slot);
            }
        }
        retired.retain(|slot| slot != seen.slot);
        let readers = match (seen.open, same) {
            (Some(open), _) => open.readers().clone(),
            (None, Some(same)) => same.readers.clone(),
            (None, None) => Readers::new(),
        };
        let new = KnownBox { slot: seen.slot.clone(), turn, retired, readers, beside };
        if old != Some(&new) {
            self.of(seen.workspace).boxes.insert(seen.folder.clone(), new);
        }
    }

    /// Accepts a box as it is, for `known accept`: an older one beside the newest one that is known, any other
    /// as the newest one. Says whether it is an older one.
    pub fn accept_box(&mut self, seen: &SeenBox<'_>) -> bool {
        let is_older = self.known_box(seen).is_some_and(|known| known.is_ahead_of(seen));
        if !is_older {
            self.learn_box(seen);
            return false;
        }
        let one = Beside {
            slot: seen.slot.clone(),
            turn: seen.open.map(OpenBox::turn),
            folder: seen.workspace.folder.clone(),
            branch: seen.workspace.branch.clone(),
        };
        if let Some(known) = self.of(seen.workspace).boxes.get_mut(seen.folder) {
            known.beside.retain(|other| other.slot != one.slot);
            known.beside.push(one);
        }
        true
    }

    /// Whether a box is older than the newest known one, and was not accepted beside it. Needs no key.
    pub fn is_older(&self, seen: &SeenBox<'_>) -> bool {
        self.known_box(seen).is_some_and(|known| {
            known.slot != *seen.slot && known.retired.contains(seen.slot) && known.beside(seen.slot).is_none()
        })
    }

    /// What was accepted on this branch of this clone is retired once the newest slot stands there.
    fn retire_beside(&mut self, seen: &SeenBox<'_>) {
        let (Some(folder), Some(branch)) = (&seen.workspace.folder, &seen.workspace.branch) else { return };
        let here = |one: &Beside| one.folder.as_ref() == Some(folder) && one.branch.as_ref() == Some(branch);
        if self.known_box(seen).is_none_or(|known| !known.beside.iter().any(here)) {
            return;
        }
        if let Some(known) = self.of(seen.workspace).boxes.get_mut(seen.folder) {
            let gone: Vec<Beside> = known.beside.extract_if(.., |one| here(one)).collect();
            for Beside { slot, .. } in gone {
                if !known.retired.contains(&slot) {
                    known.retired.push(slot);
                }
            }
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
        let beside = known.beside(slot);
        if known.slot == **slot || beside.is_some() {
            let known_turn = beside.map_or(known.turn, |one| one.turn);
            return match (known_turn, turn) {
                (Some(known), Some(turn)) if known != turn => Err(changed(
                    folder,
                    &format!("it is at revision {turn}, and was at revision {known} with the same slot"),
                )),
                _ if beside.is_some() => Ok(BoxVerdict::Accepted),
                _ => Ok(BoxVerdict::Same),
            };
        }
        let differs = |text: String| {
            changed(folder, &format!("{text}\nknown slot: {}\nfound slot: {slot}", known.slot))
        };
        match open {
            Some(open) if holds(open, &known.slot) => match known.turn {
                Some(known) if known >= open.turn() => {
                    return Err(differs(format!("its revision is {}, and was {known} before", open.turn())));
                }
                _ => return Ok(BoxVerdict::Followed { from: known.slot.clone() }),
            },
            _ if known.retired.contains(slot) => {
                let older = Older { found: turn, seen: known.turn };
                return match purpose {
                    Purpose::Read if !strict => Ok(BoxVerdict::Older(older)),
                    _ => Err(rewound(folder, older, known, slot)),
                };
            }
            _ => {}
        }
        Err(differs(match open {
            None => "the change is not proved, because its lock was not opened here".into(),
            Some(_) => "its lock does not hold the known slot's key among its retired ones".into(),
        }))
    }
}

impl KnownBox {
    fn beside(&self, slot: &Recipient) -> Option<&Beside> {
        self.beside.iter().find(|one| one.slot == *slot)
    }

    /// Whether the newest known slot is a later one of the same line than that of a box.
    fn is_ahead_of(&self, seen: &SeenBox<'_>) -> bool {
        let has_past = |open: &OpenBox| {
            self.turn.is_some_and(|turn| turn > open.turn())
                && self.retired.iter().any(|slot| holds(open, slot))
        };
        self.slot != *seen.slot
            && (self.retired.contains(seen.slot)
                || self.beside(seen.slot).is_some()
                || seen.open.is_some_and(has_past))
            && seen.open.is_none_or(|open| !holds(open, &self.slot))
    }
}

/// Whether a lock has the key of a slot among its retired ones.
fn holds(open: &OpenBox, slot: &Recipient) -> bool {
    open.keys().retired_slots().any(|retired| retired == slot)
}

fn accept(folder: &BoxFolder) -> String {
    format!("pillarbox known accept {folder}")
}

fn changed(folder: &BoxFolder, why: &str) -> Problems {
    let mut problem =
        Problem::new(Code::Seal, format!("the box {folder} is not the one that this machine knows"));
    problem.causes.extend(why.lines().map(str::to_owned));
    problem
        .hint(format!("see which commits changed it, and ask who made them: git log -- {}", folder.file()))
        .hint("if it is another branch with a rotation of its own, join the two: pillarbox reader rekey --also REF")
        .hint(format!("if it is right as it is, accept it last: {}", accept(folder)))
        .into()
}

fn rewound(folder: &BoxFolder, older: Older, known: &KnownBox, slot: &Recipient) -> Problems {
    Problem::new(Code::Seal, format!("the box {folder} is older here than the one that this machine knows"))
        .cause(older.to_string())
        .cause(format!("known slot: {}", known.slot))
        .cause(format!("found slot: {slot}"))
        .hint("bring this branch up to date: git pull")
        .hint("or merge the branch that has the newer box: git merge BRANCH")
        .hint(format!(
            "only if this older box is meant, because readers who were removed since can read what is sealed to it: {}",
            accept(folder)
        ))
        .into()
}
