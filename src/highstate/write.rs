//! Imported states as text, as a person would write them.

use super::files::Given;
use super::secrets::{Piece, Secrets, expression};
use super::sort::{Imported, LeftOut};
use crate::desired::fields;
use crate::name::KeyPath;
use crate::problem::escaped;
use crate::registry::placeholder;
use crate::secret::Secret;
use crate::state::{Arg, ArgValue};
use std::collections::BTreeMap;

/// Files that are given to containers, by their paths below `files/`.
#[derive(Debug, Default)]
pub struct GivenFiles(BTreeMap<String, Vec<u8>>);

impl GivenFiles {
    /// Takes a file. Where another one of that name has other bytes, it goes below the name of its minion.
    fn put(&mut self, minion: Option<&str>, path: &str, bytes: Vec<u8>) -> String {
        // A workspace has no hidden files.
        let parts = path
            .split('/')
            .map(|part| part.strip_prefix('.').map_or(part.to_owned(), |rest| format!("dot-{rest}")));
        let mut path = parts.collect::<Vec<_>>().join("/");
        while self.0.get(&path).is_some_and(|before| *before != bytes) {
            path = format!("{}/{path}", minion.unwrap_or("other"));
        }
        self.0.insert(path.clone(), bytes);
        path
    }

    /// Each with its path below `files/`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }
}

/// Keys that come first, and those that come last; all others stand between them by name.
const FIRST: [&str; 7] = ["name", "image", "tag", "gate", "force", "command", "entrypoint"];
const LAST: [&str; 5] = ["order", "require", "onchanges", "watch", "watch_action"];

/// Where a line is too long to be read.
const LONGEST: usize = 100;

/// The text of a state. `host` is put in the place of that name, so that hosts share what differs by it alone.
///
/// # Errors
/// If it would hold a secret in clear, or outside of its environment and files.
pub fn state(
    imported: &Imported,
    secrets: &mut Secrets,
    given: &mut GivenFiles,
    minion: Option<&str>,
    host: Option<&str>,
) -> Result<String, Box<LeftOut>> {
    let declaration = &imported.declaration;
    let (family, function) = declaration.function.name().split_once('.').unwrap_or_default();
    let header = format!("{}.{family}.{function}", key(&declaration.id));
    let mut writer = StateWriter { imported, secrets, host };
    let mut text = format!("# {}", escaped(&imported.word));
    if imported.word.split_once('.').is_some_and(|(module, _)| module == "cmd") {
        text.push_str(" that stopped and removed a container whose image had changed");
    }
    text.push('\n');
    let mut said: Vec<&str> = Vec::new();
    for comment in imported.comments.iter().map(String::as_str) {
        if !said.contains(&comment) {
            said.push(comment);
            text.push_str(&format!("# {}\n", comment.replace(['\n', '\r'], " ")));
        }
    }
    text.push_str(&format!("[{header}]\n"));
    let mut tables = String::new();
    let mut keys: Vec<&String> = declaration.args.keys().collect();
    let place = |key: &str| {
        FIRST.iter().position(|first| *first == key).unwrap_or_else(|| {
            let last = LAST.iter().position(|last| *last == key);
            last.map_or(FIRST.len(), |at| FIRST.len() + 1 + at)
        })
    };
    keys.sort_by_key(|key| (place(key), *key));
    for name in keys {
        let Some(arg) = declaration.args.get(name).filter(|arg| arg.value != ArgValue::Unset) else {
            continue;
        };
        let written = writer.option(name, arg)?;
        match &arg.value {
            ArgValue::Table(table) if table.is_empty() => {}
            ArgValue::Table(_) if written.len() + name.len() > LONGEST => {
                tables.push_str(&format!("\n[{header}.{}]\n", key(name)));
                tables.push_str(&writer.entries(name, arg)?);
            }
            _ => text.push_str(&format!("{} = {written}\n", key(name))),
        }
    }
    text.push_str(&tables);
    for file in &imported.files {
        text.push_str(&format!("\n[{header}.files.{}]\n", quoted(&file.target)));
        let holds_secret = match &file.content {
            Given::Expression(expression) => {
                text.push_str(&format!("content = {}\n", quoted(expression)));
                true
            }
            Given::Text(content) => {
                let (content, holds_secret) = writer.content(&file.target, content);
                text.push_str(&format!("content = {}\n", quoted(&content)));
                holds_secret
            }
            Given::Source(path, bytes) => {
                let (bytes, is_template) = writer.source(&file.target, bytes);
                let path = given.put(minion, path, bytes);
                text.push_str(&format!("source = {}\n", quoted(&format!("files/{path}"))));
                if is_template {
                    text.push_str("template = true\n");
                }
                is_template
            }
        };
        for (name, value) in &file.fields {
            match *name {
                // A running container does not see a new file with a secret.
                "on_change" if holds_secret => {
                    text.push_str(&format!(
                        "on_change = \"restart\" # was {}: it holds a secret\n",
                        escaped(value)
                    ));
                }
                "uid" | "gid" => text.push_str(&format!("{name} = {value}\n")),
                _ => text.push_str(&format!("{name} = {}\n", quoted(value))),
            }
        }
    }
    Ok(text)
}

