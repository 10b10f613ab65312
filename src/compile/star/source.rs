//! Which pillar values an argument was made from. A program computes with plain strings, which do not
//! know where they came from: a value that it read and that is a whole part of an argument counts.

use crate::pillar::{Float, Node, Value};
use crate::problem::Place;
use crate::state::SecretRef;
use std::collections::HashMap;

/// Parts of a text that are looked at.
const MOST_PARTS: usize = 24;

/// The pillar, and the values of it that a program read, by their text.
pub(super) struct Sources<'a> {
    pillar: &'a Node,
    read: HashMap<String, Vec<Place>>,
    floats: HashMap<u64, Float>,
}

impl<'a> Sources<'a> {
    /// From the paths that were read, in the order of reading.
    pub(super) fn of(pillar: &'a Node, read: &[Vec<String>]) -> Self {
        let (mut all, mut floats) = (HashMap::new(), HashMap::new());
        for path in read {
            if let Some(node) = pillar.at(path.iter().map(String::as_str)) {
                collect(node, &mut all, &mut floats);
            }
        }
        Self { pillar, read: all, floats }
    }

    /// A number as it is written in the pillar, if the program read it there.
    pub(super) fn as_written(&self, number: f64) -> Float {
        self.floats.get(&number.to_bits()).cloned().unwrap_or_else(|| number.into())
    }

    /// The place of a secret.
    pub(super) fn of_secret(&self, secret: &SecretRef) -> Option<Place> {
        let key = secret.origin.key.parts().iter().map(String::as_str);
        Some(self.pillar.at(key)?.place.clone())
    }

    /// A number that the program printed into a text otherwise than it is written in the pillar.
    pub(super) fn printed(&self, text: &str) -> Option<&Float> {
        let lost = self.floats.values().filter(|float| float.is_shortened_in(text));
        lost.min_by(|one, other| one.written.cmp(&other.written))
    }

    /// Where a text may have come from: what is equal to it, or a whole part of it.
    pub(super) fn of_text(&self, text: &str) -> Vec<Place> {
        let mut found: Vec<Place> = Vec::new();
        if self.read.is_empty() {
            return found;
        }
        let mut take = |part: &str| {
            for place in self.read.get(part).into_iter().flatten() {
                if !found.contains(place) {
                    found.push(place.clone());
                }
            }
        };
        take(text);
        let parts = parts(text);
        for (first, (start, _)) in parts.iter().enumerate() {
            for (_, end) in &parts[first..] {
                if *end - *start < text.len() {
                    take(&text[*start..*end]);
                }
            }
        }
        found
    }
}

fn collect(node: &Node, all: &mut HashMap<String, Vec<Place>>, floats: &mut HashMap<u64, Float>) {
    let mut add = |text: String| {
        let places = all.entry(text).or_default();
        if !places.contains(&node.place) {
            places.push(node.place.clone());
        }
    };
    match &node.value {
        Value::String(text) | Value::Datetime(text) if !text.is_empty() => add(text.clone()),
        Value::Integer(number) => add(number.to_string()),
        Value::Float(number) => {
            add(number.value.to_string());
            floats.insert(number.value.to_bits(), number.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, all, floats)),
        _ => {}
    }
}

/// Where the words of a text begin and end; a version or a name is one word.
fn parts(text: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (is_word(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found.extend(start.map(|from| (from, text.len())));
    found.truncate(MOST_PARTS);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_a_reference_and_not_in_another_version() {
        let place = |line| Place::new("pillar/apps.toml", line);
        let node = |text: &str, line| Node::new(Value::String(text.to_owned()), &place(line));
        let table = [("v", "1.9.0", 1), ("i", "registry.example.com:5000/web/nginx", 2), ("o", "1.9", 3)];
        let table = table.into_iter().map(|(key, text, line)| (key.to_owned(), node(text, line))).collect();
        let pillar = Node::new(Value::Table(table), &place(0));
        let read = [vec!["v".to_owned()], vec!["i".to_owned()], vec!["o".to_owned()]];
        let sources = Sources::of(&pillar, &read);
        let mut found = sources.of_text("registry.example.com:5000/web/nginx:1.9.0");
        found.sort();
        assert_eq!(found, [place(1), place(2)]);
        assert_eq!(sources.of_text("1.9.0"), [place(1)]);
        assert!(sources.of_text("1.9.01 x1.9").is_empty());
    }
}
