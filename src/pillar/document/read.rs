//! TOML text to a tree with places.

use super::place::Lines;
use crate::name::KeyPath;
use crate::pillar::table::Table;
use crate::pillar::value::{Float, Node, Origin, SealId, Sealed, Value};
use crate::problem::syntax::no_toml;
use crate::problem::{Place, Problem, Problems, Result, conflict, quoted};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// The keys below `registries.*` that hold secrets.
const SECRET_KEYS: [&str; 2] = ["password", "identity_token"];

/// Whether a value at this key must be sealed: `registries.*.password` and `identity_token`.
pub(super) fn must_be_sealed(key: &[String]) -> bool {
    matches!(key, [top, _, last] if top == "registries" && SECRET_KEYS.contains(&last.as_str()))
}

/// Keys, tables and entries of lists that a file may have. While it is read each takes some kilobytes.
const MOST: usize = 250_000;

/// Whether a text of TOML can be read in little memory; to be asked before it is parsed. What can begin a key, a
/// table or an entry is counted, wherever it is.
///
/// # Errors
/// Where there may be too many of them.
fn few_enough(file: &str, text: &str) -> Result<()> {
    let begun = text.bytes().filter(|byte| matches!(byte, b'=' | b'[' | b',' | b'{')).count();
    if begun <= MOST {
        return Ok(());
    }
    Err(Problem::failed(format!("this file has more than {MOST} keys, tables and entries"))
        .at(&Place::new(file, 0))
        .hint("divide it into several files")
        .into())
}

/// What is asked of every text of TOML before it is parsed.
///
/// # Errors
/// Where it has too many keys; where git left a conflict in it.
pub fn parsable(file: &str, text: &str) -> Result<()> {
    few_enough(file, text)?;
    conflict::check(file, text)
}

/// Parses a TOML file that is to be changed: with the layout that people gave it. `file` is relative to the
/// workspace.
pub(super) fn parse_layout<'t>(file: &str, text: &'t str) -> Result<toml_edit::Document<&'t str>> {
    parsable(file, text)?;
    toml_edit::Document::parse(text)
        .map_err(|error| no_toml(file, text, error.span().map(|span| span.start), error.message()).into())
}

/// Reads TOML without sealed values (the inventory, a state) into a tree. `file` is relative to the
/// workspace and part of every place.
///
/// # Errors
/// If the text is not TOML; with the line and the parser's reason.
pub fn plain_tree(file: &str, text: &str) -> Result<Node> {
    TreeReader::new(file.into(), text, None).root().map(|(tree, _)| tree)
}

/// Reads a pillar file; its errors are returned beside the tree.
pub(super) fn pillar_tree(file: &str, text: &str) -> Result<(Node, Vec<Problem>)> {
    let reader = TreeReader::new(format!("pillar/{file}").into(), text, Some(file));
    let (tree, mut problems) = reader.root()?;
    for (host, entry) in tree.at(["registries"]).and_then(Node::as_table).into_iter().flatten() {
        for (name, node) in entry.as_table().into_iter().flatten() {
            let key = ["registries".to_owned(), host.clone(), name.clone()];
            if must_be_sealed(&key) && !matches!(node.value, Value::Sealed(_)) {
                problems.extend(KeyPath::from_parts(key.to_vec()).map(|key| in_clear(&key).at(&node.place)));
            }
        }
    }
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    Ok((tree, problems))
}

/// A secret of a registry that is not sealed.
pub(super) fn in_clear(key: &KeyPath) -> Problem {
    Problem::failed(format!("`{key}` must be sealed")).hint(format!(
        "post it sealed, and change it at the registry if the clear one was ever pushed: pillarbox seal {}",
        quoted(&key.to_string())
    ))
}

struct TreeReader<'a> {
    text: &'a str,
    file: Arc<str>,
    lines: Lines,
    /// The file of sealed values; `None` if there can be none.
    pillar: Option<&'a str>,
    path: Vec<String>,
    in_list: bool,
    /// What is unsound about sealed values.
    problems: Vec<Problem>,
    /// Numbers that are too large, which the parser takes as they are written.
    overflows: Vec<Problem>,
}

impl<'a> TreeReader<'a> {
    fn new(file: Arc<str>, text: &'a str, pillar: Option<&'a str>) -> Self {
        let (problems, overflows) = (Vec::new(), Vec::new());
        let (lines, path) = (Lines::of(text), Vec::new());
        Self { text, file, lines, pillar, path, in_list: false, problems, overflows }
    }

