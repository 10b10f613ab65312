//! From the pillar to the input of a program.

use super::wire::Given;
use crate::pillar::{Node, Value};
use crate::state::SecretRef;

/// The one table of the pillar that no state sees: credentials are sent only to registries.
pub const HIDDEN: &str = "registries";

/// Tables and lists of a pillar within each other, at most.
const DEEPEST: usize = 40;

/// A pillar that nests too deep to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsendable;

/// A tree in the form that a program gets. Secrets are numbered in the order of the keys.
///
/// # Errors
/// If it nests deeper than 40 tables or lists.
pub fn given(tree: &Node) -> Result<Given, Unsendable> {
    fn of(node: &Node, depth: usize, next: &mut usize) -> Result<Given, Unsendable> {
        let within = depth.checked_sub(1).ok_or(Unsendable);
        Ok(match &node.value {
            Value::String(text) | Value::Datetime(text) => Given::Text(text.clone()),
            Value::Integer(number) => Given::Integer(*number),
            Value::Float(number) => Given::Float(number.value.to_bits()),
            Value::Boolean(truth) => Given::Boolean(*truth),
            Value::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| of(item, within?, next)).collect();
                Given::List(items?)
            }
            Value::Table(table) => {
                let entries = table.iter().filter(|(key, _)| !(depth == DEEPEST && *key == HIDDEN));
                let entries: Result<_, _> =
                    entries.map(|(key, item)| Ok((key.clone(), of(item, within?, next)?))).collect();
                Given::Table(entries?)
            }
            Value::Sealed(_) => {
                *next += 1;
                Given::Secret(*next - 1)
            }
        })
    }
    of(tree, DEEPEST, &mut 0)
}

/// The secrets of a tree by their numbers.
pub fn secrets(tree: &Node) -> Vec<SecretRef> {
    fn collect(node: &Node, is_root: bool, found: &mut Vec<SecretRef>) {
        match &node.value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, false, found)),
            Value::Table(table) => {
                for (_, item) in table.iter().filter(|(key, _)| !(is_root && *key == HIDDEN)) {
                    collect(item, false, found);
                }
            }
            Value::Sealed(sealed) => found.push(SecretRef {
                origin: sealed.origin.clone(),
                id: sealed.id.clone(),
                encoders: Vec::new(),
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(tree, true, &mut found);
    found
}
