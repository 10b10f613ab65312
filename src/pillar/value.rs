//! The tree of a pillar: every value remembers the file and line it came from.

use super::table::Table;
use crate::name::KeyPath;
use crate::problem::{Place, Problem, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The place of the value.
    pub place: Place,
}

impl Node {
    /// A value at a place.
    pub fn new(value: Value, place: &Place) -> Self {
        Self { value, place: place.clone() }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a path below this one.
    pub fn at<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |node, part| node.as_table()?.get(part))
    }
}

/// A number with a fraction. 1.10 and 1.1 are one number and two texts, so its text is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Float {
    /// The number.
    pub value: f64,
    /// How it is written, where that is known; else the shortest form.
    pub written: Box<str>,
}

impl Float {
    /// A number with its text.
    pub fn written(value: f64, text: &str) -> Self {
        Self { value, written: text.into() }
    }

    /// Whether a text has the number in it and not as it is written: 1.1 for 1.10.
    pub fn is_shortened_in(&self, text: &str) -> bool {
        // As Starlark and expressions print it: with a fraction.
        let shown = format!("{:?}", self.value);
        let is_whole = |at: usize| {
            let digit = |c: char| c.is_ascii_digit();
            let (before, after) = (&text[..at], &text[at + shown.len()..]);
            let mut next = after.chars();
            let goes_on = match next.next() {
                Some('.') => next.next().is_some_and(digit),
                next => next.is_some_and(digit),
            };
            !before.ends_with(|c: char| digit(c) || c == '.') && !goes_on
        };
        *shown != *self.written
            && !text.contains(&*self.written)
            && text.match_indices(&shown).any(|(at, _)| is_whole(at))
    }
}

impl From<f64> for Float {
    /// With its shortest form, which has a fraction.
    fn from(value: f64) -> Self {
        Self { value, written: format!("{value:?}").into() }
    }
}

/// The kinds of values in a pillar.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(Float),
    /// True or false.
    Boolean(bool),
    /// A date or time, as written.
    Datetime(String),
    /// A list.
    Array(Vec<Node>),
    /// A table.
    Table(Table),
    /// A secret, unopened: a leaf. Boxed, so that all other values are small.
    Sealed(Box<Sealed>),
}

impl Value {
    /// The word for its type, for errors.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
            Self::Datetime(_) => "datetime",
            Self::Array(_) => "array",
            Self::Table(_) => "table",
            Self::Sealed(_) => "sealed value",
        }
    }

    /// The same with its article: `an integer`.
    pub fn a_kind(&self) -> String {
        let kind = self.kind();
        let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
        format!("{article} {kind}")
    }
}

/// 64 random bits, 16 hexadecimal digits: new whenever a secret changes, kept when it is re-sealed or
/// moved. It represents the secret in fingerprints and plans.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SealId(String);

impl SealId {
    /// Reads an id.
    ///
    /// # Errors
    /// If it is not 16 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 16 && text.bytes().all(hex) {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::failed(format!("`{}` is not the id of a sealed value", crate::problem::escaped(text)))
            .into())
    }

    /// From 64 random bits.
    pub fn from_bits(bits: [u8; 8]) -> Self {
        Self(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// All 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Four digits of it, for display.
    pub fn short(&self) -> &str {
        &self.0[..4]
    }
}

impl TryFrom<String> for SealId {
    type Error = crate::problem::Problems;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<SealId> for String {
    fn from(id: SealId) -> Self {
        id.0
    }
}

impl fmt::Display for SealId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SealId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sealed value as written in a file: `{ sealed = "…", id = "…" }`, and the place it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Base64 of a binary age file, on one line.
    pub sealed: String,
    /// Identifies the secret without revealing it.
    pub id: SealId,
    /// Its place, the only one where it may be opened.
    pub origin: Origin,
}

/// The place a sealed value is bound to: a file below `pillar/` and a key in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Path relative to `pillar/`, with `/` between its parts: `registries/ghcr.io.toml`.
    pub file: String,
    /// The key within the file.
    pub key: KeyPath,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in pillar/{}", self.key, crate::problem::escaped(&self.file))
    }
}
