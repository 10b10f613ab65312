//! What a program read, shared by all values that it sees.

use starlark::codemap::FileSpan;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Paths of values that are remembered, at most.
const MOST_READ: usize = 10_000;

/// The log of one run.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<LogEntries>>);

/// What was seen so far.
#[derive(Default)]
pub(super) struct LogEntries {
    /// Paths of clear values of the pillar, in the order of reading, each once.
    pub(super) read: Vec<Vec<String>>,
    seen: BTreeSet<Vec<String>>,
    /// The first secret that was looked into, by what it is called.
    pub(super) peeked: Option<String>,
    /// The statement that did it.
    pub(super) peeked_at: Option<FileSpan>,
    /// The statement that runs.
    pub(super) now: Option<FileSpan>,
    /// Secrets that were read by name: number, what it is called, the statement that did it.
    pub(super) secrets: Vec<(usize, String, Option<FileSpan>)>,
    /// A fact was read that only the host's Engine knows.
    pub(super) needs_facts: bool,
    /// For errors: names near the one that was read.
    pub(super) hint: Option<String>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[log]")
    }
}

impl Log {
    pub(super) fn entries(&self) -> MutexGuard<'_, LogEntries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A clear value was read.
    pub(super) fn read(&self, path: &[String]) {
        let entries = &mut *self.entries();
        if entries.read.len() < MOST_READ && entries.seen.insert(path.to_vec()) {
            entries.read.push(path.to_vec());
        }
    }

    /// A secret was read by name.
    pub(super) fn secret(&self, number: usize, called: &str) {
        let entries = &mut *self.entries();
        if entries.secrets.len() < MOST_READ && !entries.secrets.iter().any(|(other, ..)| *other == number) {
            entries.secrets.push((number, called.to_owned(), entries.now.clone()));
        }
    }

    /// A secret was asked for what it says.
    pub(super) fn peek(&self, what: &str) {
        let entries = &mut *self.entries();
        if entries.peeked.is_none() {
            entries.peeked = Some(what.to_owned());
            entries.peeked_at = entries.now.clone();
        }
    }
}
