//! The states of minions from `state.show_highstate` and `state.show_sls`.

use super::answers;
use crate::pillar::Float;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Text};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Requisites, whose lists grow where an `extend` has them too.
const REQUISITES: [&str; 10] = [
    "require",
    "watch",
    "onchanges",
    "require_in",
    "watch_in",
    "onchanges_in",
    "onfail",
    "prereq",
    "listen",
    "names",
];

/// A minion with its states.
#[derive(Debug)]
pub struct Minion {
    /// Its id, if Salt says it.
    pub name: Option<String>,
    /// In the order of the answer.
    pub states: Vec<RenderedState>,
}

/// A state after Jinja, `include` and `extend`.
#[derive(Clone, Debug)]
pub struct RenderedState {
    /// Its id.
    pub id: String,
    /// The file it stands in, `web.haproxy`.
    pub sls: String,
    /// `docker_container`.
    pub module: String,
    /// `running`.
    pub function: String,
    /// Its arguments.
    pub args: BTreeMap<String, Arg>,
    /// Where it was read.
    pub place: Place,
}

/// Reads the states of every minion of an answer.
///
/// # Errors
/// If it is no such answer, or Salt could not render them.
pub fn rendered(file: &str, text: &str) -> Result<Vec<Minion>> {
    let mut lines = Lines::of(file, text);
    let mut minions: Vec<Minion> = Vec::new();
    let mut bare = Map::new();
    for (name, answer) in answers(file, text)? {
        match (name, answer) {
            (name, Value::Object(states)) if is_answer(&states) && !is_applied(&states) => {
                minions.push(Minion { name, states: states_of(&states, &mut lines)? });
            }
            // The states themselves, taken out of their answer.
            (Some(id), state @ Value::Object(_)) if is_state(&state) => drop(bare.insert(id, state)),
            (Some(id), extended @ Value::Array(_)) if id == EXTEND => drop(bare.insert(id, extended)),
            (name, answer) => return Err(no_states(name.as_deref(), &answer, file).into()),
        }
    }
    if !bare.is_empty() {
        minions.push(Minion { name: None, states: states_of(&bare, &mut lines)? });
    }
    if minions.is_empty() {
        return Err(no_states(None, &Value::Null, file).into());
    }
    Ok(minions)
}

const EXTEND: &str = "__extend__";
const EXCLUDE: &str = "__exclude__";

fn is_answer(states: &Map<String, Value>) -> bool {
    states.iter().all(|(id, state)| id.starts_with("__") || is_state(state))
}

/// A table of modules, whose arguments hold the name of a function.
fn is_state(state: &Value) -> bool {
    let Value::Object(state) = state else { return false };
    state.contains_key("__sls__")
        || state.values().any(|module| {
            module.as_array().is_some_and(|args| args.iter().filter(|arg| arg.is_string()).count() == 1)
        })
}

/// The keys of results: `docker_container_|-web_|-web_|-running`.
fn is_applied(object: &Map<String, Value>) -> bool {
    object.keys().any(|key| key.contains("_|-"))
}

fn no_states(name: Option<&str>, answer: &Value, file: &str) -> Problem {
    let problem = Problem::failed("these are no states that Salt has rendered").at(&Place::new(file, 0));
    let problem = match answer {
        Value::Object(object) if is_applied(object) => problem.cause("they are the results of state.apply"),
        Value::Array(_) => problem.cause("they are the low states, without their ids and requisites"),
        Value::Object(_) if name.is_some_and(|name| name.contains("_|-")) => {
            problem.cause("they are the results of state.apply")
        }
        Value::Object(_) => {
            problem.cause("a state has a list of arguments with the name of its function in it")
        }
        _ => problem,
    };
    problem.hint("salt-call --local --out json state.show_highstate > highstate.json")
}

fn states_of(states: &Map<String, Value>, lines: &mut Lines<'_>) -> Result<Vec<RenderedState>> {
    let mut found: Vec<RenderedState> = Vec::new();
    for (id, body) in states.iter().filter(|(id, _)| !id.starts_with("__")) {
        found.extend(modules(id, body, lines)?);
    }
    for extended in states.get(EXTEND).and_then(Value::as_array).into_iter().flatten() {
        for (id, body) in extended.as_object().into_iter().flatten() {
            for more in modules(id, body, lines)? {
                extend(&mut found, more);
            }
        }
    }
    exclude(&mut found, states.get(EXCLUDE).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default());
    found.sort_by_key(order);
    Ok(found)
}

/// Salt numbers the states from here on in the order in which it runs them.
const NUMBERED: i64 = 10_000;

