//! A pillar file with its secrets in clear text, for an editor, and back again.
//!
//! A secret is written `{ secret = "…" }`, and one that is not text `{ secret = "…", encoding = "base64" }`.
//! If the file has tables of that form itself, another word is used for `secret`.

use super::Document;
use super::edit::sealed_text;
use super::read::parse_layout;
use crate::name::KeyPath;
use crate::pillar::value::{Node, Sealed, Value};
use crate::problem::{Place, Problem, Problems, Result, quoted};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::ops::Range;
use toml_edit::{Item, TableLike, Value as Toml};
use zeroize::Zeroizing;

/// The key for the encoding of a secret that is not text.
const ENCODING: &str = "encoding";

/// A secret in a text in clear.
#[derive(Debug)]
pub struct ClearSecret {
    /// Its key.
    pub key: KeyPath,
    /// The secret.
    pub secret: Secret,
    /// The bytes of the text that it takes, braces included.
    pub range: Range<usize>,
}

/// The text of a file with secrets in clear, by their keys; other sealed values stay as they are. Also
/// the word that marks a secret, `secret` unless the file uses it.
pub fn in_clear(document: &Document, secrets: &BTreeMap<KeyPath, Secret>) -> Result<(Secret, String)> {
    let word = free_word(document);
    let parsed = parse_layout(&format!("pillar/{}", document.file()), document.text())?;
    let mut spans = Vec::new();
    sealed_spans(parsed.as_table(), &mut Vec::new(), &mut spans);
    spans.sort_by_key(|(_, span)| span.start);
    let size = document.text().len() + secrets.values().map(|secret| secret.len() * 6 + 64).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(size));
    let mut done = 0;
    for (key, span) in spans {
        let Some(secret) = secrets.get(&key) else { continue };
        text.push_str(&document.text()[done..span.start]);
        write(&mut text, secret, &word);
        done = span.end;
    }
    text.push_str(&document.text()[done..]);
    Ok((Secret::new(std::mem::take(&mut *text).into_bytes()), word))
}

fn write(text: &mut String, secret: &Secret, word: &str) {
    let quote = |text: &str| Zeroizing::new(Toml::from(text).to_string());
    text.push_str(&format!("{{ {word} = "));
    match secret.reveal_text() {
        Some(plain) => text.push_str(&quote(plain)),
        None => {
            text.push_str(&quote(&Zeroizing::new(STANDARD.encode(secret.reveal()))));
            text.push_str(&format!(", {ENCODING} = \"base64\""));
        }
    }
    text.push_str(" }");
}

/// Finds the secrets in a text in clear. `file` is relative to `pillar/`.
///
/// # Errors
/// If the text is not TOML; all secrets that are in a list, or are not written as secrets. None
/// of what is wrong is quoted: it may be a secret.
pub fn read_clear(file: &str, text: &str, word: &str) -> Result<Vec<ClearSecret>> {
    let path = format!("pillar/{file}");
    let parsed = parse_layout(&path, text)?;
    let mut reader = ClearReader { path, text, word, found: Vec::new(), problems: Vec::new() };
    reader.table(parsed.as_table(), &mut Vec::new(), false);
    Problems::check(reader.problems)?;
    reader.found.sort_by_key(|secret| secret.range.start);
    Ok(reader.found)
}

/// The file of a text in clear, with a sealed value in the place of each secret that was found.
///
/// # Errors
/// If the result is not a sound pillar file.
pub fn seal_clear(file: &str, text: &str, sealed: &[(Range<usize>, Sealed)]) -> Result<Document> {
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for (range, sealed) in sealed {
        result.push_str(&text[done..range.start]);
        result.push_str(&sealed_text(sealed));
        done = range.end;
    }
    result.push_str(&text[done..]);
    let document = Document::parse(file, result)?;
    document.tree()?;
    Ok(document)
}

/// `secret`, with as many `_` after it as are needed so that no table of the file has it as its only
/// key.
fn free_word(document: &Document) -> String {
    let mut word = "secret".to_owned();
    while uses_alone(&document.tree, &word) {
        word.push('_');
    }
    word
}

