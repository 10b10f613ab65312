//! What expressions may do: minijinja's own filters and tests that only compute, and ours, which know
//! secrets.

use super::branch::Branch;
use super::convert;
use super::log::Log;
use super::opaque::Opaque;
use crate::secret::Secret;
use crate::state::{Encoder, Text};
use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, filters, tests};

/// Steps an expression may take; also pays for what it allocates, 64 bytes a step.
pub(super) const FUEL: u64 = 100_000;

/// The name of the filter that counts the steps until then and changes nothing.
pub(super) const COUNT: &str = "pillarbox_steps";

/// Built-in filters that are taken away: they are about HTML, print values of any kind, or sort by
/// parts of values.
const NO_FILTERS: [&str; 9] =
    ["safe", "escape", "e", "pprint", "format", "indent", "attr", "dictsort", "groupby"];

/// Values that may lie within one that is compared.
const MOST_COMPARED: usize = 100_000;

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
    let counts = log.clone();
    env.add_filter(COUNT, move |state: &State, value: &Value| {
        counts.count(state.fuel_levels().map_or(0, |(spent, _)| spent));
        value.clone()
    });
    env.add_filter("b64encode", |value: &Value| encode(value, Encoder::B64Encode));
    let log = log.clone();
    env.add_filter("tojson", move |value: &Value| to_json(value, &log));
    env.add_filter("sort", |state: &State, value: Value, kwargs: Kwargs| {
        compared(&value)?;
        filters::sort(state, value, kwargs)
    });
    env.add_filter("unique", |state: &State, value: Value, kwargs: Kwargs| {
        compared(&value)?;
        filters::unique(state, value, kwargs)
    });
    env.add_filter("min", |state: &State, value: Value, kwargs: Kwargs| {
        compared(&value)?;
        filters::min(state, value, kwargs)
    });
    env.add_filter("max", |state: &State, value: Value, kwargs: Kwargs| {
        compared(&value)?;
        filters::max(state, value, kwargs)
    });
    for (names, holds) in COMPARISONS {
        for name in *names {
            env.add_test(*name, |value: &Value, other: &Value| -> Result<bool, Error> {
                compared(value)?;
                compared(other)?;
                Ok(holds(value, other))
            });
        }
    }
    env.add_test("in", |state: &State, value: &Value, other: &Value| {
        compared(value)?;
        compared(other)?;
        tests::is_in(state, value, other)
    });
    env.add_test("defined", |value: &Value| asked(value, !value.is_undefined()));
    env.add_test("undefined", |value: &Value| asked(value, value.is_undefined()));
    env.add_test("none", |value: &Value| asked(value, value.is_none()));
    env
}

/// Tests that compare, by their names.
type Comparison = (&'static [&'static str], fn(&Value, &Value) -> bool);

const COMPARISONS: &[Comparison] = &[
    (&["eq", "equalto", "=="], tests::is_eq),
    (&["ne", "!="], tests::is_ne),
    (&["lt", "lessthan", "<"], tests::is_lt),
    (&["le", "<="], tests::is_le),
    (&["gt", "greaterthan", ">"], tests::is_gt),
    (&["ge", ">="], tests::is_ge),
];

/// Marks every secret in a value that is about to be compared: a secret and a text differ only in
/// their kind, which would give a meaningless answer.
fn compared(value: &Value) -> Result<(), Error> {
    fn mark(value: &Value, left: &mut usize, depth: usize) -> Option<()> {
        *left = left.checked_sub(1)?;
        if let Some(opaque) = Opaque::of(value) {
            opaque.peek();
            return Some(());
        }
        let kind = value.kind();
        // A part of the pillar logs by itself what of it is compared.
        if Branch::of(value).is_some()
            || !matches!(kind, ValueKind::Seq | ValueKind::Iterable | ValueKind::Map)
        {
            return Some(());
        }
        let depth = depth.checked_sub(1)?;
        for item in value.try_iter().ok()? {
            mark(&item, left, depth)?;
            if kind == ValueKind::Map {
                mark(&value.get_item(&item).ok()?, left, depth)?;
            }
        }
        Some(())
    }
    let mut left = MOST_COMPARED;
    mark(value, &mut left, 64).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "too much to compare"))
}

/// The value, or another if it is missing; with a second argument that is true, also if it is
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
        kind => return Err(wrong(format!("{} must be a string, not a {kind}", encoder.word()))),
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
