//! The tree of a YAML file with the place of every value: aliases are expanded, merge keys applied.
//!
//! It is built from events, so that the cost of a text is known before it is paid: the nodes that an alias
//! stands for are counted before they are copied.

mod read;

pub(crate) use read::read;

use crate::problem::Place;
use crate::state::Text;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
    pub(crate) tag: Option<MergeTag>,
}

/// How a value is merged over the one of an earlier file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeTag {
    /// `!reset`: the earlier value goes, and this one does not count.
    Reset,
    /// `!override`: this value stands in place of the earlier one.
    Override,
}

/// What it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// A scalar before its type is known: Compose decides that by the key it stands under.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scalar {
    /// As written, or with its variables put in, of which some are secret.
    pub(crate) text: Text,
    /// Written without quotes and without a tag: `1.10` is a number then.
    pub(crate) plain: bool,
    /// It was one variable and nothing else: it takes the type that its key wants.
    pub(crate) variable: bool,
    /// Pillar values that were put in.
    pub(crate) read: Vec<Place>,
}

/// The pairs of a mapping in their order, each key once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Map(Vec<Entry>);

/// One pair.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key was written.
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Map {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut()
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn value_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node.value)
    }

    /// Puts a pair in the place of the one with this key, or at the end.
    pub(crate) fn put(&mut self, entry: Entry) {
        match self.0.iter_mut().find(|before| before.key == entry.key) {
            Some(before) => *before = entry,
            None => self.0.push(entry),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
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
    pub(crate) fn map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Nothing was written, or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// The word for what it is, for errors.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) => super::scalar::resolve(scalar).kind(),
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl Scalar {
    /// As it was written in a file.
    pub(crate) fn written(text: impl Into<String>, plain: bool) -> Self {
        Self { text: Text::clear(text), plain, ..Self::default() }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_clear(), Some("" | "~" | "null" | "Null" | "NULL"))
    }
}
