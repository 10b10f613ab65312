//! From the events of the parser to a tree.

use super::{Entry, Map, MergeTag, Node, Scalar, Value};
use crate::problem::{Place, Problem, Result, escaped};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// How deep a file may nest.
const DEEPEST: usize = 64;

/// Most nodes of a file, those that its aliases stand for included.
const MOST_NODES: usize = 100_000;

/// Most bytes of a file.
const MOST_BYTES: usize = 1024 * 1024;

/// Reads the documents of a file.
///
/// # Errors
/// If it is not YAML, too large, has a key twice or one that is no text, or a tag that is not of YAML's core.
pub(crate) fn read(file: &str, text: &str) -> Result<Vec<Node>> {
    let mut reader = Reader {
        file: file.into(),
        open: Vec::new(),
        anchors: HashMap::new(),
        left: MOST_NODES,
        documents: Vec::new(),
    };
    if text.len() > MOST_BYTES {
        return Err(reader.wrong(1, "the file is larger than 1 MiB").into());
    }
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| {
            let tab = error.info().contains("tab");
            let problem =
                reader.wrong(error.marker().line(), "this is not YAML").cause(escaped(error.info()));
            if tab { problem.hint("indent with blanks: YAML takes no tabs") } else { problem }
        })?;
        reader.take(event, span.start.line())?;
    }
    Ok(reader.documents)
}

struct Reader {
    file: Arc<str>,
    open: Vec<Open>,
    /// What an anchor stands for, and how many nodes that is.
    anchors: HashMap<usize, (Node, usize)>,
    left: usize,
    documents: Vec<Node>,
}

/// A mapping or list that is not closed.
struct Open {
    node: Node,
    anchor: usize,
    /// The nodes that were left when it began.
    left: usize,
    /// The key that waits for its value.
    key: Option<(Key, Place)>,
    /// What `<<` names, in its order.
    merged: Vec<Map>,
    has_merge_key: Option<Place>,
}

enum Key {
    Text(String),
    Merge,
}

impl Reader {
    fn place(&self, line: usize) -> Place {
        Place { file: self.file.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }

    fn wrong(&self, line: usize, what: impl Into<String>) -> Problem {
        Problem::failed(what).at(&self.place(line))
    }

    fn spend(&mut self, nodes: usize, line: usize) -> Result<()> {
        match self.left.checked_sub(nodes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self
                .wrong(line, format!("the file has more than {MOST_NODES} values"))
                .cause("what an alias stands for is counted each time")
                .into()),
        }
    }

