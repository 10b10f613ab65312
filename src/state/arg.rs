//! Arguments of a declaration: TOML or Starlark values with their place, evaluated.

use super::{FileBytes, Text};
use crate::pillar::Float;
use crate::problem::Place;
use std::collections::{BTreeMap, HashSet};

/// An argument with the place where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// What it is.
    pub value: ArgValue,
    /// The line of the state file.
    pub place: Place,
    /// Pillar values that its expressions read: what a plan names as the cause of a change.
    pub read: Vec<Place>,
}

/// What an argument can be.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgValue {
    /// `None`: as if it had not been written.
    Unset,
    /// Text, maybe with secrets.
    Text(Text),
    /// What is in a file of the workspace; no front end writes it as an argument.
    Bytes(FileBytes),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(Float),
    /// True or false.
    Boolean(bool),
    /// A list.
    Array(Vec<Arg>),
    /// A table.
    Table(BTreeMap<String, Arg>),
}

impl ArgValue {
    /// The word for its type, for errors.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unset => "None",
            Self::Text(_) => "string",
            Self::Bytes(_) => "file",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
            Self::Array(_) => "array",
            Self::Table(_) => "table",
        }
    }
}

impl Arg {
    /// The lines behind it and everything in it, nearest cause first: pillar values, then the line of
    /// the state file itself.
    pub fn sources(&self) -> Vec<Place> {
        fn collect<'a>(arg: &'a Arg, seen: &mut HashSet<&'a Place>, found: &mut Vec<Place>) {
            found.extend(arg.read.iter().filter(|place| seen.insert(place)).cloned());
            match &arg.value {
                ArgValue::Array(items) => items.iter().for_each(|item| collect(item, seen, found)),
                ArgValue::Table(table) => table.values().for_each(|item| collect(item, seen, found)),
                _ => {}
            }
        }
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        collect(self, &mut seen, &mut found);
        if seen.insert(&self.place) {
            found.push(self.place.clone());
        }
        found
    }

    /// The first text in it that holds a secret.
    pub fn first_with_secret(&self) -> Option<&Self> {
        match &self.value {
            ArgValue::Text(text) => text.secrets().next().map(|_| self),
            ArgValue::Array(items) => items.iter().find_map(Self::first_with_secret),
            ArgValue::Table(table) => table.values().find_map(Self::first_with_secret),
            _ => None,
        }
    }
}
