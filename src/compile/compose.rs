//! Compose projects of the host: their variables are evaluated here, as every expression is.

use super::Inputs;
use super::expression::Evaluated;
use crate::compose;
use crate::inventory::ComposeProject;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{ArgValue, Declaration, Text};
use std::collections::BTreeMap;

/// The declarations of one project.
pub(super) fn read(
    project: &ComposeProject,
    inputs: &Inputs,
    evaluate: &mut dyn FnMut(&str, &Place) -> Result<Evaluated>,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Vec<Declaration> {
    let mut vars = BTreeMap::new();
    for (name, (text, place)) in &project.vars {
        let text = evaluate(text, place).and_then(|(value, read)| Ok((printed(name, value, place)?, read)));
        match text {
            Ok((text, mut read)) => {
                read.push(place.clone());
                vars.insert(name.clone(), (text, read));
            }
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    let inputs =
        compose::Inputs { project, vars: &vars, pillar: inputs.pillar, read: inputs.read, list: inputs.list };
    compose::declarations(&inputs, problems, notes)
}

fn printed(name: &str, value: ArgValue, place: &Place) -> Result<Text> {
    match value {
        ArgValue::Text(text) => Ok(text),
        ArgValue::Integer(number) => Ok(Text::clear(number.to_string())),
        ArgValue::Boolean(truth) => Ok(Text::clear(truth.to_string())),
        other => {
            let what = format!("the variable `{}` is of type {}, not a text", escaped(name), other.kind());
            Err(Problem::failed(what).at(place).hint("write `| tojson` or `| join(\",\")`").into())
        }
    }
}
