//! A pillar file for display: sealed values short, control characters visible.

use crate::problem::escaped;
use std::ops::Range;
use toml_edit::{Item, TableLike, Value};

/// The text of a file with each sealed value as `(sealed 9f2c)`. Text that is not TOML, such as one with a
/// conflict of git, is read line by line, so that `git diff` can show any revision. Control characters are
/// escaped.
pub fn show(text: &str) -> String {
    let mut found = Vec::new();
    // A box has none, and need not be read as TOML.
    if text.contains("sealed") {
        match toml_edit::Document::parse(text) {
            Ok(parsed) => collect(parsed.as_table(), &mut found),
            Err(_) => by_line(text, &mut found),
        }
    }
    found.sort_by_key(|(span, _)| span.start);
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (span, id) in found {
        shown.push_str(&text[done..span.start]);
        shown.push_str(&format!("(sealed {id})"));
        done = span.end;
    }
    shown.push_str(&text[done..]);
    shown.split_inclusive('\n').map(visible).collect()
}

/// A sealed value stands on one line.
fn by_line(text: &str, found: &mut Vec<(Range<usize>, String)>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.contains("sealed")
            && let Ok(parsed) = toml_edit::Document::parse(line)
        {
            let mut here = Vec::new();
            collect(parsed.as_table(), &mut here);
            found.extend(here.into_iter().map(|(span, id)| (start + span.start..start + span.end, id)));
        }
        start += line.len();
    }
}

fn visible(line: &str) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line.strip_suffix('\r').unwrap_or(line), "\n"),
        None => (line, ""),
    };
    line.split('\t').map(escaped).collect::<Vec<_>>().join("\t") + end
}

fn collect(table: &dyn TableLike, found: &mut Vec<(Range<usize>, String)>) {
    for (_, item) in table.iter() {
        match item {
            Item::Value(value) => of_value(value, found),
            Item::Table(table) => collect(table, found),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| collect(table, found)),
            Item::None => {}
        }
    }
}

fn of_value(value: &Value, found: &mut Vec<(Range<usize>, String)>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| of_value(value, found)),
        Value::InlineTable(table) => {
            let is_sealed = table.get("sealed").is_some_and(Value::is_str);
            match (value.span(), table.get("id").and_then(Value::as_str)) {
                (Some(span), Some(id)) if is_sealed && table.len() == 2 && !table.is_dotted() => {
                    found.push((span, id.chars().take(4).collect()));
                }
                _ => collect(table, found),
            }
        }
        _ => {}
    }
}
