//! Keys within a table on one line, `{ a = 1, b.c = 2 }`: only that value is printed again.

use super::edit::Splice;
use crate::name::KeyPath;
use crate::problem::{Problem, Result};
use toml_edit::{InlineTable, Item, TableLike, Value};

/// Adds the key `path`, whose first `depth` parts lead to `outer`.
pub(super) fn add(text: &str, outer: &Value, path: &[String], depth: usize, value: &str) -> Result<Splice> {
    let is_sealed = |value: &Value| value.as_inline_table().is_some_and(|table| table.contains_key("sealed"));
    let Some((leaf, tables)) = path[depth..].split_last() else {
        return Err(lost(path).into());
    };
    let mut new = value.parse::<Value>().map_err(|_| lost(path))?;
    new.decor_mut().clear();
    if is_sealed(outer) {
        return Err(no_table(path, depth, "sealed").into());
    }
    change(text, outer, path, depth, |table| {
        let mut table = table;
        for (index, part) in tables.iter().enumerate() {
            let inner = table.entry(part).or_insert_with(|| Item::Value(InlineTable::new().into()));
            let sealed = inner.as_value().is_some_and(is_sealed);
            table = match inner.as_table_like_mut() {
                Some(inner) if !sealed => inner,
                _ => {
                    return Err(no_table(path, depth + index + 1, if sealed { "sealed" } else { "a value" }));
                }
            };
        }
        keeping_end(table, |table| {
            table.insert(leaf, Item::Value(new));
            Ok(())
        })
    })
}

/// Removes the key `path`, whose first `depth` parts lead to `outer`.
pub(super) fn remove(text: &str, outer: &Value, path: &[String], depth: usize) -> Result<Splice> {
    let Some((leaf, tables)) = path[depth..].split_last() else {
        return Err(lost(path).into());
    };
    change(text, outer, path, depth, |table| {
        let mut table = table;
        for part in tables {
            table = table.get_mut(part).and_then(Item::as_table_like_mut).ok_or_else(|| lost(path))?;
        }
        keeping_end(table, |table| {
            table.remove(leaf);
            Ok(())
        })
    })
}

fn change(
    text: &str,
    outer: &Value,
    path: &[String],
    depth: usize,
    edit: impl FnOnce(&mut dyn TableLike) -> std::result::Result<(), Problem>,
) -> Result<Splice> {
    let range = outer.span().ok_or_else(|| lost(path))?;
    let mut copy = text[range.clone()].parse::<Value>().map_err(|_| lost(path))?;
    let Some(table) = copy.as_inline_table_mut() else {
        return Err(no_table(path, depth, "a value").into());
    };
    keeping_end(table, edit)?;
    Ok(Splice { range, text: copy.to_string() })
}

/// Keeps the blank before the closing brace where it is: the parser counts it to the last value.
fn keeping_end(
    table: &mut dyn TableLike,
    edit: impl FnOnce(&mut dyn TableLike) -> std::result::Result<(), Problem>,
) -> std::result::Result<(), Problem> {
    let blank = last_value(table).and_then(|last| {
        let blank = last.decor().suffix()?.as_str()?.to_owned();
        last.decor_mut().set_suffix("");
        Some(blank)
    });
    edit(table)?;
    if let (Some(blank), Some(last)) = (blank, last_value(table)) {
        last.decor_mut().set_suffix(blank);
    }
    Ok(())
}

fn last_value(table: &mut dyn TableLike) -> Option<&mut Value> {
    let last = table.iter_mut().last()?.1.as_value_mut()?;
    if last.as_inline_table().is_some_and(InlineTable::is_dotted) {
        return last_value(last.as_inline_table_mut()?);
    }
    Some(last)
}

/// Whether a value holds the key of sealed values anywhere.
pub(super) fn names_sealed(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(names_sealed),
        Value::InlineTable(table) => table.iter().any(|(key, value)| key == "sealed" || names_sealed(value)),
        _ => false,
    }
}

fn no_table(path: &[String], depth: usize, what: &str) -> Problem {
    let key = KeyPath::from_parts(path[..depth].to_vec());
    Problem::usage(format!("`{}` is {what}, not a table", key.map(|key| key.to_string()).unwrap_or_default()))
}

fn lost(path: &[String]) -> Problem {
    let key = KeyPath::from_parts(path.to_vec());
    Problem::failed(format!("cannot change `{}`", key.map(|key| key.to_string()).unwrap_or_default()))
        .hint("edit the file by hand")
}
