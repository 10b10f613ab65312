//! One commit after the other.

use super::{BoxAt, Change, Reader, Readership, Secrets};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::boxes::{BoxFolder, RETIRED};
use crate::pillar::{Origin, SealId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What stood at a commit.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The boxes.
    pub boxes: BTreeMap<BoxFolder, Rc<BoxAt>>,
    /// The secrets by pillar file.
    pub files: BTreeMap<String, Rc<Secrets>>,
    /// The keys of readers.
    pub keys: BTreeMap<ReaderName, Recipient>,
    /// Since when each reader of a box is one, without a gap.
    pub since: BTreeMap<BoxFolder, Rc<BTreeMap<Reader, usize>>>,
    /// The slots whose keys the lock of a box holds: its own, then those before, newest first.
    slots: BTreeMap<BoxFolder, Rc<Vec<usize>>>,
}

impl State {
    /// The readers of a box.
    pub fn readers(&self, folder: &BoxFolder) -> BTreeSet<Reader> {
        let names = self.boxes.get(folder).into_iter().flat_map(|file| &file.readers);
        names.map(|name| Reader { name: name.clone(), key: self.keys.get(name).cloned() }).collect()
    }

    /// Everyone who is a reader of a box.
    pub fn all_readers(&self) -> BTreeSet<Reader> {
        self.boxes.keys().flat_map(|folder| self.readers(folder)).collect()
    }

    /// The box that governs a pillar file.
    pub fn governing(&self, file: &str) -> Option<&BoxFolder> {
        BoxFolder::governing(file, self.boxes.keys())
    }

    /// Where each secret stands.
    pub fn places(&self) -> BTreeMap<&SealId, Vec<Origin>> {
        let mut places: BTreeMap<&SealId, Vec<Origin>> = BTreeMap::new();
        for (file, secrets) in &self.files {
            for (key, id) in &**secrets {
                places.entry(id).or_default().push(Origin { file: file.clone(), key: key.clone() });
            }
        }
        places
    }

    /// What to change in this to get the boxes, files and keys of another.
    pub fn changes_to(&self, other: &Self) -> Vec<Change> {
        fn differing<'k, K: Ord + Clone, V: PartialEq + Clone>(
            from: &'k BTreeMap<K, V>,
            to: &'k BTreeMap<K, V>,
        ) -> impl Iterator<Item = (K, Option<V>)> + 'k {
            let keys: BTreeSet<&K> = from.keys().chain(to.keys()).collect();
            let changed = keys.into_iter().filter(|key| from.get(*key) != to.get(*key));
            changed.map(|key| (key.clone(), to.get(key).cloned()))
        }
        let boxes = differing(&self.boxes, &other.boxes).map(|(folder, file)| Change::Box(folder, file));
        let files = differing(&self.files, &other.files).map(|(file, secrets)| Change::File(file, secrets));
        let keys = differing(&self.keys, &other.keys).map(|(name, key)| Change::Key(name, key));
        boxes.chain(files).chain(keys).collect()
    }
}

