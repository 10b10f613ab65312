//! What networks and volumes have in common: a name, and a spec that is fixed when they are created.

use super::Spec;
use super::fields::{Canonical, Fields};
use crate::inspect::Inspect;
use crate::problem::Place;
use serde_json::Value;
use std::collections::BTreeMap;

/// A desired network or volume.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceWish {
    /// Its name.
    pub name: String,
    /// Its declared fields; all of them are fixed when it is created.
    pub spec: Spec,
    /// Pillar values and lines behind each field, by field name (`driver`, `labels.team`).
    pub sources: BTreeMap<String, Vec<Place>>,
}

impl ResourceWish {
    /// From its declared fields.
    pub(crate) fn new(name: String, fields: &Fields) -> Self {
        let mut wish = Self { name, spec: Spec::default(), sources: BTreeMap::new() };
        for (field, declared) in fields {
            if let Canonical::Option(value) = &declared.canonical {
                wish.spec.fixed.insert(field.clone(), value.clone());
                wish.sources.insert(field.clone(), declared.sources.clone());
            }
        }
        wish
    }

    /// The declared fields in which an existing one differs, managed or not.
    pub(super) fn differences(
        &self,
        inspect: &Inspect,
        differs: fn(&str, &Value, &Inspect) -> bool,
    ) -> Vec<String> {
        let fields = self.spec.fixed.iter().filter(|(field, value)| differs(field, value, inspect));
        fields.map(|(field, _)| field.clone()).collect()
    }

    /// The parts of a field that has several (`labels.team`), by their own name.
    pub(super) fn parts(&self, field: &str) -> BTreeMap<String, Value> {
        let parts = self.spec.fixed.iter();
        parts.filter_map(|(name, value)| Some((part(name, field)?.to_owned(), value.clone()))).collect()
    }
}

/// `team` of `labels.team`.
pub(super) fn part<'n>(name: &'n str, field: &str) -> Option<&'n str> {
    name.strip_prefix(field)?.strip_prefix('.')
}

/// Whether a part of a table is another one, or none, in what an Engine says.
pub(super) fn part_differs(key: &str, wanted: &Value, table: Option<&Value>) -> bool {
    table.and_then(|table| table.get(key)) != Some(wanted)
}
