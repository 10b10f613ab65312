//! Comparing canonical values with what an Engine reports: absent, null, empty, 0 and false are the
//! same there.

use serde_json::Value;

/// Whether a value is empty.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Whether an Engine's value is the desired one.
pub(crate) fn same(wanted: &Value, found: Option<&Value>) -> bool {
    match found {
        Some(found) => wanted == found || (is_empty(wanted) && is_empty(found)),
        None => is_empty(wanted),
    }
}

/// Whether all desired values are found; more may be found.
pub(crate) fn within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(key, value)| match found.get(key) {
                Some(found) => within(value, found),
                None => is_empty(value),
            })
        }
        _ => same(wanted, Some(found)),
    }
}

/// The strings of a list; nothing if it is absent or null.
pub(crate) fn texts(value: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned))
}
