//! Reads a table key by key: types checked, unknown keys named, all problems collected.

use super::table::Table;
use super::value::{Node, Value};
use crate::problem::{Place, Problem, escaped};

/// A table being read. What is wrong goes into one list; the reader goes on.
pub struct Fields<'a, 'p> {
    table: &'a Table,
    place: Place,
    what: String,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// Begins to read `node`, which `what` names in messages (`[hosts.web1]`). Keys outside of `known`
    /// are problems, with the nearest known one. `None` if it is no table.
    pub fn of(node: &'a Node, what: &str, known: &[&str], problems: &'p mut Vec<Problem>) -> Option<Self> {
        let Some(table) = node.as_table() else {
            problems.push(wrong_type(what, "a table", node));
            return None;
        };
        for (key, value) in table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            problems.push(
                Problem::failed(format!("unknown key `{}` in {what}", escaped(key)))
                    .at(&value.place)
                    .nearest(key, known.iter().copied())
                    .hint(format!("known keys: {}", known.join(", "))),
            );
        }
        Some(Self { table, place: node.place.clone(), what: what.to_owned(), problems })
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key)
    }

    /// A problem with this table, at its own line.
    pub fn missing(&mut self, key: &str, hint: &str) {
        self.problems
            .push(Problem::failed(format!("{} has no `{key}`", self.what)).at(&self.place).hint(hint));
    }

    /// A problem with a value.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A string, if the key is there.
    pub fn text(&mut self, key: &str) -> Option<(&'a str, &'a Place)> {
        let node = self.table.get(key)?;
        match node.as_str() {
            Some(text) => Some((text, &node.place)),
            None => {
                self.problems.push(wrong_type(&format!("`{key}` in {}", self.what), "a string", node));
                None
            }
        }
    }

    /// A list of strings; empty if the key is not there.
    pub fn list(&mut self, key: &str) -> Vec<(&'a str, &'a Place)> {
        let Some(node) = self.table.get(key) else { return Vec::new() };
        let Value::Array(values) = &node.value else {
            self.problems.push(wrong_type(&format!("`{key}` in {}", self.what), "a list of strings", node));
            return Vec::new();
        };
        let mut read = Vec::new();
        for value in values {
            match value.as_str() {
                Some(text) => read.push((text, &value.place)),
                None => self.problems.push(wrong_type(
                    &format!("an entry of `{key}` in {}", self.what),
                    "a string",
                    value,
                )),
            }
        }
        read
    }

    /// A table of any keys; empty if the key is not there.
    pub fn table(&mut self, key: &str) -> Vec<(&'a str, &'a Node)> {
        let Some(node) = self.table.get(key) else { return Vec::new() };
        match node.as_table() {
            Some(table) => table.iter().map(|(key, node)| (key.as_str(), node)).collect(),
            None => {
                self.problems.push(wrong_type(&format!("`{key}` in {}", self.what), "a table", node));
                Vec::new()
            }
        }
    }
}

/// A value of another type than it must have.
pub fn wrong_type(what: &str, wanted: &str, node: &Node) -> Problem {
    Problem::failed(format!("{what} must be {wanted}, not {}", node.value.a_kind())).at(&node.place)
}
