//! The variables of a whole tree: only values have them, never keys.

use super::interpolate::{self, Variables};
use super::yaml::{Node, Value};
use crate::problem::Problem;

/// Puts the values of variables into every text below a node, except below keys that begin with `x-`.
pub(super) fn fill(node: &mut Node, variables: &dyn Variables, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::Scalar(scalar) => {
            let Some(text) = scalar.text.as_clear().filter(|text| text.contains('$')).map(str::to_owned)
            else {
                return;
            };
            match interpolate::fill(&text, variables, &node.place) {
                Ok(filled) => {
                    scalar.variable = interpolate::is_one_variable(&text);
                    scalar.text = filled.text;
                    scalar.read = filled.read;
                }
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| fill(item, variables, problems)),
        Value::Map(map) => {
            for entry in map.iter_mut().filter(|entry| !entry.key.starts_with("x-")) {
                fill(&mut entry.node, variables, problems);
            }
        }
    }
}
