//! A table of a pillar. Most have a handful of keys, and there may be a hundred thousand of them: a sorted list
//! takes a tenth of the memory of a tree.

use super::value::Node;

/// A table, sorted by key: nothing may depend on the order in which people write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(Vec<(String, Node)>);

impl Table {
    /// Without a key.
    pub fn new() -> Self {
        Self::default()
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(key))
    }

    /// The value at a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.find(key).ok().and_then(|at| self.0.get(at)).map(|(_, node)| node)
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, by key.
    pub fn values(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().map(|(_, node)| node)
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> Entries<'_> {
        self.into_iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lays another table over this one; `both` is asked where both have a key.
    pub(super) fn lay(&mut self, over: Self, mut both: impl FnMut(&mut Node, Node)) {
        let mut all = Vec::with_capacity(self.0.len().max(over.0.len()));
        let mut above = over.0.into_iter().peekable();
        for (key, mut node) in std::mem::take(&mut self.0) {
            while let Some(before) = above.next_if(|(other, _)| *other < key) {
                all.push(before);
            }
            if let Some((_, other)) = above.next_if(|(other, _)| *other == key) {
                both(&mut node, other);
            }
            all.push((key, node));
        }
        all.extend(above);
        all.shrink_to_fit();
        self.0 = all;
    }
}

impl FromIterator<(String, Node)> for Table {
    /// Of equal keys the last one counts.
    fn from_iter<I: IntoIterator<Item = (String, Node)>>(entries: I) -> Self {
        let mut all: Vec<(String, Node)> = entries.into_iter().collect();
        all.reverse();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.dedup_by(|(later, _), (first, _)| later == first);
        all.shrink_to_fit();
        Self(all)
    }
}

impl<const N: usize> From<[(String, Node); N]> for Table {
    fn from(entries: [(String, Node); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl Extend<(String, Node)> for Table {
    fn extend<I: IntoIterator<Item = (String, Node)>>(&mut self, entries: I) {
        self.lay(entries.into_iter().collect(), |node, other| *node = other);
    }
}

impl IntoIterator for Table {
    type Item = (String, Node);
    type IntoIter = std::vec::IntoIter<(String, Node)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Keys and values of a table.
type Entries<'a> = std::iter::Map<std::slice::Iter<'a, (String, Node)>, Entry>;
type Entry = fn(&(String, Node)) -> (&String, &Node);

impl<'a> IntoIterator for &'a Table {
    type Item = (&'a String, &'a Node);
    type IntoIter = Entries<'a>;
    fn into_iter(self) -> Entries<'a> {
        let entry: Entry = |(key, node)| (key, node);
        self.0.iter().map(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::Value;
    use crate::problem::Place;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn table(entries: &[(String, i64)]) -> Table {
        let place = Place::new("pillar/a.toml", 1);
        entries.iter().map(|(key, value)| (key.clone(), Node::new(Value::Integer(*value), &place))).collect()
    }

    fn plain(table: &Table) -> Vec<(String, i64)> {
        let number = |node: &Node| match node.value {
            Value::Integer(number) => number,
            _ => unreachable!("numbers alone"),
        };
        table.iter().map(|(key, node)| (key.clone(), number(node))).collect()
    }

    proptest! {
        #[test]
        fn it_is_what_a_sorted_tree_is(
            below in prop::collection::vec(("[a-d]{0,2}", any::<i64>()), 0..12),
            above in prop::collection::vec(("[a-d]{0,2}", any::<i64>()), 0..12),
        ) {
            let mut tree: BTreeMap<String, i64> = below.iter().cloned().collect();
            let mut list = table(&below);
            prop_assert_eq!(plain(&list), tree.clone().into_iter().collect::<Vec<_>>());
            list.extend(table(&above));
            tree.extend(above);
            prop_assert_eq!(plain(&list), tree.clone().into_iter().collect::<Vec<_>>());
            for key in ["", "a", "ab", "dd"] {
                prop_assert_eq!(list.contains_key(key), tree.contains_key(key));
                prop_assert_eq!(list.get(key).is_some(), tree.contains_key(key));
            }
        }
    }
}
