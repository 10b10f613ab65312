//! What an expression looked at while it was evaluated.

use crate::compile::facts::OF_ENGINE;
use crate::pillar::Float;
use crate::problem::Place;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by everything that an expression can see; emptied before each expression.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<LogEntries>>);

/// What was seen so far.
#[derive(Default)]
pub(super) struct LogEntries {
    /// Places of clear values that were read, in the order of reading, each once.
    pub(super) read: Vec<Place>,
    seen: HashSet<Place>,
    /// The numbers with a fraction that were read, by their bits: how they are written.
    floats: HashMap<u64, Float>,
    /// Steps that it took, if it finished.
    pub(super) steps: Option<u64>,
    /// Keys that were read and do not exist.
    pub(super) missing: Vec<Missing>,
    /// Every single read of a secret; its index is its number.
    pub(super) looks: Vec<Look>,
    /// `registries` was asked for.
    pub(super) hidden: bool,
}

/// A key that does not exist.
pub(super) struct Missing {
    /// The path that was read, `pillar.deploy.nginx.verion`.
    pub(super) path: String,
    /// The last part of it.
    pub(super) key: String,
    /// The existing keys of the same table.
    pub(super) known: Vec<String>,
}

/// One read of a secret. Each read must be whole in the result: so two reads of one secret, one of
/// which is compared, are distinguished.
pub(super) struct Look {
    /// What it is called, `pillar.api.password`.
    pub(super) path: String,
    /// It was asked for its text, or compared.
    pub(super) peeked: bool,
    /// It was not chosen by `default`, or only its existence was tested.
    pub(super) excused: bool,
}

impl Missing {
    /// Whether it is a fact that no Engine tells: `grains.roles`, `host.gpu`.
    pub(super) fn is_no_fact(&self) -> bool {
        let key = self.path.strip_prefix("grains.").or_else(|| self.path.strip_prefix("host."));
        let known = |key| OF_ENGINE.contains(&key) && self.path != "grains.os";
        key.is_some_and(|key| key == self.key && !known(key))
    }
}

impl LogEntries {
    /// A number that an expression printed otherwise than it is written: `"v" ~ pillar.version`.
    pub(super) fn printed(&self, text: &str) -> Option<&Float> {
        let lost = self.floats.values().filter(|float| float.is_shortened_in(text));
        lost.min_by(|one, other| one.written.cmp(&other.written))
    }
}

impl Log {
    /// Forgets everything.
    pub(super) fn clear(&self) {
        *self.entries() = LogEntries::default();
    }

    pub(super) fn entries(&self) -> MutexGuard<'_, LogEntries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, place: &Place) {
        let mut entries = self.entries();
        if entries.seen.insert(place.clone()) {
            entries.read.push(place.clone());
        }
    }

    /// Notes how a number is written.
    pub(super) fn float(&self, float: &Float) {
        self.entries().floats.entry(float.value.to_bits()).or_insert_with(|| float.clone());
    }

    /// A number as it was written, if it was read.
    pub(super) fn as_written(&self, number: f64) -> Float {
        self.entries().floats.get(&number.to_bits()).cloned().unwrap_or_else(|| number.into())
    }

    pub(super) fn count(&self, steps: u64) {
        self.entries().steps = Some(steps);
    }

    pub(super) fn missing(&self, path: String, key: &str, known: Vec<String>) {
        self.entries().missing.push(Missing { path, key: key.to_owned(), known });
    }

    /// Notes a look at a secret and gives it its number.
    pub(super) fn look(&self, path: String) -> usize {
        let looks = &mut self.entries().looks;
        looks.push(Look { path, peeked: false, excused: false });
        looks.len() - 1
    }

    pub(super) fn peek(&self, number: usize) {
        if let Some(look) = self.entries().looks.get_mut(number) {
            look.peeked = true;
        }
    }

    pub(super) fn excuse(&self, number: usize) {
        if let Some(look) = self.entries().looks.get_mut(number) {
            look.excused = true;
        }
    }

    pub(super) fn hidden(&self) {
        self.entries().hidden = true;
    }
}
