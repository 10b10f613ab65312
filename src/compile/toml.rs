//! State files in TOML: `[ID.FUNCTION.NAME]` tables with their lines.

use super::condition;
use super::declared::{Declared, Written};
use super::expression::Evaluated;
use crate::pillar::Float;
use crate::problem::syntax::no_toml;
use crate::problem::{Place, Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Function, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml_edit::{Document, Item, Key, TableLike, Value};

/// Reads one file; `evaluate` returns the value of every string. Errors are noted, and the rest is still read.
pub(super) fn read(
    file: &str,
    text: &str,
    evaluate: &mut dyn FnMut(&str, &Place) -> Result<Evaluated>,
    declared: &mut Declared,
) {
    if let Err(found) = crate::pillar::document::parsable(file, text) {
        return declared.problems.extend(found.into_vec());
    }
    let lines = TomlLines::of(file, text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().map(|span| span.start);
            return declared.problems.push(no_toml(file, text, at, error.message()));
        }
    };
    let mut reader = TomlReader { lines: &lines, evaluate, declared };
    for (id, key, item) in entries(document.as_table()) {
        reader.declarations_of(id, key, item);
    }
}

/// The entries of a table with their keys.
fn entries(table: &dyn TableLike) -> Vec<(&str, Option<&Key>, &Item)> {
    table.iter().map(|(name, item)| (name, table.key(name), item)).collect()
}

/// Turns offsets into lines.
struct TomlLines<'t> {
    text: &'t str,
    file: std::sync::Arc<str>,
    starts: Vec<usize>,
}

impl<'t> TomlLines<'t> {
    fn of(file: &str, text: &'t str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, file: file.into(), starts: std::iter::once(0).chain(after).collect() }
    }

    fn place(&self, span: Option<Range<usize>>) -> Place {
        let line = span.map_or(0, |span| self.starts.partition_point(|start| *start <= span.start));
        Place { file: self.file.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}

/// A function by its name in the file; reports a name that is not a function.
pub(super) fn function(word: &str, place: &Place, problems: &mut Vec<Problem>) -> Option<Function> {
    let found = Function::parse(word);
    if found.is_none() {
        let what = format!("`{}` is not a state function", escaped(word));
        let problem = Problem::failed(what).at(place);
        let near = crate::problem::nearest(word, Function::names());
        problems.push(match near {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(
                "there are service.deployed, task.ran, container.running, container.installed, \
                 container.stopped, container.absent, image.pulled, image.absent, network.present, \
                 network.absent, volume.present and volume.absent",
            ),
        });
    }
    found
}

struct TomlReader<'a> {
    lines: &'a TomlLines<'a>,
    evaluate: &'a mut dyn FnMut(&str, &Place) -> Result<Evaluated>,
    declared: &'a mut Declared,
}

impl TomlReader<'_> {
    fn place(&self, key: Option<&Key>, item: &Item) -> Place {
        self.lines.place(key.and_then(Key::span).or_else(|| item.span()))
    }

    fn declarations_of(&mut self, id: &str, key: Option<&Key>, item: &Item) {
        let place = self.place(key, item);
        let Some(families) = item.as_table_like() else {
            self.no_declaration(id, &place);
            return;
        };
        for (family, key, item) in entries(families) {
            let place = self.place(key, item);
            let Some(functions) = item.as_table_like() else {
                self.no_declaration(id, &place);
                continue;
            };
            for (name, key, item) in entries(functions) {
                let mut place = self.place(key, item);
                // A header is before its first key, also if the table was begun by a dotted key.
                if let Some(header) = item.span() {
                    place = self.lines.place(Some(header));
                }
                let word = format!("{family}.{name}");
                let Some(table) = item.as_table_like() else {
                    self.no_declaration(id, &place);
                    continue;
                };
                let before = self.declared.problems.len();
                let (args, unread) = self.arguments(table);
                // Missing values of a declaration that is left out on this host are not errors.
                if condition::leaves_out(&args).is_some() {
                    self.declared.problems.truncate(before);
                }
                self.declared.take(Written { id, word: &word, args, place, unread });
            }
        }
    }

    fn no_declaration(&mut self, id: &str, place: &Place) {
        let what = format!("`{}` is not a declaration", escaped(id));
        let hint = "a declaration is a table `[ID.FUNCTION.NAME]`, for example `[web.container.running]`";
        self.declared.problems.push(Problem::failed(what).at(place).hint(hint));
    }

    /// The arguments of a declaration, and the names of those that could not be evaluated.
    fn arguments(&mut self, table: &dyn TableLike) -> (BTreeMap<String, Arg>, BTreeSet<String>) {
        let (mut args, mut unread) = (BTreeMap::new(), BTreeSet::new());
        for (name, key, item) in entries(table) {
            let place = self.place(key, item);
            let before = self.declared.problems.len();
            if let Some(arg) = self.item(item, place) {
                args.insert(name.to_owned(), arg);
            }
            if self.declared.problems.len() > before {
                unread.insert(name.to_owned());
            }
        }
        (args, unread)
    }

    fn table(&mut self, table: &dyn TableLike) -> BTreeMap<String, Arg> {
        let mut args = BTreeMap::new();
        for (name, key, item) in entries(table) {
            let place = self.place(key, item);
            if let Some(arg) = self.item(item, place) {
                args.insert(name.to_owned(), arg);
            }
        }
        args
    }

    fn item(&mut self, item: &Item, place: Place) -> Option<Arg> {
        let value = match item {
            Item::None => return None,
            Item::Value(value) => return self.value(value, place),
            Item::Table(table) => ArgValue::Table(self.table(table)),
            Item::ArrayOfTables(tables) => {
                let items = tables.iter().map(|table| {
                    let place = self.lines.place(table.span());
                    Arg { value: ArgValue::Table(self.table(table)), place, read: Vec::new() }
                });
                ArgValue::Array(items.collect())
            }
        };
        Some(Arg { value, place, read: Vec::new() })
    }

    /// A value; `None` if its expression failed, which was reported.
    fn value(&mut self, value: &Value, place: Place) -> Option<Arg> {
        let mut read = Vec::new();
        let value = match value {
            Value::String(text) => match (self.evaluate)(text.value(), &place) {
                Ok((value, places)) => {
                    read = places;
                    value
                }
                Err(found) => {
                    self.declared.problems.extend(found.into_vec());
                    return None;
                }
            },
            Value::Integer(number) => ArgValue::Integer(*number.value()),
            Value::Float(number) => {
                let text = number.span().and_then(|span| self.lines.text.get(span)).unwrap_or_default();
                ArgValue::Float(Float::written(*number.value(), text))
            }
            Value::Boolean(truth) => ArgValue::Boolean(*truth.value()),
            Value::Datetime(time) => ArgValue::Text(Text::clear(time.value().to_string())),
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| {
                    let place = self.lines.place(item.span());
                    self.value(item, place)
                });
                ArgValue::Array(items.collect())
            }
            Value::InlineTable(table) => ArgValue::Table(self.table(table)),
        };
        Some(Arg { value, place, read })
    }
}