fn uses_alone(node: &Node, word: &str) -> bool {
    match &node.value {
        Value::Table(table) => {
            let others = |key: &&String| key.as_str() != word && key.as_str() != ENCODING;
            (table.contains_key(word) && !table.keys().any(|key| others(&key)))
                || table.values().any(|node| uses_alone(node, word))
        }
        Value::Array(values) => values.iter().any(|node| uses_alone(node, word)),
        _ => false,
    }
}

fn sealed_spans(table: &dyn TableLike, path: &mut Vec<String>, found: &mut Vec<(KeyPath, Range<usize>)>) {
    for (key, item) in table.iter() {
        path.push(key.to_owned());
        let sealed = match item {
            Item::Value(Toml::InlineTable(inner)) => inner.contains_key("sealed") && !inner.is_dotted(),
            _ => false,
        };
        match (sealed, item.span(), KeyPath::from_parts(path.clone())) {
            (true, Some(span), Some(key)) => found.push((key, span)),
            _ => item.as_table_like().into_iter().for_each(|table| sealed_spans(table, path, found)),
        }
        path.pop();
    }
}

struct ClearReader<'t> {
    path: String,
    text: &'t str,
    word: &'t str,
    found: Vec<ClearSecret>,
    problems: Vec<Problem>,
}

impl ClearReader<'_> {
    fn table(&mut self, table: &dyn TableLike, path: &mut Vec<String>, in_list: bool) {
        for (key, item) in table.iter() {
            path.push(key.to_owned());
            match item {
                Item::None => {}
                Item::Value(value) => self.value(value, path, in_list),
                Item::Table(inner) => self.inner(inner, inner.span(), false, path, in_list),
                Item::ArrayOfTables(tables) => {
                    for inner in tables {
                        self.inner(inner, inner.span(), false, path, true);
                    }
                }
            }
            path.pop();
        }
    }

    fn value(&mut self, value: &Toml, path: &mut Vec<String>, in_list: bool) {
        match value {
            Toml::Array(values) => values.iter().for_each(|value| self.value(value, path, true)),
            Toml::InlineTable(inner) => self.inner(inner, value.span(), !inner.is_dotted(), path, in_list),
            _ => {}
        }
    }

    fn inner(
        &mut self,
        table: &dyn TableLike,
        span: Option<Range<usize>>,
        on_one_line: bool,
        path: &mut Vec<String>,
        in_list: bool,
    ) {
        let is_secret =
            table.contains_key(self.word) && table.iter().all(|(key, _)| key == self.word || key == ENCODING);
        if !is_secret {
            return self.table(table, path, in_list);
        }
        let Some(key) = KeyPath::from_parts(path.clone()) else { return };
        let line = span.as_ref().map_or(0, |span| self.text[..span.start].matches('\n').count() + 1);
        let place = Place::new(self.path.as_str(), u32::try_from(line).unwrap_or(u32::MAX));
        let problem = if in_list {
            Problem::failed(format!("a secret is in the list `{key}`"))
                .hint("give each secret a key of its own in a table")
        } else {
            match (decode(table, self.word), span.filter(|_| on_one_line)) {
                (Some(secret), Some(range)) => return self.found.push(ClearSecret { key, secret, range }),
                _ => Problem::failed(format!("the secret `{key}` is not written as one")).hint(format!(
                    "write {} or {}",
                    quoted(&format!("{{ {} = \"…\" }}", self.word)),
                    quoted(&format!("{{ {} = \"…\", {ENCODING} = \"base64\" }}", self.word))
                )),
            }
        };
        self.problems.push(problem.at(&place));
    }
}

fn decode(table: &dyn TableLike, word: &str) -> Option<Secret> {
    let text = table.get(word)?.as_str()?;
    match table.get(ENCODING) {
        None => Some(Secret::from(text.to_owned())),
        Some(encoding) if encoding.as_str() == Some("base64") => STANDARD.decode(text).ok().map(Secret::new),
        Some(_) => None,
    }
}
