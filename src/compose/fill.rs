//! The variables of a whole tree: only values have them, never keys.

use super::interpolate::{self, Variables};
use super::yaml::{Node, Value};
use crate::problem::Problem;

/// Mappings whose keys are names of one's own: `x-a` is a name there and no extension.
const NAMES: [&str; 7] =
    ["annotations", "driver_opts", "environment", "extra_hosts", "labels", "options", "sysctls"];

/// Puts the values of variables into every text below a node, except below extensions: keys that begin with `x-`.
pub(super) fn fill(node: &mut Node, variables: &dyn Variables, problems: &mut Vec<Problem>) {
    fill_below("", node, variables, problems);
}

fn fill_below(key: &str, node: &mut Node, variables: &dyn Variables, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::Scalar(scalar) => {
            let Some(text) = scalar.text.as_clear().filter(|text| text.contains('$')).map(str::to_owned)
            else {
                return;
            };
            match interpolate::fill(&text, variables, &node.place) {
                Ok(filled) => {
                    scalar.variable = interpolate::is_one_variable(&text);
                    // Compose fills texts: what is empty then is an empty text and not null.
                    scalar.plain = false;
                    scalar.text = filled.text;
                    scalar.read = filled.read;
                }
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        Value::List(items) => {
            items.iter_mut().for_each(|item| fill_below("", item, variables, problems));
        }
        Value::Map(map) => {
            let is_name = NAMES.contains(&key);
            for entry in map.iter_mut().filter(|entry| is_name || !entry.key.starts_with("x-")) {
                fill_below(&entry.key, &mut entry.node, variables, problems);
            }
        }
    }
}