    /// The tree, and what is unsound about it.
    fn root(mut self) -> Result<(Node, Vec<Problem>)> {
        parsable(&self.file, self.text)?;
        let parsed = DeTable::parse(self.text);
        let at = |error: &toml::de::Error| error.span().map(|span| span.start);
        let parsed = parsed.map_err(|error| no_toml(&self.file, self.text, at(&error), error.message()))?;
        let place = Place::new(self.file.clone(), 1);
        let parsed = parsed.into_inner();
        self.reserved(&parsed, &place);
        let tree = Node { value: Value::Table(self.table(parsed)), place };
        self.overflows.sort_by(|a, b| a.place.cmp(&b.place));
        self.overflows.truncate(1);
        Problems::check(self.overflows)?;
        Ok((tree, self.problems))
    }

    fn table(&mut self, table: DeTable<'_>) -> Table {
        let entries = table.into_iter().filter_map(|(key, value)| {
            self.path.push(key.into_inner().into_owned());
            let node = self.value(value);
            Some((self.path.pop()?, node))
        });
        entries.collect()
    }

    fn list(&mut self, values: DeArray<'_>) -> Vec<Node> {
        let outer = std::mem::replace(&mut self.in_list, true);
        let read = values.into_iter().map(|value| self.value(value)).collect();
        self.in_list = outer;
        read
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>) -> Node {
        let span = value.span();
        let place = Place::new(self.file.clone(), self.lines.line(span.start));
        let read = match value.into_inner() {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => self.overflow(span, "integer number overflowed", Value::Integer(0)),
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(float) if float.is_finite() || !number.as_str().contains(|c: char| c.is_ascii_digit()) => {
                    Value::Float(Float::written(float, number.as_str()))
                }
                _ => self.overflow(span, "floating-point number overflowed", Value::Float(0.0.into())),
            },
            DeValue::Boolean(truth) => Value::Boolean(truth),
            DeValue::Datetime(time) => Value::Datetime(time.to_string()),
            DeValue::Array(values) => Value::Array(self.list(values)),
            DeValue::Table(table) => match self.pillar.filter(|_| self.is_sealed(&span, &table)) {
                Some(file) => match self.sealed(file, &table) {
                    Ok(sealed) => Value::Sealed(Box::new(sealed)),
                    Err(problem) => {
                        self.problems.push(problem.at(&place));
                        Value::Table(self.table(table))
                    }
                },
                None => {
                    self.reserved(&table, &place);
                    Value::Table(self.table(table))
                }
            },
        };
        Node { value: read, place }
    }

    fn overflow(&mut self, span: Range<usize>, reason: &str, instead: Value) -> Value {
        self.overflows.push(no_toml(&self.file, self.text, Some(span.start), reason));
        instead
    }

    /// Whether a table is `{ sealed = … }` on one line: a table that was begun otherwise stands where its
    /// header or its key does.
    fn is_sealed(&self, span: &Range<usize>, table: &DeTable<'_>) -> bool {
        table.contains_key("sealed") && self.text[span.start..].starts_with('{')
    }

    fn sealed(&self, file: &str, table: &DeTable<'_>) -> std::result::Result<Sealed, Problem> {
        let key = KeyPath::from_parts(self.path.clone())
            .ok_or_else(|| Problem::failed("a sealed value has no key"))?;
        if self.in_list {
            return Err(Problem::failed(format!("a sealed value is in the list `{key}`"))
                .hint("the place of a list entry moves with its neighbours: give each secret a key of its own in a table"));
        }
        let text = |name: &str| table.get(name).and_then(|value| value.get_ref().as_str());
        let (Some(sealed), Some(id), 2) = (text("sealed"), text("id"), table.len()) else {
            return Err(malformed(&key));
        };
        let id = SealId::parse(id).map_err(|_| {
            Problem::failed(format!("the `id` of the sealed value `{key}` is not 16 hexadecimal digits"))
        })?;
        Ok(Sealed { sealed: sealed.to_owned(), id, origin: Origin { file: file.to_owned(), key } })
    }

    /// A key `sealed` anywhere but in a sealed value on one line.
    fn reserved(&mut self, table: &DeTable<'_>, place: &Place) {
        if self.pillar.is_some() && table.contains_key("sealed") {
            let problem = match KeyPath::from_parts(self.path.clone()) {
                Some(key) => malformed(&key),
                None => Problem::failed("`sealed` is the key of sealed values and cannot be used for others"),
            };
            self.problems.push(problem.at(place));
        }
    }
}

fn malformed(key: &KeyPath) -> Problem {
    Problem::failed(format!("`{key}` has a key `sealed` but is not a sealed value"))
        .hint(r#"a sealed value is `{ sealed = "…", id = "…" }` with exactly these two keys; `sealed` cannot be used for anything else"#)
}
