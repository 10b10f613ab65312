//! JSON as YAML.

use serde_json::Value;
use std::fmt::Write as _;

/// A value as YAML that reads back as the same value.
pub(in crate::cli) fn yaml(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let margin = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let _ = write!(out, "{margin}{}:", scalar(key));
                below(value, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                write(item, depth + 1, &mut inner);
                // The first line stands behind the dash.
                let _ = write!(out, "{margin}- {}", inner.trim_start());
            }
        }
        other => {
            let _ = writeln!(out, "{margin}{}", leaf(other));
        }
    }
}

fn below(value: &Value, depth: usize, out: &mut String) {
    let is_short = |items: &Vec<Value>| items.iter().all(|item| !item.is_object() && !item.is_array());
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            write(value, depth + 1, out);
        }
        Value::Array(items) if is_short(items) => {
            let items: Vec<String> = items.iter().map(leaf).collect();
            let _ = writeln!(out, " [{}]", items.join(", "));
        }
        Value::Array(_) => {
            out.push('\n');
            write(value, depth + 1, out);
        }
        other => {
            let _ = writeln!(out, " {}", leaf(other));
        }
    }
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// A text without quotes where it can only be read as that text.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-@".contains(c);
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let lower = text.to_ascii_lowercase();
    let word = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&lower.as_str());
    let inner_colon =
        text.split(':').count() > 1 && text.chars().all(|c| plain(c) || c == ':') && !text.ends_with(':');
    if first && !word && (text.chars().all(plain) || inner_colon) {
        return text.to_owned();
    }
    crate::problem::escaped_json(&Value::from(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_that_would_read_as_something_else_are_quoted() {
        let value = json!({
            "a": "no", "b": "1.10", "c": "registry.example.com/api:1.0", "d": ["x", 80, "80"], "e": [],
            "f": [{"g": {"h": null}, "i": ["CMD", "a b"]}], "j": "(sealed 9f2c)", "k": "a: b", "l": "", "m": {},
        });
        assert_eq!(
            yaml(&value),
            "a: \"no\"\nb: \"1.10\"\nc: registry.example.com/api:1.0\nd: [x, 80, \"80\"]\ne: []\nf:\n  - g:\n      h: null\n    i: [CMD, \"a b\"]\nj: \"(sealed 9f2c)\"\nk: \"a: b\"\nl: \"\"\nm: {}\n"
        );
    }
}
