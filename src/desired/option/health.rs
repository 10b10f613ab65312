//! Health check; what is not declared of it is the image's (the Engine merges field by field).

use super::Body;
use crate::desired::{compare, read};
use crate::inspect::Inspect;
use crate::problem::Result;
use crate::state::{Arg, ArgValue};
use serde_json::{Map, Value, json};

const FIELD: &str = "/Config/Healthcheck";

/// Canonical field, field of the Engine.
const FIELDS: [(&str, &str); 6] = [
    ("test", "Test"),
    ("interval", "Interval"),
    ("timeout", "Timeout"),
    ("retries", "Retries"),
    ("start_period", "StartPeriod"),
    ("start_interval", "StartInterval"),
];

pub(super) fn read(option: &str, arg: &Arg) -> Result<Value> {
    if arg.value == ArgValue::Boolean(false) {
        return Ok(json!({ "test": ["NONE"] }));
    }
    let known = ["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"];
    let fields = read::fields(option, arg, &known)?;
    let mut problems = Vec::new();
    let mut canonical = Map::new();
    for (name, arg) in &fields {
        let full = format!("{option}.{name}");
        let value = match *name {
            "test" => test(&full, arg),
            "retries" => read::integer(&full, arg, 1, 1_000_000).map(Value::from),
            "disable" => {
                read::boolean(&full, arg).map(|disable| if disable { json!(["NONE"]) } else { Value::Null })
            }
            _ => time(&full, arg),
        };
        match value {
            Ok(Value::Null) => {}
            Ok(value) if *name == "disable" => drop(canonical.insert("test".to_owned(), value)),
            Ok(value) => drop(canonical.entry(*name).or_insert(value)),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    let disabled = canonical.get("test") == Some(&json!(["NONE"]));
    if disabled && canonical.len() > 1 {
        problems.push(read::wrong(option, arg, "is disabled and has other fields too"));
    }
    crate::problem::Problems::check(problems)?;
    Ok(if canonical.is_empty() { Value::Null } else { Value::Object(canonical) })
}

fn test(option: &str, arg: &Arg) -> Result<Value> {
    let words = match &arg.value {
        ArgValue::Array(_) => read::list(option, arg)?,
        _ => vec!["CMD-SHELL".to_owned(), read::word(option, arg)?],
    };
    match words.first().map(String::as_str) {
        Some("NONE") if words.len() == 1 => Ok(json!(words)),
        Some("CMD") if words.len() > 1 => Ok(json!(words)),
        Some("CMD-SHELL") if words.len() == 2 => Ok(json!(words)),
        _ => Err(read::wrong(option, arg, "begins with \"CMD\", \"CMD-SHELL\" or \"NONE\"")
            .hint("write [\"CMD\", \"wget\", \"-qO-\", \"http://127.0.0.1/\"], or one text for a shell")
            .into()),
    }
}

/// The Engine refuses less than a millisecond; 0 inherits.
fn time(option: &str, arg: &Arg) -> Result<Value> {
    match read::nanoseconds(option, arg)? {
        0 => Ok(Value::Null),
        short if short < 1_000_000 => {
            Err(read::wrong(option, arg, "is less than a millisecond, which the Engine refuses").into())
        }
        time => Ok(Value::from(time)),
    }
}

pub(super) fn write(canonical: &Value, body: &mut Body) {
    let declared =
        FIELDS.iter().filter_map(|(name, field)| Some(((*field).to_owned(), canonical.get(name)?.clone())));
    body.set(FIELD, Value::Object(declared.collect()));
}

pub(super) fn differs(canonical: &Value, inspect: &Inspect) -> bool {
    let found = inspect.compare(FIELD);
    FIELDS.iter().any(|(name, field)| {
        let wanted = canonical.get(name);
        wanted.is_some_and(|wanted| !compare::same(wanted, found.and_then(|found| found.get(field))))
    })
}
