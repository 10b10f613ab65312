//! A value of the pillar as TOML; a string by itself as it is.

use crate::pillar::{Node, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value as Toml};

/// The text of a value; sealed values are `(sealed 9f2c)`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Table(table) => DocumentMut::from(written(table)).to_string(),
        other => inline(other).to_string(),
    }
}

fn written(table: &crate::pillar::Table) -> Table {
    let mut result = Table::new();
    // A table that holds nothing but tables needs no header.
    result.set_implicit(true);
    for (key, node) in table {
        let item = match &node.value {
            Value::Table(inner) => Item::Table(written(inner)),
            other => Item::Value(inline(other)),
        };
        result.insert(key, item);
    }
    if result.is_empty() {
        result.set_implicit(false);
    }
    result
}

fn inline(value: &Value) -> Toml {
    let all = |values: &[Node]| values.iter().map(|node| inline(&node.value)).collect::<Array>();
    match value {
        Value::String(text) => Toml::from(text.as_str()),
        Value::Integer(number) => Toml::from(*number),
        Value::Float(number) => number.written.parse().unwrap_or_else(|_| Toml::from(number.value)),
        Value::Boolean(truth) => Toml::from(*truth),
        Value::Datetime(time) => {
            time.parse::<toml_edit::Datetime>().map_or_else(|_| Toml::from(time.as_str()), Toml::from)
        }
        Value::Array(values) => Toml::Array(all(values)),
        Value::Table(table) => {
            table.iter().map(|(key, node)| (key, inline(&node.value))).collect::<InlineTable>().into()
        }
        Value::Sealed(sealed) => Toml::from(format!("(sealed {})", sealed.id.short())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::document::Document;

    #[test]
    fn a_table_is_printed_as_toml_that_reads_back() {
        let file = "a = \"x\\ny\"\nb = [1, 2.5, { c = true }]\nempty = {}\nd = 1979-05-27\n\
                    [t.u]\nv = { w = 'x' }\n";
        let document = Document::parse("a.toml", file).expect("TOML");
        let text = text(&document.tree().expect("sound").value);
        let again = Document::parse("a.toml", text.as_str()).expect("TOML");
        let keys = |document: &Document| document.keys().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(keys(&again), keys(&document), "{text}");
        assert!(text.contains("[t.u.v]\nw = \"x\"") && text.contains("d = 1979-05-27"), "{text}");
    }
}
