//! As much of YAML as a Salt pillar and a Secret of Kubernetes need: mappings, lists and texts with their lines. Built from events,
//! so that a text which nests without end or repeats itself by aliases costs nothing.

use crate::problem::{Place, Problem, Result};
use saphyr_parser::{Event, Parser, ScalarStyle};
use zeroize::Zeroize;

/// How deep a text may nest.
const DEEPEST: usize = 64;

/// A value and its line.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Value {
    /// Pairs in order; a key that is not a text is left out.
    Mapping(Vec<(String, Node)>),
    List(Vec<Node>),
    /// A text, and whether it is written without quotes.
    Text {
        text: String,
        plain: bool,
    },
}

impl Drop for Value {
    fn drop(&mut self) {
        if let Self::Text { text, .. } = self {
            text.zeroize();
        }
    }
}

impl Node {
    pub(super) fn mapping(&self) -> Option<&[(String, Node)]> {
        match &self.value {
            Value::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of a key.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.mapping()?.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    /// What is written, whatever YAML makes of it.
    pub(super) fn raw(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text; `None` if YAML 1.1, which Salt reads, makes something else of it.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, plain } if !plain || is_text(text) => Some(text),
            _ => None,
        }
    }
}

/// Whether a text without quotes is one, or a whole number that prints as it is written.
fn is_text(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".nan", ".inf"];
    let lower = text.to_ascii_lowercase();
    if text.is_empty() || WORDS.contains(&lower.as_str()) {
        return false;
    }
    let whole = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = lower.trim_start_matches(['+', '-']);
    let looks_like_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && number.bytes().all(|byte| byte.is_ascii_hexdigit() || b"._xo:+-".contains(&byte));
    whole || !looks_like_number
}

/// Reads all documents. `hint` says what to do with a text that is a template.
///
/// # Errors
/// If it is not YAML, nests too deep, or uses aliases.
pub(super) fn read_all(text: &str, file: &str, hint: &str) -> Result<Vec<Node>> {
    let wrong = |line: usize, what: &str| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Problem::failed(what.to_owned()).at(&Place::new(file, line))
    };
    let mut documents = Vec::new();
    // Each open mapping or list, with the key that waits for its value.
    let mut open: Vec<(Node, Option<String>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            wrong(error.marker().line(), "this is not YAML").cause(error.info().to_owned()).hint(hint)
        })?;
        let line = span.start.line();
        let node = |value| Node { line: u32::try_from(line).unwrap_or(u32::MAX), value };
        let done = match event {
            Event::Alias(_) => {
                return Err(wrong(line, "aliases (`*name`) are not read")
                    .hint("write the value instead of the alias")
                    .into());
            }
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                node(Value::Text { text: text.into_owned(), plain })
            }
            Event::MappingStart(..) | Event::SequenceStart(..) if open.len() == DEEPEST => {
                return Err(wrong(line, "this is nested too deep").into());
            }
            Event::MappingStart(..) => {
                open.push((node(Value::Mapping(Vec::new())), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push((node(Value::List(Vec::new())), None));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some((node, _)) => node,
                None => continue,
            },
            _ => continue,
        };
        let Some((holder, key)) = open.last_mut() else {
            documents.push(done);
            continue;
        };
        match &mut holder.value {
            Value::Mapping(pairs) => match key.take() {
                Some(key) => pairs.push((key, done)),
                None => *key = Some(done.raw().unwrap_or_default().to_owned()),
            },
            Value::List(items) => items.push(done),
            Value::Text { .. } => {}
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Node>> {
        read_all(text, "p.sls", "render it")
    }

    #[test]
    fn what_salt_would_not_read_as_a_text_is_told_from_one() {
        for text in ["hunter2", "a:b", "12345", "0", "s3cret", "no way", "1.2.3-rc", "Zm9v", "deadbeef-x"] {
            assert!(is_text(text), "{text}");
        }
        for text in ["", "yes", "No", "~", "0123", "1_000", "1.5", "0x1F", "1e3", "-1", "12:30:00", ".inf"] {
            assert!(!is_text(text), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_made_to_cost_is_refused_at_once() {
        let bomb = format!("{}{}", "a: &a [x,x]\n", "b: [*a,*a]\n");
        assert!(read(&bomb).expect_err("an alias").to_string().contains("p.sls:2: aliases"));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&"- ".repeat(100_000)).is_err());
        let deep: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(read(&deep).is_err());
        assert!(read("").expect("nothing").is_empty());
    }
}
