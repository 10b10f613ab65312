//! Making a box and changing its readers. Pure: the callers write the files, and seal the values
//! again where the slot is a new one.

use super::lock::RETIRED;
use super::{BoxFile, BoxFolder, BoxKeys, OpenBox, Readers, lock};
use crate::keys::{Identity, Recipient};
use crate::name::{ReaderName, WorkspaceName};
use crate::problem::{Problem, Problems, Result};

/// A new or changed box: its file, and the opened box.
#[derive(Clone, Debug)]
pub struct Made {
    /// The text for `box.toml`, by `to_string`.
    pub file: BoxFile,
    /// The box as opened, with the new keys; the old one, where the slot changed, among the retired.
    pub open: OpenBox,
    /// The readers that were added and removed.
    pub change: ReaderChange,
    /// Whether the slot is new, and so every value of the box has to be sealed again with
    /// [`crate::pillar::seal::reseal`].
    pub new_slot: bool,
}

/// When a rekey makes a new slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSlot {
    /// If a key loses access: its holder knows the present private key of the box.
    IfKeysGo,
    /// In any case.
    Always,
}

/// The difference between two sets of readers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReaderChange {
    /// Keys that gain access; a reader with another key is here and in `gone`.
    pub come: Vec<(ReaderName, Recipient)>,
    /// Keys that lose access.
    pub gone: Vec<(ReaderName, Recipient)>,
}

impl ReaderChange {
    /// The readers to add and to remove to get from one set to the other.
    pub fn between(from: &Readers, to: &Readers) -> Self {
        let less = |a: &Readers, b: &Readers| {
            a.iter()
                .filter(|(name, key)| b.get(*name) != Some(key))
                .map(|(name, key)| (name.clone(), key.clone()))
                .collect()
        };
        Self { come: less(to, from), gone: less(from, to) }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.come.is_empty() && self.gone.is_empty()
    }
}

/// Makes a new box. The maker of a box knows its private key, and should be one of its readers.
///
/// # Errors
/// If there is no reader, two have the same key, or there are more than a lock can list.
pub fn make(workspace: &WorkspaceName, folder: &BoxFolder, readers: &Readers) -> Result<Made> {
    let open = OpenBox {
        workspace: workspace.clone(),
        folder: folder.clone(),
        turn: 1,
        readers: readers.clone(),
        keys: BoxKeys { current: Identity::generate(), retired: Vec::new() },
    };
    finish(open, ReaderChange::between(&Readers::new(), readers), true)
}

/// Seals the lock of a box to other readers. Keeps the slot if `when` allows; otherwise the revision
/// is incremented, the old key is retired, and the values have to be sealed again.
///
/// # Errors
/// As [`make`].
pub fn rekey(open: &OpenBox, readers: &Readers, when: NewSlot) -> Result<Made> {
    let change = ReaderChange::between(&open.readers, readers);
    // A key under another name does not lose access.
    let goes = open.readers.values().any(|key| !readers.values().any(|kept| kept == key));
    let new_slot = goes || when == NewSlot::Always;
    let mut next = OpenBox { readers: readers.clone(), ..open.clone() };
    if new_slot {
        let old = std::mem::replace(&mut next.keys.current, Identity::generate());
        next.keys.retired.insert(0, old);
        next.keys.retired.truncate(RETIRED);
        next.turn = open.turn.checked_add(1).ok_or_else(|| {
            Problem::failed(format!("the slot of {} was changed 4 billion times", open.folder))
        })?;
    }
    finish(next, change, new_slot)
}

fn finish(open: OpenBox, change: ReaderChange, new_slot: bool) -> Result<Made> {
    let mut problems = Vec::new();
    if open.readers.is_empty() {
        problems.push(
            Problem::failed(format!("the box {} would have no reader", open.folder))
                .hint("add another one first: pillarbox reader add NAME KEY"),
        );
    }
    for (index, (name, key)) in open.readers.iter().enumerate() {
        if let Some((same, _)) = open.readers.iter().take(index).find(|(_, other)| *other == key) {
            problems.push(
                Problem::failed(format!("the readers {same} and {name} have the same key"))
                    .cause("taking one of them away would leave the other able to read")
                    .hint(format!("remove 'keys/{name}.pub' or write that reader's own key into it")),
            );
        }
    }
    Problems::check(problems)?;
    let file = BoxFile {
        readers: open.readers.keys().cloned().collect(),
        slot: open.keys.slot().clone(),
        lock: lock::seal(&open)?,
    };
    Ok(Made { file, open, change, new_slot })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::boxes::people::*;
    use crate::pillar::seal::{self, reseal};

    #[test]
    fn adding_a_reader_keeps_the_slot_and_taking_one_away_does_not() {
        let (alice, ci, bob) = (person("alice"), person("ci"), person("bob"));
        let made = top(&[&alice, &ci]);
        let value = post("s3cret", &place("apps.toml", "api.db_password"), &made.file.slot);
        let added = rekey(&made.open, &readers(&[&alice, &ci, &bob]), NewSlot::IfKeysGo).expect("rekeyed");
        assert!(!added.new_slot && added.file.slot == made.file.slot && added.open.turn() == 1);
        let (old, new) = (made.file.to_string(), added.file.to_string());
        assert_eq!(
            old.lines().zip(new.lines()).filter(|(old, new)| old != new).count(),
            2,
            "two lines of one file"
        );
        open_value(&value, &opened_by(&added.file, &bob).expect("a reader"));

        let less = rekey(&added.open, &readers(&[&alice, &bob]), NewSlot::IfKeysGo).expect("rekeyed");
        assert!(less.new_slot && less.file.slot != made.file.slot && less.open.turn() == 2);
        let open = opened_by(&less.file, &bob).expect("a reader");
        assert_eq!(open.keys().retired_slots().collect::<Vec<_>>(), [&made.file.slot]);
        let again = reseal(&value, open.keys(), &less.file.slot).expect("sealed again");
        assert_eq!((&again.id, &again.origin), (&value.id, &value.origin));
        assert_eq!(open_value(&again, &open).retired, None);
        refusal(seal::open(&again, added.open.keys()));

        // A reader with another key counts as removed and added.
        let bob_again = Person { name: bob.name, ..person("bob2") };
        let changed = rekey(&less.open, &readers(&[&alice, &bob_again]), NewSlot::IfKeysGo).expect("rekeyed");
        assert!(changed.new_slot && changed.change.come.len() == 1 && changed.change.gone.len() == 1);
    }

    #[test]
    fn eight_retired_keys_are_kept_newest_first() {
        let alice = person("alice");
        let mut boxes = vec![top(&[&alice])];
        for _ in 0..10 {
            let last = boxes.last().expect("one");
            boxes.push(rekey(&last.open, &readers(&[&alice]), NewSlot::Always).expect("rekeyed"));
        }
        let open = opened_by(&boxes[10].file, &alice).expect("a reader");
        let expected: Vec<&Recipient> = boxes[2..10].iter().rev().map(|made| &made.file.slot).collect();
        assert_eq!((open.turn(), open.keys().retired_slots().collect::<Vec<_>>()), (11, expected));
        let value = |index: usize| post("s3cret", &place("a.toml", "k"), &boxes[index].file.slot);
        assert_eq!(open_value(&value(2), &open).retired.as_ref(), Some(&boxes[2].file.slot));
        assert!(refusal(seal::open(&value(1), open.keys())).contains("was not sealed for this box's slot"));
    }
}
