//! A change of a workspace that is not written yet.

use super::journal::Files;
use crate::pillar::document::Document;
use crate::problem::{Problems, Result};

/// Files of a workspace to be written and removed together. Paths are relative to the workspace:
/// `pillarbox.toml`, `.gitattributes`, `.gitignore`, or below `pillar/`, `keys/`, `states/`.
#[derive(Debug, Default)]
pub struct Change {
    pub(super) files: Files,
}

impl Change {
    /// A change of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file; folders are made as needed. An existing file keeps its mode.
    pub fn put(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), Some(text.into()));
    }

    /// Writes a pillar file.
    pub fn put_document(&mut self, document: &Document) {
        self.put(format!("pillar/{}", document.file()), document.text());
    }

    /// Removes a file; nothing if it is not there.
    pub fn remove(&mut self, path: impl Into<String>) {
        self.files.insert(path.into(), None);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// All results, or all problems.
pub(super) fn collect<T>(results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => found.push(value),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems)?;
    Ok(found)
}
