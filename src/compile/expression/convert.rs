//! The result of an expression, as an argument or as JSON.

use super::branch::Branch;
use super::log::Log;
use super::opaque::Opaque;
use crate::pillar::{Node, Value as Leaf};
use crate::problem::Place;
use crate::state::{Arg, ArgValue, Encoder, SecretRef, Segment, Text};
use minijinja::value::{Value, ValueKind};
use std::collections::BTreeMap;

/// Bytes that the result of an expression may have, each item of a list or table counted as 16.
const LONGEST: usize = 1 << 20;

/// Levels of nested lists and tables.
const DEEPEST: usize = 64;

/// Converts a result to an argument.
pub(super) struct Converter<'a> {
    log: &'a Log,
    /// Looks at secrets that are whole in the result.
    whole: &'a mut Vec<usize>,
    left: usize,
}

/// Why a result cannot be taken; no values in it. `None`: a part of it is missing.
type Why = Option<String>;

impl<'a> Converter<'a> {
    /// Notes in `whole` which reads of secrets are whole in the result.
    pub(super) fn new(log: &'a Log, whole: &'a mut Vec<usize>) -> Self {
        Self { log, whole, left: LONGEST }
    }

    /// Bytes that the result has.
    pub(super) fn spent(&self) -> u64 {
        (LONGEST - self.left) as u64
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Why> {
        self.left =
            self.left.checked_sub(bytes).ok_or_else(|| Some("the result is larger than 1 MiB".to_owned()))?;
        Ok(())
    }

    /// As an argument whose parts have the place `place`.
    pub(super) fn argument(&mut self, value: &Value, place: &Place) -> Result<ArgValue, Why> {
        self.value(value, place, 0)
    }

    fn value(&mut self, value: &Value, place: &Place, depth: usize) -> Result<ArgValue, Why> {
        if depth > DEEPEST {
            return Err(Some(format!("the result is nested deeper than {DEEPEST}")));
        }
        self.spend(16)?;
        if let Some(opaque) = Opaque::of(value) {
            return Ok(ArgValue::Text(opaque.take(self.whole).clone()));
        }
        if let Some(branch) = Branch::of(value) {
            return self.branch(branch, place);
        }
        let arg = |value| Arg { value, place: place.clone(), read: Vec::new() };
        match value.kind() {
            ValueKind::Undefined => Err(None),
            ValueKind::None => Ok(ArgValue::Unset),
            ValueKind::Bool => Ok(ArgValue::Boolean(value.is_true())),
            ValueKind::Number => number(value, self.log),
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                self.spend(text.len())?;
                Ok(ArgValue::Text(Text::clear(text)))
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let mut items = Vec::new();
                for item in value.try_iter().map_err(|error| engine(&error))?.checked() {
                    let item = item.map_err(|error| engine(&error))?;
                    items.push(arg(self.value(&item, place, depth + 1)?));
                }
                Ok(ArgValue::Array(items))
            }
            ValueKind::Map => {
                let mut table = BTreeMap::new();
                for key in value.try_iter().map_err(|error| engine(&error))?.checked() {
                    let key = key.map_err(|error| engine(&error))?;
                    if let Some(opaque) = Opaque::of(&key) {
                        opaque.peek();
                    }
                    let name = key
                        .as_str()
                        .ok_or_else(|| Some("a key of the result is not text".to_owned()))?
                        .to_owned();
                    self.spend(name.len())?;
                    let item = value.get_item(&key).map_err(|error| engine(&error))?;
                    table.insert(name, arg(self.value(&item, place, depth + 1)?));
                }
                Ok(ArgValue::Table(table))
            }
            kind => Err(Some(format!("the result is a {kind}, which cannot be a value in a state"))),
        }
    }

    /// A part of the pillar that is placed as it is: its secrets are whole.
    fn branch(&mut self, branch: &Branch, place: &Place) -> Result<ArgValue, Why> {
        let node = branch.node().ok_or(None)?;
        let logs = branch.logs_reads();
        self.node(node, Some(branch), logs, place)
    }

