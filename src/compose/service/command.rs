//! `command`, `entrypoint` and `healthcheck`.

use super::{Reading, Service};
use crate::compose::value::{arg, of, text, time_with_unit, wants};
use crate::compose::yaml::{Map, Node, Value};
use crate::problem::{Problem, escaped};
use crate::state::{Arg, ArgValue};

impl Service<'_> {
    pub(super) fn commands(&mut self, _: &mut Reading) -> Result<(), Problem> {
        for key in ["command", "entrypoint"] {
            if let Some(node) = self.get(key) {
                let value = words(key, node)?;
                self.put(key, value);
            }
        }
        Ok(())
    }

    pub(super) fn health(&mut self, _: &mut Reading) -> Result<(), Problem> {
        let Some(node) = self.get("healthcheck") else { return Ok(()) };
        let Some(map) = node.map() else { return Err(wants("healthcheck", "a mapping", node)) };
        let disabled =
            map.get("disable").map(|node| crate::compose::value::truth("healthcheck.disable", node));
        if disabled.transpose()? == Some(true) {
            let value = of(node, ArgValue::Boolean(false));
            self.put("healthcheck", value);
            return Ok(());
        }
        let mut kept = Map::default();
        for entry in map.iter().filter(|entry| entry.key != "disable" && !entry.node.is_null()) {
            // A time without a unit is no time in Compose, and seconds for us.
            let time =
                ["interval", "timeout", "start_period", "start_interval"].contains(&entry.key.as_str());
            if time {
                time_with_unit(&format!("healthcheck.{}", entry.key), &entry.node)?;
            }
            // Compose takes 0 for: not said.
            if entry.key == "retries" && arg(&entry.node).value == ArgValue::Integer(0) {
                continue;
            }
            kept.put(entry.clone());
        }
        let value = arg(&Node { value: Value::Map(kept), ..node.clone() });
        self.put("healthcheck", value);
        Ok(())
    }
}

/// A list of words, or one text that is split as a shell would.
fn words(key: &str, node: &Node) -> Result<Arg, Problem> {
    if let Some(items) = node.list() {
        let items = items.iter().map(|item| Ok(of(item, ArgValue::Text(text(key, item)?))));
        return Ok(of(node, ArgValue::Array(items.collect::<Result<_, Problem>>()?)));
    }
    let line = text(key, node)?;
    let Some(clear) = line.as_clear() else { return Ok(of(node, ArgValue::Text(line))) };
    if let Some(word) = shell_word(clear) {
        return Err(Problem::failed(format!("`{key}` holds `{}`, and no shell runs it", escaped(word)))
            .at(&node.place)
            .cause("Compose takes what stands before it and drops the rest")
            .hint(format!("{key}: [\"sh\", \"-c\", \"…\"]")));
    }
    // `command: ""` takes the image's away, as an empty list does.
    if clear.trim().is_empty() {
        return Ok(of(node, ArgValue::Array(Vec::new())));
    }
    Ok(of(node, ArgValue::Text(line)))
}

/// An operator of a shell that stands outside of quotes, at which Compose stops reading.
fn shell_word(text: &str) -> Option<&'static str> {
    let (mut quote, mut chars) = (None, text.chars());
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => drop(chars.next()),
            (None, '\'' | '"') => quote = Some(c),
            (None, ';') => return Some(";"),
            (None, '|') => return Some("|"),
            (None, '&') => return Some("&"),
            (None, '<') => return Some("<"),
            (None, '>') => return Some(">"),
            (None, '(') => return Some("("),
            _ => {}
        }
    }
    None
}
