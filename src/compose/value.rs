//! From nodes of a file to arguments of a declaration.

use super::scalar::{Resolved, resolve};
use super::yaml::{Node, Scalar, Value};
use crate::pillar::Float;
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

/// The argument that a node is, with numbers and truths as such.
pub(super) fn arg(node: &Node) -> Arg {
    match &node.value {
        Value::Scalar(scalar) => of_scalar(node, scalar),
        Value::List(items) => of(node, ArgValue::Array(items.iter().map(arg).collect())),
        Value::Map(map) => {
            let pairs = map.iter().filter(|entry| !entry.key.starts_with("x-"));
            of(node, ArgValue::Table(pairs.map(|entry| (entry.key.clone(), arg(&entry.node))).collect()))
        }
    }
}

/// An argument at the place of a node.
pub(super) fn of(node: &Node, value: ArgValue) -> Arg {
    let read = node.scalar().map(|scalar| scalar.read.clone()).unwrap_or_default();
    Arg { value, place: node.place.clone(), read }
}

/// Text at the place of a node.
pub(super) fn text_at(node: &Node, text: impl Into<String>) -> Arg {
    of(node, ArgValue::Text(Text::clear(text)))
}

fn of_scalar(node: &Node, scalar: &Scalar) -> Arg {
    // What a variable stands for is typed by what it reads: `privileged: ${P:-true}`.
    let typed = if scalar.variable { Scalar { plain: true, ..scalar.clone() } } else { scalar.clone() };
    let value = match resolve(&typed) {
        Resolved::Null if scalar.variable => ArgValue::Text(Text::default()),
        Resolved::Null => ArgValue::Unset,
        Resolved::Boolean(truth) => ArgValue::Boolean(truth),
        Resolved::Integer(number) => match i64::try_from(number) {
            Ok(number) => ArgValue::Integer(number),
            Err(_) => ArgValue::Text(scalar.text.clone()),
        },
        Resolved::Float(number) if !scalar.variable => {
            ArgValue::Float(Float::written(number, &scalar.text.to_string()))
        }
        Resolved::Float(_) | Resolved::Date | Resolved::Text(_) => ArgValue::Text(scalar.text.clone()),
    };
    of(node, value)
}

/// The text of a scalar where Compose wants one; numbers are refused, as Compose does.
pub(super) fn text(key: &str, node: &Node) -> Result<Text, Problem> {
    match &node.value {
        Value::Scalar(scalar) if scalar.variable || matches!(resolve(scalar), Resolved::Text(_)) => {
            Ok(scalar.text.clone())
        }
        _ => Err(wants(key, "a text", node)),
    }
}

/// A text that is looked into here, and so holds no secret.
pub(super) fn clear(key: &str, node: &Node) -> Result<String, Problem> {
    let text = text(key, node)?;
    text.as_clear().map(str::to_owned).ok_or_else(|| {
        Problem::failed(format!("a secret is in `{}`, and is not allowed there", escaped(key)))
            .at(&node.place)
            .hint("secrets may stand in `environment`, in files of variables and in `secrets`")
    })
}

/// The text of a value in a mapping of texts (`environment`, `labels`): numbers as Go prints them.
/// A number that does not print as it is written is noted.
pub(super) fn printed(key: &str, node: &Node, notes: &mut Vec<String>) -> Result<Text, Problem> {
    let Value::Scalar(scalar) = &node.value else {
        return Err(wants(key, "a text, a number, or true or false", node));
    };
    if scalar.variable {
        return Ok(scalar.text.clone());
    }
    match resolve(scalar) {
        Resolved::Text(_) => Ok(scalar.text.clone()),
        Resolved::Date => Err(wants(key, "a text, a number, or true or false", node)),
        other => {
            let (printed, written) = (other.to_string(), scalar.text.to_string());
            if printed != written && !matches!(other, Resolved::Null) {
                notes.push(format!(
                    "{}: {} without quotes is {printed}: write '{}' in quotes if that is meant",
                    node.place,
                    escaped(&written),
                    escaped(&written)
                ));
            }
            Ok(Text::clear(printed))
        }
    }
}

/// A time of Compose, which wants a unit: to us a number alone would be seconds.
pub(super) fn time_with_unit(key: &str, node: &Node) -> Result<Text, Problem> {
    let unit = |problem: Problem| problem.hint("write the unit: 5s");
    let text = text(key, node).map_err(unit)?;
    match text.as_clear() {
        Some(clear) if clear != "0" && clear.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(unit(Problem::failed(format!("`{}` has no unit", escaped(key))).at(&node.place)))
        }
        _ => Ok(text),
    }
}

/// `true`, and the words that Compose takes for it.
pub(super) fn truth(key: &str, node: &Node) -> Result<bool, Problem> {
    let word = node.scalar().and_then(|scalar| scalar.text.as_clear()).map(str::to_ascii_lowercase);
    match word.as_deref() {
        Some("true" | "yes" | "on" | "y" | "t") => Ok(true),
        Some("false" | "no" | "off" | "n" | "f") => Ok(false),
        _ => Err(wants(key, "true or false", node)),
    }
}

/// One text, or a list of them.
pub(super) fn texts<'n>(key: &str, node: &'n Node) -> Result<Vec<(&'n Node, Text)>, Problem> {
    match &node.value {
        Value::List(items) => items.iter().map(|item| Ok((item, text(key, item)?))).collect(),
        _ => Ok(vec![(node, text(key, node)?)]),
    }
}

/// Pairs, as a mapping or as a list of `NAME=value`; a name without a value has an empty one.
pub(super) fn table(
    key: &str,
    node: &Node,
    by: char,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Arg>, Problem> {
    let pairs = super::merge::pairs(node, by)
        .ok_or_else(|| wants(key, "a mapping, or a list of NAME=value", node))?;
    let mut table = BTreeMap::new();
    for entry in pairs {
        let text = printed(&format!("{key}.{}", entry.key), &entry.node, notes)?;
        table.insert(entry.key, of(&entry.node, ArgValue::Text(text)));
    }
    Ok(table)
}

/// That a key wants something else.
pub(super) fn wants(key: &str, what: &str, node: &Node) -> Problem {
    Problem::failed(format!("`{}` wants {what}, and this is {}", escaped(key), node.kind())).at(&node.place)
}
