//! What `helper install` changed in which file, so that `helper remove` can take exactly that back.

use super::splice::{Splice, undo};
use super::wire::{Replaced, unwire};
use crate::problem::{Place, Problem, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// All files that were changed, by path. No secret is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wired {
    format: u32,
    files: BTreeMap<String, History>,
}

/// The changes of one file, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    /// Whether there was no such file before.
    created: bool,
    edits: Vec<Edit>,
}

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// A hash of the text that it made.
    after: String,
    splices: Vec<Splice>,
    /// Helpers that it replaced, by registry.
    helpers: BTreeMap<String, String>,
    /// The `credsStore` that it replaced.
    store: Option<String>,
}

impl Edit {
    /// A change that made `after`.
    pub fn new(after: &str, splices: Vec<Splice>, replaced: Replaced) -> Self {
        Self { after: hash(after), splices, helpers: replaced.by_host, store: replaced.store }
    }
}

impl Wired {
    /// Reads the file of this; nothing was changed where there is none.
    ///
    /// # Errors
    /// Where it is not what pillarbox wrote.
    pub fn parse(text: Option<&str>, file: &str) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Self::default()) };
        let wrong = || Problem::failed("this is not what pillarbox wrote").at(&Place::new(file, 0));
        match serde_json::from_str::<Self>(text) {
            Ok(read) if read.format == 1 => Ok(read),
            Ok(_) => Err(wrong().cause("its format is of another version").into()),
            Err(error) => Err(wrong()
                .because(&error)
                .hint("move the file away: `helper remove` then takes out what names pillarbox")
                .into()),
        }
    }

    /// The text to be written; `None` where nothing is changed any more.
    pub fn text(&self) -> Option<String> {
        let own = Self { format: 1, files: self.files.clone() };
        (!self.files.is_empty()).then(|| serde_json::to_string_pretty(&own).unwrap_or_default() + "\n")
    }

    /// Remembers a change of a file.
    pub fn remember(&mut self, file: &str, created: bool, edit: Edit) {
        let history = self.files.entry(file.to_owned()).or_default();
        history.created |= created && history.edits.is_empty();
        history.edits.push(edit);
    }

    /// Whether no other file is remembered.
    pub fn is_only(&self, file: &str) -> bool {
        self.files.keys().all(|name| name == file)
    }

    /// Forgets a file.
    pub fn forget(&mut self, file: &str) {
        self.files.remove(file);
    }

    /// Takes the changes of a client's file back and forgets them: to the byte where nobody changed it
    /// since, else what names us. Returns the text, or `None` for a file that is to be removed because it
    /// was not there before and holds nothing else. `shown` is its path for errors.
    ///
    /// # Errors
    /// Where the file is broken; then nothing is forgotten.
    pub fn take_back(&mut self, file: &str, shown: &str, text: &str) -> Result<Option<String>> {
        let (mut now, others) = self.undone(file, text);
        let exact = others.is_empty() && self.files.contains_key(file);
        let mut replaced = Replaced::default();
        for edit in others {
            replaced.by_host.extend(edit.helpers.clone());
            replaced.store = edit.store.clone().or(replaced.store);
        }
        if !exact && let Some(without) = unwire(&now, shown, &replaced)? {
            now = without;
        }
        let created = self.files.remove(file).is_some_and(|history| history.created);
        let nothing = now.split_whitespace().collect::<String>();
        Ok(if created && matches!(nothing.as_str(), "" | "{}") { None } else { Some(now) })
    }

    /// As [`Self::take_back`], for a file of any kind and only where nobody changed it since: the text or
    /// that it goes; `None` where it was changed, or never by us.
    pub fn take_back_exactly(&mut self, file: &str, text: &str) -> Option<Option<String>> {
        let (now, others) = self.undone(file, text);
        if !others.is_empty() {
            return None;
        }
        let history = self.files.remove(file)?;
        Some(if history.created && now.is_empty() { None } else { Some(now) })
    }

    /// The text before as many changes as can be taken back to the byte, and the others, newest first.
    fn undone(&self, file: &str, text: &str) -> (String, Vec<&Edit>) {
        let mut edits = self.files.get(file).into_iter().flat_map(|history| history.edits.iter().rev());
        let mut now = text.to_owned();
        let mut others = Vec::new();
        for edit in edits.by_ref() {
            match (edit.after == hash(&now)).then(|| undo(&now, &edit.splices)).flatten() {
                Some(before) => now = before,
                None => {
                    others.push(edit);
                    break;
                }
            }
        }
        others.extend(edits);
        (now, others)
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