    fn node(
        &mut self,
        node: &Node,
        top: Option<&Branch>,
        logs: bool,
        place: &Place,
    ) -> Result<ArgValue, Why> {
        self.spend(16)?;
        let value = match &node.value {
            Leaf::String(text) | Leaf::Datetime(text) => {
                self.spend(text.len())?;
                ArgValue::Text(Text::clear(text.as_str()))
            }
            Leaf::Integer(number) => ArgValue::Integer(*number),
            Leaf::Float(number) => ArgValue::Float(number.clone()),
            Leaf::Boolean(truth) => ArgValue::Boolean(*truth),
            Leaf::Sealed(sealed) => ArgValue::Text(Text::secret(SecretRef {
                origin: sealed.origin.clone(),
                id: sealed.id.clone(),
                encoders: Vec::new(),
            })),
            Leaf::Array(items) => {
                let items: Result<Vec<Arg>, Why> =
                    items.iter().map(|item| self.placed(item, logs, place)).collect();
                return Ok(ArgValue::Array(items?));
            }
            Leaf::Table(table) => {
                let shown = table.iter().filter(|(key, _)| !top.is_some_and(|branch| branch.hides(key)));
                let mut converted = BTreeMap::new();
                for (key, item) in shown {
                    self.spend(key.len())?;
                    converted.insert(key.clone(), self.placed(item, logs, place)?);
                }
                return Ok(ArgValue::Table(converted));
            }
        };
        if logs && top.is_some() {
            self.log.read(&node.place);
        }
        Ok(value)
    }

    /// An item with the place in the pillar that it came from.
    fn placed(&mut self, node: &Node, logs: bool, place: &Place) -> Result<Arg, Why> {
        let value = self.node(node, None, logs, place)?;
        let leaf = !matches!(node.value, Leaf::Table(_) | Leaf::Array(_));
        let read = if logs && leaf { vec![node.place.clone()] } else { Vec::new() };
        Ok(Arg { value, place: place.clone(), read })
    }

    /// As JSON text in which secrets are references with their JSON encoding.
    pub(super) fn json(&mut self, value: &Value) -> Result<Text, Why> {
        let place = Place::new("", 0);
        let argument = self.value(value, &place, 0)?;
        let whole = Arg { value: argument, place: place.clone(), read: Vec::new() };
        whole.sources().iter().filter(|source| **source != place).for_each(|source| self.log.read(source));
        let mut segments = Vec::new();
        json_of(&whole.value, &mut segments)?;
        Ok(Text::from_segments(segments))
    }
}

fn json_of(value: &ArgValue, out: &mut Vec<Segment>) -> Result<(), Why> {
    let mut clear = |text: String| out.push(Segment::Clear(text));
    match value {
        ArgValue::Unset => clear("null".to_owned()),
        ArgValue::Boolean(truth) => clear(truth.to_string()),
        ArgValue::Integer(number) => clear(number.to_string()),
        ArgValue::Float(number) => {
            let number = serde_json::Number::from_f64(number.value)
                .ok_or_else(|| Some("JSON has no such number".to_owned()))?;
            clear(number.to_string());
        }
        // No expression has one as its value.
        ArgValue::Bytes(_) => return Err(None),
        ArgValue::Text(text) => match (text.as_clear(), text.segments()) {
            (Some(text), _) => clear(serde_json::Value::from(text).to_string()),
            (None, [Segment::Secret(secret)]) => {
                let mut secret = secret.clone();
                secret.encoders.push(Encoder::ToJson);
                out.push(Segment::Secret(secret));
            }
            (None, _) => return Err(Some("tojson cannot follow a joined secret".to_owned())),
        },
        ArgValue::Array(items) => {
            out.push(Segment::Clear("[".to_owned()));
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(Segment::Clear(",".to_owned()));
                }
                json_of(&item.value, out)?;
            }
            out.push(Segment::Clear("]".to_owned()));
        }
        ArgValue::Table(table) => {
            out.push(Segment::Clear("{".to_owned()));
            for (index, (key, item)) in table.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                out.push(Segment::Clear(format!("{comma}{}:", serde_json::Value::from(key.as_str()))));
                json_of(&item.value, out)?;
            }
            out.push(Segment::Clear("}".to_owned()));
        }
    }
    Ok(())
}

fn engine(error: &minijinja::Error) -> Why {
    Some(error.to_string())
}

fn number(value: &Value, log: &Log) -> Result<ArgValue, Why> {
    if value.is_integer() {
        return value
            .as_i64()
            .map(ArgValue::Integer)
            .ok_or_else(|| Some("the number is too large".to_owned()));
    }
    let float = f64::try_from(value.clone()).map_err(|error| engine(&error))?;
    if float.is_finite() {
        return Ok(ArgValue::Float(log.as_written(float)));
    }
    Err(Some("the result is not a finite number".to_owned()))
}

/// A string, number or truth value as text within a string.
pub(super) fn printed(value: &Value) -> String {
    match value.kind() {
        // As TOML and JSON write it, not as Python does.
        ValueKind::Bool => value.is_true().to_string(),
        _ => value.to_string(),
    }
}
