//! Files of variables (`env_file`), in the grammar of compose-go's `dotenv`, measured with Compose 2.40.3.

use super::interpolate::{self, Filled, Variables};
use crate::problem::{Place, Problem, Problems, Result};
use crate::state::Text;
use std::collections::BTreeMap;

/// Most lines of a file.
const MOST_LINES: usize = 10_000;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Quotes, comments and variables mean something.
    Compose,
    /// Everything after `=` is the value.
    Raw,
}

/// Values with the lines that they come from, by name.
pub(super) type Values = BTreeMap<String, (Text, Vec<Place>)>;

/// What a service says beside the file, which its lines refer to as well.
#[derive(Default)]
pub(super) struct Beside {
    /// Its `environment`: over the lines of the file.
    pub(super) own: Values,
    /// The files before this one: below them.
    pub(super) before: Values,
}

/// The variables of a file, each with its line; a name without a value is filled from the variables.
pub(super) fn read(
    file: &str,
    text: &str,
    format: Format,
    variables: &dyn Variables,
    beside: &Beside,
) -> Result<BTreeMap<String, (Filled, Place)>> {
    let mut reader = EnvReader {
        file,
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        format,
        variables,
        beside,
        found: BTreeMap::new(),
    };
    let mut problems = Vec::new();
    while !reader.rest.is_empty() {
        if reader.line > u32::try_from(MOST_LINES).unwrap_or(u32::MAX) {
            let what = format!("the file has more than {MOST_LINES} lines");
            problems.push(Problem::failed(what).at(&reader.place()));
            break;
        }
        if let Err(found) = reader.entry() {
            problems.extend(found.into_vec());
        }
    }
    Problems::check(problems)?;
    Ok(reader.found)
}

struct EnvReader<'a> {
    file: &'a str,
    rest: &'a str,
    line: u32,
    format: Format,
    variables: &'a dyn Variables,
    beside: &'a Beside,
    found: BTreeMap<String, (Filled, Place)>,
}

/// The variables of the project, of the service and of the lines before, the first of them over the others.
struct Earlier<'a> {
    found: &'a BTreeMap<String, (Filled, Place)>,
    variables: &'a dyn Variables,
    beside: &'a Beside,
}

impl Variables for Earlier<'_> {
    fn value(&self, name: &str) -> Option<(Text, Vec<Place>)> {
        let line = || self.found.get(name).map(|(filled, _)| (filled.text.clone(), filled.read.clone()));
        let known = self.variables.value(name).or_else(|| self.beside.own.get(name).cloned());
        let known = known.or_else(line).or_else(|| self.beside.before.get(name).cloned());
        // Compose leaves it empty here, without a word.
        known.or_else(|| Some((Text::default(), Vec::new())))
    }

    fn hint(&self, name: &str) -> String {
        self.variables.hint(name)
    }

    fn pillar(&self, key: &str) -> Option<(Text, Vec<Place>)> {
        self.variables.pillar(key)
    }
}

impl<'a> EnvReader<'a> {
    fn place(&self) -> Place {
        Place::new(self.file, self.line)
    }

    /// Takes the rest of the line, without its end.
    fn line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line.strip_suffix('\r').unwrap_or(line)
    }

    fn entry(&mut self) -> Result<()> {
        let place = self.place();
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let line = self.rest[..end].trim_end_matches('\r');
        let trimmed = line.trim_start_matches([' ', '\t']);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            self.line();
            return Ok(());
        }
        let (name_text, value_at) = match trimmed.find(['=', ':']) {
            Some(at) => (&trimmed[..at], Some(line.len() - trimmed.len() + at + 1)),
            None => (trimmed, None),
        };
        let (exported, name_text) = match name_text.strip_prefix("export") {
            Some(rest) if rest.starts_with([' ', '\t']) => (true, rest.trim_start_matches([' ', '\t'])),
            _ => (false, name_text),
        };
        let name = name_text.trim_end_matches([' ', '\t']);
        let wrong = |what: String| Err(Problem::failed(what).at(&place).hint("write NAME=value").into());
        if exported && self.format == Format::Raw {
            self.line();
            return wrong("`export` has no place in a file of the format raw".to_owned());
        }
        if name.contains(|c: char| !(c.is_alphanumeric() || "_.-[]".contains(c))) {
            self.line();
            // Not shown: it may be a line of a key.
            return wrong("what stands before `=` is not the name of a variable".to_owned());
        }
        let Some(value_at) = value_at else {
            self.line();
            if let Some((text, read)) = self.variables.value(name) {
                self.found.insert(name.to_owned(), (Filled { text, read }, place));
            }
            return Ok(());
        };
        self.rest = &self.rest[value_at..];
        let filled = match self.format {
            Format::Raw => Filled { text: Text::clear(self.line()), read: Vec::new() },
            Format::Compose => self.value(&place)?,
        };
        self.found.insert(name.to_owned(), (filled, place));
        Ok(())
    }

    fn value(&mut self, place: &Place) -> Result<Filled> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        match self.rest.as_bytes().first() {
            Some(b'\'') => {
                let value = self.quoted('\'', place)?.replace("\\'", "'");
                Ok(Filled { text: Text::clear(value), read: Vec::new() })
            }
            Some(b'"') => {
                let value = unescaped(&self.quoted('"', place)?);
                self.filled(&value, place)
            }
            _ => {
                let line = self.line();
                let value = comment(line).map_or(line, |at| &line[..at]).trim_end_matches([' ', '\t']);
                self.filled(value, place)
            }
        }
    }

    fn filled(&self, value: &str, place: &Place) -> Result<Filled> {
        let earlier = Earlier { found: &self.found, variables: self.variables, beside: self.beside };
        interpolate::fill(value, &earlier, place)
    }

    /// What stands between quotes, maybe over lines; nothing but a comment may follow.
    fn quoted(&mut self, quote: char, place: &Place) -> Result<String> {
        let body = &self.rest[1..];
        let mut escaped_next = false;
        let end = body.char_indices().find_map(|(at, c)| {
            let closes = c == quote && !escaped_next;
            escaped_next = c == '\\' && !escaped_next;
            closes.then_some(at)
        });
        let Some(end) = end else {
            self.line();
            return Err(Problem::failed("a quoted value does not end")
                .at(place)
                .hint(format!("close it with {quote}"))
                .into());
        };
        let value = body[..end].to_owned();
        self.line += u32::try_from(value.matches('\n').count()).unwrap_or(0);
        self.rest = &body[end + 1..];
        let after = self.line();
        let after = after.trim_start_matches([' ', '\t']);
        if after.is_empty() || after.starts_with('#') {
            return Ok(value);
        }
        Err(Problem::failed("something follows a quoted value")
            .at(place)
            .hint("quote the whole value once")
            .into())
    }
}

/// Where a comment begins: a `#` after white space.
fn comment(line: &str) -> Option<usize> {
    let mut before = None;
    for (at, c) in line.char_indices() {
        if c == '#' && matches!(before, Some(' ' | '\t')) {
            return Some(at);
        }
        before = Some(c);
    }
    None
}

/// Within double quotes `\n`, `\r`, `\t` and the like are characters; `\$` is a dollar that names no variable.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('$') => out.push_str("$$"),
            Some(other @ ('"' | '\\')) => out.push(other),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