impl Readership {
    /// The next commit: what its parents were, and what it changed in the first of them. Returns what stands
    /// then.
    pub fn step(&mut self, at: usize, parents: &[&State], changes: Vec<Change>) -> State {
        let mut state = parents.first().map(|first| (*first).clone()).unwrap_or_default();
        let (mut boxes, mut files) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            match change {
                Change::Box(folder, file) => {
                    put(&mut state.boxes, &folder, file);
                    boxes.insert(folder);
                }
                Change::File(file, secrets) => {
                    let before = put(&mut state.files, &file, secrets);
                    self.end(at, before.as_deref(), state.files.get(&file).map(|secrets| &**secrets));
                    files.insert(file);
                }
                Change::Key(name, key) => {
                    let of = |(folder, file): (&BoxFolder, &Rc<BoxAt>)| {
                        file.readers.contains(&name).then(|| folder.clone())
                    };
                    boxes.extend(state.boxes.iter().filter_map(of));
                    put(&mut state.keys, &name, key);
                }
            }
        }
        // What came in from another parent, with the slots and times that it had there.
        let others = parents.get(1..).unwrap_or_default();
        let joined = state.boxes.keys().filter(|folder| {
            others.iter().any(|other| {
                let differs =
                    |theirs: &Rc<_>, ours: Option<&Rc<_>>| ours.is_none_or(|ours| !Rc::ptr_eq(ours, theirs));
                other.since.get(*folder).is_some_and(|theirs| differs(theirs, state.since.get(*folder)))
            })
        });
        boxes.extend(joined.cloned().collect::<Vec<_>>());
        for folder in &boxes {
            self.turn(at, folder, parents, &mut state);
        }
        let touched = state
            .files
            .iter()
            .filter(|(file, _)| files.contains(*file) || boxes.iter().any(|folder| folder.is_above(file)));
        for (file, secrets) in touched {
            let slot = state.governing(file).and_then(|folder| state.slots.get(folder)?.first());
            for (key, id) in &**secrets {
                let trail = self.secrets.entry(id.clone()).or_default();
                trail.places.insert(Origin { file: file.clone(), key: key.clone() });
                trail.slots.extend(slot);
            }
        }
        state
    }

    /// Notes what is no longer in a file.
    fn end(&mut self, at: usize, before: Option<&Secrets>, after: Option<&Secrets>) {
        for (key, id) in before.into_iter().flatten() {
            let still = after.is_some_and(|after| after.values().any(|other| other == id));
            if !still {
                let next = after.and_then(|after| after.get(key)).cloned();
                self.secrets.entry(id.clone()).or_default().ended = Some((at, next));
            }
        }
    }

    /// A box whose lock, readers or keys changed.
    fn turn(&mut self, at: usize, folder: &BoxFolder, parents: &[&State], state: &mut State) {
        let (before, readers) = (state.since.remove(folder), state.readers(folder));
        for gone in before.iter().flat_map(|before| before.keys()).filter(|reader| !readers.contains(*reader))
        {
            for gone in self.known_as(gone) {
                self.left.entry(gone).or_default().insert(folder.clone(), at);
            }
        }
        let Some(file) = state.boxes.get(folder) else { return };
        let known = self.slots.len();
        let own = *self.slots.entry(file.slot.clone()).or_insert(known);
        let slots = self.held(own, folder, parents);
        let since = |reader: &Reader| {
            let of = |parent: &&State| parent.since.get(folder)?.get(reader).copied();
            parents.iter().filter_map(of).min().unwrap_or(at)
        };
        let since: BTreeMap<Reader, usize> =
            readers.iter().map(|reader| (reader.clone(), since(reader))).collect();
        let known: Vec<Reader> = readers.iter().flat_map(|reader| self.known_as(reader)).collect();
        for reader in known {
            self.opened.entry(reader).or_default().extend(&slots);
        }
        let lock = self.locks.entry(own).or_default();
        if lock.len() < slots.len() {
            lock.clone_from(&slots);
        }
        state.slots.insert(folder.clone(), Rc::new(slots));
        state.since.insert(folder.clone(), Rc::new(since));
    }

    /// A reader whose key is not in `keys/` any more, with the keys that it had there.
    fn known_as(&self, reader: &Reader) -> Vec<Reader> {
        let had = |known: &&Reader| known.name == reader.name && known.key.is_some();
        let known: Vec<Reader> = match reader.key {
            Some(_) => Vec::new(),
            None => self.opened.keys().filter(had).cloned().collect(),
        };
        if known.is_empty() { vec![reader.clone()] } else { known }
    }

    /// The slots whose keys a lock holds: its own and those of the locks before it. An older lock that was put
    /// back holds what it held then.
    fn held(&self, own: usize, folder: &BoxFolder, parents: &[&State]) -> Vec<usize> {
        let before = |parent: &State| parent.slots.get(folder).cloned();
        if let ([parent], Some(then)) = (parents, self.locks.get(&own))
            && before(parent).is_some_and(|held| held.first() != Some(&own))
        {
            return then.clone();
        }
        let mut slots = vec![own];
        for held in parents.iter().filter_map(|parent| before(parent)) {
            slots.extend(held.iter().filter(|slot| **slot != own));
        }
        let mut seen = BTreeSet::new();
        slots.retain(|slot| seen.insert(*slot));
        slots.truncate(RETIRED + 1);
        slots
    }
}

/// Puts or removes; what was there before.
fn put<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, key: &K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key.clone(), value),
        None => map.remove(key),
    }
}