/// A file of states with what was left out of it.
pub fn file(sls: &str, states: &[&str], left_out: &[&LeftOut]) -> String {
    let mut text = format!("# From Salt's `{}`, imported by pillarbox.\n", escaped(sls));
    if !left_out.is_empty() {
        text.push_str("#\n# Not imported:\n");
        for one in left_out {
            text.push_str(&format!(
                "#   {} `{}`: {}\n",
                escaped(&one.word),
                escaped(&one.id),
                one_line(&one.why)
            ));
        }
    }
    for state in states {
        text.push('\n');
        text.push_str(state);
    }
    text
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

struct StateWriter<'s> {
    imported: &'s Imported,
    secrets: &'s mut Secrets,
    host: Option<&'s str>,
}

impl StateWriter<'_> {
    fn refused(&self, why: String, hint: &str) -> Box<LeftOut> {
        Box::new(LeftOut {
            id: self.imported.declaration.id.clone(),
            sls: self.imported.sls.clone(),
            word: self.imported.word.clone(),
            why,
            hint: hint.to_owned(),
            is_missing: true,
            place: self.imported.declaration.place.clone(),
        })
    }

    /// An option as a value of TOML on one line, or a list over several.
    fn option(&mut self, name: &str, arg: &Arg) -> Result<String, Box<LeftOut>> {
        let written = self.value(name, name, arg)?;
        let ArgValue::Array(items) = &arg.value else { return Ok(written) };
        if written.len() + name.len() <= LONGEST || items.len() < 2 {
            return Ok(written);
        }
        let items = items.iter().map(|item| self.value(name, name, item)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("[\n    {},\n]", items.join(",\n    ")))
    }

    /// The entries of a table, one a line.
    fn entries(&mut self, option: &str, arg: &Arg) -> Result<String, Box<LeftOut>> {
        let ArgValue::Table(table) = &arg.value else { return Ok(String::new()) };
        let mut text = String::new();
        for (name, arg) in table.iter().filter(|(_, arg)| arg.value != ArgValue::Unset) {
            text.push_str(&format!("{} = {}\n", key(name), self.value(option, name, arg)?));
        }
        Ok(text)
    }

    fn value(&mut self, option: &str, name: &str, arg: &Arg) -> Result<String, Box<LeftOut>> {
        Ok(match &arg.value {
            ArgValue::Unset | ArgValue::Bytes(_) => "\"\"".to_owned(),
            ArgValue::Text(text) => {
                let text = text.as_clear().unwrap_or_default();
                quoted(&self.text(option, name, text)?)
            }
            ArgValue::Integer(number) => number.to_string(),
            // Salt hands the text of it to the Engine.
            ArgValue::Float(number) => quoted(&number.written),
            ArgValue::Boolean(truth) => truth.to_string(),
            ArgValue::Array(items) => {
                let items = items.iter().filter(|item| item.value != ArgValue::Unset);
                let items =
                    items.map(|item| self.value(option, name, item)).collect::<Result<Vec<_>, _>>()?;
                format!("[{}]", items.join(", "))
            }
            ArgValue::Table(table) if table.is_empty() => "{}".to_owned(),
            ArgValue::Table(table) => {
                let set = table.iter().filter(|(_, item)| item.value != ArgValue::Unset);
                let entries = set
                    .map(|(name, item)| Ok(format!("{} = {}", key(name), self.value(option, name, item)?)))
                    .collect::<Result<Vec<_>, Box<LeftOut>>>()?;
                format!("{{ {} }}", entries.join(", "))
            }
        })
    }

    fn text(&mut self, option: &str, name: &str, text: &str) -> Result<String, Box<LeftOut>> {
        if let Some(why) = placeholder(&Secret::from(text.to_owned())).filter(|why| why.contains("encrypted"))
        {
            let what = format!("`{}`: {why}, and Salt did not decrypt it", escaped(name));
            return Err(self.refused(what, "decrypt it with its own tool, and seal it: pillarbox seal KEY"));
        }
        if !fields::is_env(option) {
            let pieces = self.secrets.cut(text);
            let secret = pieces.iter().find_map(|piece| match piece {
                Piece::Secret(key) => Some(key.to_string()),
                Piece::Clear(_) => None,
            });
            if let Some(secret) = secret {
                let what = format!("`{}` holds {}, a secret of the pillar", escaped(name), escaped(&secret));
                let hint =
                    "everyone who can use the Engine reads it there: hand it over in `env` or `secrets`";
                return Err(self.refused(what, hint));
            }
            if super::looks_secret("", text) {
                let what = format!("`{}` holds a password in clear", escaped(name));
                let hint =
                    "everyone who can use the Engine reads it there: hand it over in `env` or `secrets`";
                return Err(self.refused(what, hint));
            }
            return Ok(self.clear(text));
        }
        // A list has lines of NAME=value.
        let (before, variable, value) = match text.split_once('=') {
            Some((variable, value)) if variable.len() + 1 < text.len() && name == option => {
                (format!("{variable}="), variable, value)
            }
            _ => (String::new(), name, text),
        };
        let id = &self.imported.declaration.id;
        let key = KeyPath::from_parts(vec!["env".to_owned(), id.clone(), variable.to_owned()]);
        let Some(key) = key else { return Ok(self.clear(text)) };
        let pieces = self.secrets.variable(variable, value, &key);
        Ok(format!("{}{}", self.clear(&before), self.joined(&pieces)))
    }

    /// What is in a file, secrets replaced.
    fn content(&mut self, target: &str, content: &str) -> (String, bool) {
        let key = KeyPath::from_parts(vec![
            "file_contents".to_owned(),
            self.imported.declaration.id.clone(),
            target.to_owned(),
        ]);
        let pieces =
            match key.filter(|_| super::looks_secret("", content) && content.contains("PRIVATE KEY-----")) {
                Some(key) => self.secrets.variable("", content, &key),
                None => self.secrets.cut(content),
            };
        (self.joined(&pieces), pieces.iter().any(|piece| matches!(piece, Piece::Secret(_))))
    }

    /// The bytes of a file, and whether expressions stand in it.
    fn source(&mut self, target: &str, bytes: &[u8]) -> (Vec<u8>, bool) {
        let Ok(text) = std::str::from_utf8(bytes) else { return (bytes.to_vec(), false) };
        let is_key = text.contains("PRIVATE KEY-----");
        if !is_key && self.secrets.cut(text) == [Piece::Clear(text)] {
            return (bytes.to_vec(), false);
        }
        let host = self.host.take();
        let (content, _) = self.content(target, text);
        self.host = host;
        (content.into_bytes(), true)
    }

    fn joined(&self, pieces: &[Piece<'_>]) -> String {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Clear(clear) => text.push_str(&self.clear(clear)),
                Piece::Secret(key) => text.push_str(&expression(key.parts())),
            }
        }
        text
    }

    /// A text that an expression would be made of is written as one that gives it.
    fn clear(&self, text: &str) -> String {
        let escape = |text: &str| text.replace("{{", "\u{1}").replace("{%", "\u{2}");
        let braces = |text: String| text.replace('\u{1}', "{{ '{{' }}").replace('\u{2}', "{{ '{%' }}");
        match self.host.filter(|host| text.contains(*host)) {
            Some(host) => braces(escape(text).replace(host, "{{ host.name }}")),
            None => braces(escape(text)),
        }
    }
}

/// A part of a key, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { basic(name) }
}

/// A key has to be on one line.
fn basic(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            c if c.is_control() => written.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// A text as TOML.
pub(super) fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
