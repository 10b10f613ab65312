//! TOML text to a tree with places.

use super::place::Lines;
use crate::name::KeyPath;
use crate::pillar::table::Table;
use crate::pillar::value::{Node, Origin, SealId, Sealed, Value};
use crate::problem::{Place, Problem, Result, quoted};
use std::ops::Range;
use std::sync::Arc;
use toml_edit::{Item, TableLike};

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
pub fn few_enough(file: &str, text: &str) -> Result<()> {
    let begun = text.bytes().filter(|byte| matches!(byte, b'=' | b'[' | b',' | b'{')).count();
    if begun <= MOST {
        return Ok(());
    }
    Err(Problem::failed(format!("this file has more than {MOST} keys, tables and entries"))
        .at(&Place::new(file, 0))
        .hint("divide it into several files")
        .into())
}

/// Parses a TOML file of the workspace. `file` is relative to the workspace.
pub(super) fn parse_toml<'t>(file: &str, text: &'t str) -> Result<toml_edit::Document<&'t str>> {
    few_enough(file, text)?;
    toml_edit::Document::parse(text).map_err(|error| {
        let line = error.span().map_or(0, |span| Lines::of(text).line(span.start));
        let reason = error.message().lines().collect::<Vec<_>>().join(", ");
        Problem::failed("this is not valid TOML").at(&Place::new(file, line)).cause(reason).into()
    })
}

/// Reads TOML without sealed values (the inventory, a state) into a tree. `file` is relative to the
/// workspace and part of every place.
///
/// # Errors
/// If the text is not TOML; with the line and the parser's reason.
pub fn plain_tree(file: &str, text: &str) -> Result<Node> {
    let parsed = parse_toml(file, text)?;
    let mut reader = TreeReader::new(file.into(), text, None);
    Ok(reader.root(parsed.as_table()))
}

/// Reads a pillar file; its errors are returned beside the tree.
pub(super) fn pillar_tree(file: &str, text: &str) -> Result<(Node, Vec<Problem>)> {
    let path = format!("pillar/{file}");
    let parsed = parse_toml(&path, text)?;
    let mut reader = TreeReader::new(path.into(), text, Some(file));
    let tree = reader.root(parsed.as_table());
    let mut problems = reader.problems;
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
    file: Arc<str>,
    lines: Lines,
    /// The file of sealed values; `None` if there can be none.
    pillar: Option<&'a str>,
    path: Vec<String>,
    in_list: bool,
    problems: Vec<Problem>,
}

impl<'a> TreeReader<'a> {
    fn new(file: Arc<str>, text: &str, pillar: Option<&'a str>) -> Self {
        Self { file, lines: Lines::of(text), pillar, path: Vec::new(), in_list: false, problems: Vec::new() }
    }

    fn root(&mut self, table: &toml_edit::Table) -> Node {
        let place = Place::new(self.file.clone(), 1);
        self.reserved(table, &place);
        Node { value: Value::Table(self.table(table, &place)), place }
    }

    fn place(&self, span: Option<Range<usize>>, near: &Place) -> Place {
        span.map_or_else(|| near.clone(), |span| Place::new(self.file.clone(), self.lines.line(span.start)))
    }

    fn table(&mut self, table: &dyn TableLike, place: &Place) -> Table {
        let entries = table.iter().filter_map(|(key, item)| {
            self.path.push(key.to_owned());
            let near = self.place(table.key(key).and_then(toml_edit::Key::span), place);
            let node = self.item(item, &near);
            self.path.pop();
            Some((key.to_owned(), node?))
        });
        entries.collect()
    }

    fn item(&mut self, item: &Item, near: &Place) -> Option<Node> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(self.value(value, near)),
            Item::Table(table) => {
                let place = self.place(table.span(), near);
                self.reserved(table, &place);
                Some(Node { value: Value::Table(self.table(table, &place)), place })
            }
            Item::ArrayOfTables(tables) => {
                let outer = std::mem::replace(&mut self.in_list, true);
                let read = tables
                    .iter()
                    .map(|table| {
                        let place = self.place(table.span(), near);
                        self.reserved(table, &place);
                        Node { value: Value::Table(self.table(table, &place)), place }
                    })
                    .collect();
                self.in_list = outer;
                Some(Node { value: Value::Array(read), place: self.place(item.span(), near) })
            }
        }
    }

    fn value(&mut self, value: &toml_edit::Value, near: &Place) -> Node {
        use toml_edit::Value as Toml;
        let place = self.place(value.span(), near);
        let read = match value {
            Toml::String(text) => Value::String(text.value().clone()),
            Toml::Integer(number) => Value::Integer(*number.value()),
            Toml::Float(number) => Value::Float(*number.value()),
            Toml::Boolean(truth) => Value::Boolean(*truth.value()),
            Toml::Datetime(time) => Value::Datetime(time.value().to_string()),
            Toml::Array(values) => {
                let outer = std::mem::replace(&mut self.in_list, true);
                let read = values.iter().map(|value| self.value(value, &place)).collect();
                self.in_list = outer;
                Value::Array(read)
            }
            Toml::InlineTable(table) => {
                match self.pillar.filter(|_| table.contains_key("sealed") && !table.is_dotted()) {
                    Some(file) => match self.sealed(file, table) {
                        Ok(sealed) => Value::Sealed(Box::new(sealed)),
                        Err(problem) => {
                            self.problems.push(problem.at(&place));
                            Value::Table(self.table(table, &place))
                        }
                    },
                    None => {
                        self.reserved(table, &place);
                        Value::Table(self.table(table, &place))
                    }
                }
            }
        };
        Node { value: read, place }
    }

    fn sealed(&self, file: &str, table: &toml_edit::InlineTable) -> std::result::Result<Sealed, Problem> {
        let key = KeyPath::from_parts(self.path.clone())
            .ok_or_else(|| Problem::failed("a sealed value has no key"))?;
        if self.in_list {
            return Err(Problem::failed(format!("a sealed value is in the list `{key}`"))
                .hint("the place of a list entry moves with its neighbours: give each secret a key of its own in a table"));
        }
        let text = |name: &str| table.get(name).and_then(toml_edit::Value::as_str);
        let (Some(sealed), Some(id), 2) = (text("sealed"), text("id"), table.len()) else {
            return Err(malformed(&key));
        };
        let id = SealId::parse(id).map_err(|_| {
            Problem::failed(format!("the `id` of the sealed value `{key}` is not 16 hexadecimal digits"))
        })?;
        Ok(Sealed { sealed: sealed.to_owned(), id, origin: Origin { file: file.to_owned(), key } })
    }

    /// A key `sealed` anywhere but in a sealed value on one line.
    fn reserved(&mut self, table: &dyn TableLike, place: &Place) {
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
