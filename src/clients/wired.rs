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

    /// The files that were changed.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Remembers a change of a file.
    pub fn remember(&mut self, file: &str, created: bool, edit: Edit) {
        let history = self.files.entry(file.to_owned()).or_default();
        history.created |= created && history.edits.is_empty();
        history.edits.push(edit);
    }

    /// Takes the changes of a file back and forgets them: to the byte where nobody changed it since, else
    /// what names us. Returns the text, or `None` for a file that is to be removed because it was not there
    /// before and holds nothing else.
    ///
    /// # Errors
    /// Where the file is broken; then nothing is forgotten.
    pub fn take_back(&mut self, file: &str, text: &str) -> Result<Option<String>> {
        let history = self.files.get(file).cloned().unwrap_or_default();
        let mut now = text.to_owned();
        let mut replaced = Replaced::default();
        let mut exact = true;
        for edit in history.edits.iter().rev() {
            let before = (exact && edit.after == hash(&now)).then(|| undo(&now, &edit.splices)).flatten();
            match before {
                Some(before) => now = before,
                None => {
                    exact = false;
                    replaced.by_host.extend(edit.helpers.clone());
                    replaced.store = edit.store.clone().or(replaced.store);
                }
            }
        }
        // Also what somebody wrote by hand, or this file forgot.
        if let Some(without) = unwire(&now, file, &replaced)? {
            now = without;
        }
        self.files.remove(file);
        let nothing = now.trim().is_empty() || now.split_whitespace().collect::<String>() == "{}";
        Ok(if history.created && nothing { None } else { Some(now) })
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
