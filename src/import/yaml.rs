//! As much of YAML as a Salt pillar needs: mappings, lists and texts with their lines. Built from events,
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
    List,
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

/// Reads the first document; `None` if there is nothing in it.
///
/// # Errors
/// If it is not YAML, nests too deep, or uses aliases.
pub(super) fn read(text: &str, file: &str) -> Result<Option<Node>> {
    let wrong = |line: usize, what: &str| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Problem::failed(what.to_owned()).at(&Place::new(file, line))
    };
    // Each open mapping or list, with the key that waits for its value.
    let mut open: Vec<(Node, Option<String>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            wrong(error.marker().line(), "this is not YAML")
                .cause(error.info().to_owned())
                .hint("a pillar with `{{ }}`, `{% %}` or Python has to be rendered first: salt-call --out=yaml pillar.items > FILE")
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
                open.push((node(Value::List), None));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some((node, _)) => node,
                None => continue,
            },
            _ => continue,
        };
        let Some((holder, key)) = open.last_mut() else { return Ok(Some(done)) };
        if let Value::Mapping(pairs) = &mut holder.value {
            match key.take() {
                Some(key) => pairs.push((key, done)),
                None => {
                    let name =
                        if let Value::Text { text, .. } = &done.value { text.clone() } else { String::new() };
                    *key = Some(name);
                }
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(read(&bomb, "p.sls").expect_err("an alias").to_string().contains("p.sls:2: aliases"));
        assert!(read(&"[".repeat(100_000), "p.sls").is_err());
        assert!(read(&"- ".repeat(100_000), "p.sls").is_err());
        let deep: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(read(&deep, "p.sls").is_err());
        assert!(read("", "p.sls").expect("nothing").is_none());
    }
}