    fn take(&mut self, event: Event, line: usize) -> Result<()> {
        match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return Err(self.wrong(line, "an alias is within what it stands for").into());
                };
                let (node, size) = (node.clone(), *size);
                self.spend(size, line)?;
                self.put(node, line)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(1, line)?;
                let (merge, core) = self.tag(tag, line)?;
                if text.contains('\0') {
                    return Err(self.wrong(line, "a text holds a NUL character").into());
                }
                let plain = style == ScalarStyle::Plain && core.is_none();
                let value = Value::Scalar(Scalar::written(text.into_owned(), plain));
                let node = Node { value, place: self.place(line), tag: merge };
                if anchor != 0 {
                    self.anchors.insert(anchor, (node.clone(), 1));
                }
                self.put(node, line)
            }
            Event::MappingStart(anchor, tag) => self.begin(Value::Map(Map::default()), anchor, tag, line),
            Event::SequenceStart(anchor, tag) => self.begin(Value::List(Vec::new()), anchor, tag, line),
            Event::MappingEnd | Event::SequenceEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let Open { mut node, anchor, left, merged, .. } = open;
                if let Value::Map(map) = &mut node.value {
                    for entry in merged.into_iter().flatten() {
                        if map.get(&entry.key).is_none() {
                            map.0.push(entry);
                        }
                    }
                }
                if anchor != 0 {
                    self.anchors.insert(anchor, (node.clone(), left.saturating_sub(self.left).max(1)));
                }
                self.put(node, line)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, value: Value, anchor: usize, tag: Option<Cow<'_, Tag>>, line: usize) -> Result<()> {
        if self.open.len() == DEEPEST {
            return Err(self.wrong(line, format!("this is nested deeper than {DEEPEST}")).into());
        }
        let left = self.left;
        self.spend(1, line)?;
        let (tag, _) = self.tag(tag, line)?;
        let node = Node { value, place: self.place(line), tag };
        self.open.push(Open { node, anchor, left, key: None, merged: Vec::new(), has_merge_key: None });
        Ok(())
    }

    /// How it is merged, and its type of YAML's core.
    fn tag(&self, tag: Option<Cow<'_, Tag>>, line: usize) -> Result<(Option<MergeTag>, Option<String>)> {
        let Some(tag) = tag else { return Ok((None, None)) };
        match (tag.handle.as_str(), tag.suffix.as_str()) {
            ("!", "reset") => Ok((Some(MergeTag::Reset), None)),
            ("!", "override") => Ok((Some(MergeTag::Override), None)),
            (_, "str" | "map" | "seq" | "int" | "float" | "bool" | "null") if tag.is_yaml_core_schema() => {
                Ok((None, Some(tag.suffix.clone())))
            }
            (handle, suffix) => Err(self
                .wrong(line, format!("the tag `{}{}` is not read", escaped(handle), escaped(suffix)))
                .hint("Compose has `!reset` and `!override`; write the value without a tag")
                .into()),
        }
    }

    /// Puts a value that is complete where it belongs.
    fn put(&mut self, node: Node, line: usize) -> Result<()> {
        let place = self.place(line);
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(map) => match open.key.take() {
                None => open.key = Some(key(&node, &place)?),
                Some((Key::Text(key), place)) => {
                    if let Some(before) = map.entry(&key) {
                        let what = format!("`{}` is written twice", escaped(&key));
                        let problem = Problem::failed(what).at(&place);
                        return Err(problem.cause(format!("the other one is in {}", before.place)).into());
                    }
                    map.0.push(Entry { key, place, node });
                }
                Some((Key::Merge, place)) => {
                    if let Some(before) = &open.has_merge_key {
                        let problem = Problem::failed("`<<` is written twice").at(&place);
                        return Err(problem
                            .cause(format!("the other one is in {before}"))
                            .hint("`<<: [*one, *other]` merges both")
                            .into());
                    }
                    open.has_merge_key = Some(place.clone());
                    open.merged = merged(node, &place)?;
                }
            },
            Value::Scalar(_) => {}
        }
        Ok(())
    }
}

fn key(node: &Node, place: &Place) -> Result<(Key, Place)> {
    let what = match &node.value {
        Value::Scalar(scalar) => {
            let text = scalar.text.as_clear().unwrap_or_default().to_owned();
            if scalar.plain && text == "<<" {
                return Ok((Key::Merge, place.clone()));
            }
            match super::super::scalar::resolve(scalar) {
                super::super::scalar::Resolved::Text(_) => return Ok((Key::Text(text), place.clone())),
                other => format!("the key `{}` is {}, not a text", escaped(&text), other.kind()),
            }
        }
        _ => format!("a key is {}, not a text", node.kind()),
    };
    Err(Problem::failed(what).at(place).hint("write it in quotes").into())
}

/// What `<<` names: a mapping, or a list of them.
fn merged(node: Node, place: &Place) -> Result<Vec<Map>> {
    let wrong = || Problem::failed("`<<` wants a mapping, or a list of mappings").at(place);
    match node.value {
        Value::Map(map) => Ok(vec![map]),
        Value::List(items) => items
            .into_iter()
            .map(|item| match item.value {
                Value::Map(map) => Ok(map),
                _ => Err(wrong().into()),
            })
            .collect(),
        Value::Scalar(_) => Err(wrong().into()),
    }
}