/// Where Salt would run it.
fn order(state: &RenderedState) -> i64 {
    match state.args.get("order").map(|order| &order.value) {
        Some(ArgValue::Integer(order)) if *order >= 0 => *order,
        _ => i64::MAX,
    }
}

/// Whether Salt gave the state its number, and not the file.
pub(super) fn is_numbered(order: &Arg) -> bool {
    matches!(&order.value, ArgValue::Integer(order) if *order >= NUMBERED)
}

/// The states of an id, one for each module.
fn modules(id: &str, body: &Value, lines: &mut Lines<'_>) -> Result<Vec<RenderedState>> {
    let place = lines.place_of(id);
    let Value::Object(body) = body else {
        let what = format!("the state `{}` is no table of modules", escaped(id));
        return Err(Problem::failed(what).at(&place).into());
    };
    let sls = body.get("__sls__").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for (module, written) in body.iter().filter(|(module, _)| !module.starts_with("__")) {
        let (module, dotted) = match module.split_once('.') {
            Some((module, function)) => (module, Some(function.to_owned())),
            None => (module.as_str(), None),
        };
        let mut state = RenderedState {
            id: id.to_owned(),
            sls: sls.clone(),
            module: module.to_owned(),
            function: dotted.unwrap_or_default(),
            args: BTreeMap::new(),
            place: place.clone(),
        };
        for written in written.as_array().into_iter().flatten() {
            match written {
                Value::String(function) => state.function.clone_from(function),
                Value::Object(pairs) => {
                    state.args.extend(pairs.iter().map(|(key, value)| (key.clone(), arg(value, &place))));
                }
                _ => {}
            }
        }
        found.push(state);
    }
    Ok(found)
}

/// As Salt reconciles an `extend`: requisites are added, everything else is replaced.
pub(super) fn extend(states: &mut Vec<RenderedState>, more: RenderedState) {
    let Some(state) = states.iter_mut().find(|state| state.id == more.id && state.module == more.module)
    else {
        if !more.function.is_empty() {
            states.push(more);
        }
        return;
    };
    if !more.function.is_empty() {
        state.function = more.function;
    }
    for (key, arg) in more.args {
        match (state.args.get_mut(&key).map(|before| &mut before.value), &arg.value) {
            (Some(ArgValue::Array(before)), ArgValue::Array(items)) if REQUISITES.contains(&key.as_str()) => {
                before.extend(items.iter().cloned());
            }
            _ => drop(state.args.insert(key, arg)),
        }
    }
}

/// `exclude`: ids, and `{"sls": …}`.
fn exclude(states: &mut Vec<RenderedState>, excluded: &[Value]) {
    for one in excluded {
        match one {
            Value::String(id) => states.retain(|state| state.id != *id),
            Value::Object(object) => {
                for (kind, name) in object {
                    let Some(name) = name.as_str() else { continue };
                    states.retain(|state| match kind.as_str() {
                        "sls" => state.sls != name,
                        _ => state.id != name,
                    });
                }
            }
            _ => {}
        }
    }
}

/// A value of JSON as an argument. A number with a fraction is the text that Python made of it.
pub(super) fn arg(value: &Value, place: &Place) -> Arg {
    let value = match value {
        Value::Null => ArgValue::Unset,
        Value::Bool(truth) => ArgValue::Boolean(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(number) => ArgValue::Integer(number),
            None => ArgValue::Text(Text::clear(number.to_string())),
        },
        Value::String(text) => ArgValue::Text(Text::clear(text.as_str())),
        Value::Array(items) => ArgValue::Array(items.iter().map(|item| arg(item, place)).collect()),
        Value::Object(pairs) => {
            ArgValue::Table(pairs.iter().map(|(key, value)| (key.clone(), arg(value, place))).collect())
        }
    };
    Arg { value, place: place.clone(), read: Vec::new() }
}

/// A number with a fraction as it is written.
pub(super) fn float(written: &str) -> Option<ArgValue> {
    let value: f64 = written.parse().ok()?;
    Some(ArgValue::Float(Float::written(value, written)))
}

/// The lines in which ids stand, found one after the other.
struct Lines<'t> {
    file: std::sync::Arc<str>,
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    fn of(file: &str, text: &'t str) -> Self {
        Self { file: file.into(), text, at: 0, line: 1 }
    }

    /// The line of a key: the next one from where the last was found.
    fn place_of(&mut self, id: &str) -> Place {
        let key = serde_json::to_string(id).unwrap_or_default();
        if let Some(ahead) = self.text[self.at..].find(&format!("{key}:")) {
            let newlines = self.text[self.at..self.at + ahead].bytes().filter(|byte| *byte == b'\n').count();
            self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
            self.at += ahead;
            return Place { file: self.file.clone(), line: self.line };
        }
        Place { file: self.file.clone(), line: 0 }
    }
}
