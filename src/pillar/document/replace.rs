//! Values in the places of others, many in one pass: a file that is read again for each of a thousand costs minutes.

use super::Document;
use super::edit::{Found, Splice, find, sealed_text};
use crate::name::KeyPath;
use crate::pillar::value::{Sealed, Value};
use crate::problem::{Problem, Result};
use toml_edit::{Table, Value as Toml};

impl Document {
    /// Replaces sealed values by others of the same keys: a rekey.
    ///
    /// # Errors
    /// If one is bound to another file, or there is no sealed value at its key.
    pub fn reseal<'s>(&mut self, all: impl IntoIterator<Item = &'s Sealed>) -> Result<()> {
        self.replace(&[], all)
    }

    /// Replaces texts in clear and sealed values by others of the same keys: an import.
    ///
    /// # Errors
    /// If one is bound to another file, or there is no value of its kind at its key.
    pub fn replace<'s>(
        &mut self,
        texts: &[(KeyPath, &str)],
        sealed: impl IntoIterator<Item = &'s Sealed>,
    ) -> Result<()> {
        self.change(|document, root, _| {
            let mut splices = Vec::new();
            for (key, text) in texts {
                let is_text = |value: &Value| matches!(value, Value::String(_));
                let splice = document.over(root, key, is_text, Toml::from(*text).to_string());
                splices.push(splice.ok_or_else(|| {
                    Problem::failed(format!("there is no text at {key} in pillar/{}", document.file))
                })?);
            }
            for sealed in sealed {
                document.same_file(sealed)?;
                let is_sealed = |value: &Value| matches!(value, Value::Sealed(_));
                let splice = document.over(root, &sealed.origin.key, is_sealed, sealed_text(sealed));
                splices.push(splice.ok_or_else(|| {
                    Problem::failed(format!("there is no sealed value at {}", sealed.origin))
                })?);
            }
            Ok(splices)
        })
    }

    /// A text over the value at a key, if that is of the right kind.
    fn over(
        &self,
        root: &Table,
        key: &KeyPath,
        is_kind: impl Fn(&Value) -> bool,
        text: String,
    ) -> Option<Splice> {
        self.get(key).filter(|node| is_kind(&node.value))?;
        match find(root, key.parts())? {
            Found::Value(value) => value.span().map(|range| Splice { range, text }),
            Found::Table => None,
        }
    }
}
