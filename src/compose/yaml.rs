//! The tree of a YAML file with the place of every value: aliases are expanded, merge keys applied.
//!
//! It is built from events, so that the cost of a text is known before it is paid: the nodes that an alias
//! stands for are counted before they are copied.

mod read;

pub(super) use read::read;

use crate::problem::Place;
use crate::state::Text;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
    pub(super) tag: Option<MergeTag>,
}

/// How a value is merged over the one of an earlier file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MergeTag {
    /// `!reset`: the earlier value goes, and this one does not count.
    Reset,
    /// `!override`: this value stands in place of the earlier one.
    Override,
}

/// What it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// A scalar before its type is known: Compose decides that by the key it stands under.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scalar {
    /// As written, or with its variables put in, of which some are secret.
    pub(super) text: Text,
    /// Written without quotes and without a tag: `1.10` is a number then.
    pub(super) plain: bool,
    /// It was one variable and nothing else: it takes the type that its key wants.
    pub(super) variable: bool,
    /// Pillar values that were put in.
    pub(super) read: Vec<Place>,
}

/// The pairs of a mapping in their order, each key once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Map(Vec<Entry>);

/// One pair.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key was written.
    pub(super) place: Place,
    pub(super) node: Node,
}

impl Map {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut()
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(super) fn value_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node.value)
    }

    /// Puts a pair in the place of the one with this key, or at the end.
    pub(super) fn put(&mut self, entry: Entry) {
        match self.0.iter_mut().find(|before| before.key == entry.key) {
            Some(before) => *before = entry,
            None => self.0.push(entry),
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.0.iter().position(|entry| entry.key == key)?;
        Some(self.0.remove(at))
    }
}

impl IntoIterator for Map {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Node {
    pub(super) fn map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Nothing was written, or `null`.
    pub(super) fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// The word for what it is, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) => super::scalar::resolve(scalar).kind(),
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl Scalar {
    /// As it was written in a file.
    pub(super) fn written(text: impl Into<String>, plain: bool) -> Self {
        Self { text: Text::clear(text), plain, ..Self::default() }
    }

    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_clear(), Some("" | "~" | "null" | "Null" | "NULL"))
    }
}
