//! What expressions may do: minijinja's own filters and tests that only compute, and ours, which know
//! secrets.

use super::branch::Branch;
use super::convert;
use super::log::Log;
use super::opaque::Opaque;
use crate::secret::Secret;
use crate::state::{Encoder, Text};
use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

/// Steps an expression may take; also pays for what it allocates, 64 bytes a step.
const FUEL: u64 = 100_000;

/// Built-in filters that are taken away: they are about HTML, or print values of any kind.
const NO_FILTERS: [&str; 7] = ["safe", "escape", "e", "pprint", "format", "indent", "attr"];

/// Built-in tests that are taken away.
const NO_TESTS: [&str; 5] = ["safe", "escaped", "sameas", "filter", "test"];

/// Built-in functions that are taken away; `debug` would print everything.
const NO_FUNCTIONS: [&str; 4] = ["range", "dict", "debug", "namespace"];

/// The environment that expressions are evaluated in.
pub(super) fn environment(log: &Log) -> Environment<'static> {
    let mut env = Environment::new();
    NO_FILTERS.iter().for_each(|name| env.remove_filter(name));
    NO_TESTS.iter().for_each(|name| env.remove_test(name));
    NO_FUNCTIONS.iter().for_each(|name| env.remove_global(name));
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    for name in ["default", "d"] {
        env.add_filter(name, default);
    }
    env.add_filter("urlencode", |value: &Value| encode(value, Encoder::UrlEncode));
    env.add_filter("b64encode", |value: &Value| encode(value, Encoder::B64Encode));
    let log = log.clone();
    env.add_filter("tojson", move |value: &Value| to_json(value, &log));
    env.add_test("defined", |value: &Value| asked(value, !value.is_undefined()));
    env.add_test("undefined", |value: &Value| asked(value, value.is_undefined()));
    env.add_test("none", |value: &Value| asked(value, value.is_none()));
    env
}

/// The value, or another where it is missing; with a second argument that is true, also where it is
/// empty. The one not taken was not looked into.
fn default(value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let Rest(args) = args;
    let (other, lax) = match args.as_slice() {
        [] => (Value::from(""), false),
        [other] => (other.clone(), false),
        [other, lax] => (other.clone(), lax.is_true()),
        _ => return Err(Error::from(ErrorKind::TooManyArguments)),
    };
    if value.is_undefined() || (lax && !value.is_true()) {
        return Ok(other);
    }
    if let Some(unused) = Opaque::of(&other) {
        unused.excuse();
    }
    Ok(value.clone())
}

/// A question that says nothing about a secret but that it is one.
fn asked(value: &Value, answer: bool) -> bool {
    if let Some(opaque) = Opaque::of(value) {
        opaque.excuse();
    }
    answer
}

fn encode(value: &Value, encoder: Encoder) -> Result<Value, Error> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    if let Some(opaque) = Opaque::of(value) {
        return opaque
            .encoded(encoder)
            .ok_or_else(|| wrong(format!("{} cannot follow a joined secret", encoder.word())));
    }
    let text = match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => convert::printed(value),
        kind => return Err(wrong(format!("{} wants text, not a {kind}", encoder.word()))),
    };
    let encoded = encoder.apply(&Secret::from(text));
    let text = encoded.as_ref().and_then(Secret::reveal_text).unwrap_or_default();
    Ok(Value::from(text))
}

fn to_json(value: &Value, log: &Log) -> Result<Value, Error> {
    if let Some(opaque) = Opaque::of(value)
        && let Some(encoded) = opaque.encoded(Encoder::ToJson)
    {
        return Ok(encoded);
    }
    let mut whole = Vec::new();
    let json = convert::Converter::new(log, &mut whole).json(value).map_err(|why| match why {
        Some(why) => Error::new(ErrorKind::InvalidOperation, why),
        None => Error::from(ErrorKind::UndefinedError),
    })?;
    match json.as_clear() {
        Some(clear) => Ok(Value::from(clear)),
        None => {
            let name = Branch::of(value).map_or_else(|| "a table of secrets".to_owned(), Branch::name);
            Ok(Opaque::text(Text::clone(&json), name, whole, log))
        }
    }
}
