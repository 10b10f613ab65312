//! A file of states in plain YAML, without Jinja. Types are those of Salt's reader, which is PyYAML (YAML 1.1).

use super::rendered::{Minion, RenderedState, extend, float};
use crate::compose::yaml::{self, Node, Scalar, Value};
use crate::problem::{Place, Problem, Problems, Result, escaped};
use crate::state::{Arg, ArgValue, Text};
use std::collections::BTreeMap;

const HINT: &str = "let Salt render it: salt-call --local --out json state.show_sls NAME > states.json";

/// Reads a file; `name` is what Salt calls it, `web.haproxy`.
///
/// # Errors
/// If Jinja or another renderer is in it, with the line; if it is not YAML, or has no states.
pub fn sls(file: &str, name: &str, text: &str) -> Result<Minion> {
    templates(file, text)?;
    let documents = yaml::read(file, text)?;
    let mut reader = SlsReader { name, problems: Vec::new(), found: Vec::new(), extended: Vec::new() };
    for document in &documents {
        match document.map() {
            Some(top) => reader.top(top),
            None if document.is_null() => {}
            None => reader.wrong(&document.place, "a file of states is a mapping of ids"),
        }
    }
    let SlsReader { problems, mut found, extended, .. } = reader;
    Problems::check(problems)?;
    for more in extended {
        extend(&mut found, more);
    }
    Ok(Minion { name: None, states: found })
}

/// Reports lines that are for a renderer.
fn templates(file: &str, text: &str) -> Result<()> {
    let place = |at: usize| Place::new(file, u32::try_from(at + 1).unwrap_or(u32::MAX));
    let first = text.lines().next().unwrap_or_default();
    if let Some(renderer) = first.strip_prefix("#!").map(str::trim).filter(|renderer| *renderer != "yaml") {
        let what = format!("this file is for Salt's renderer `{}`", escaped(renderer));
        return Err(Problem::failed(what).at(&place(0)).hint(HINT).into());
    }
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if ["{{", "{%", "{#"].iter().any(|open| line.contains(open)) {
            problems
                .push(Problem::failed("this line holds Jinja, which is not rendered here").at(&place(at)));
        }
    }
    if let Some(last) = problems.pop() {
        problems.push(last.hint(HINT));
    }
    Problems::check(problems)
}

struct SlsReader<'n> {
    name: &'n str,
    problems: Vec<Problem>,
    found: Vec<RenderedState>,
    extended: Vec<RenderedState>,
}

impl SlsReader<'_> {
    fn wrong(&mut self, place: &Place, what: &str) {
        self.problems.push(Problem::failed(what).at(place));
    }

    fn top(&mut self, top: &yaml::Map) {
        for entry in top.iter() {
            match entry.key.as_str() {
                "include" | "exclude" => self.problems.push(
                    Problem::failed(format!("`{}` is not followed", entry.key)).at(&entry.place).hint(HINT),
                ),
                "extend" => match entry.node.map() {
                    Some(all) => {
                        for entry in all.iter() {
                            let states = self.modules(&entry.key, &entry.place, &entry.node);
                            self.extended.extend(states);
                        }
                    }
                    None => self.wrong(&entry.place, "`extend` is a mapping of ids"),
                },
                id => {
                    let states = self.modules(id, &entry.place, &entry.node);
                    if states.iter().any(|state| state.function.is_empty()) {
                        let what = format!("the state `{}` names no function", escaped(id));
                        self.wrong(&entry.place, &what);
                    }
                    self.found.extend(states);
                }
            }
        }
    }

    fn modules(&mut self, id: &str, place: &Place, node: &Node) -> Vec<RenderedState> {
        let state = |word: &str, place: &Place| {
            let (module, function) = word.split_once('.').unwrap_or((word, ""));
            RenderedState {
                id: id.to_owned(),
                sls: self.name.to_owned(),
                module: module.to_owned(),
                function: function.to_owned(),
                args: BTreeMap::new(),
                place: place.clone(),
            }
        };
        if let Some(word) =
            node.scalar().and_then(|scalar| scalar.text.as_clear()).filter(|word| word.contains('.'))
        {
            return vec![state(word, place)];
        }
        let Some(modules) = node.map() else {
            let what = format!("the state `{}` is {}, and no mapping of functions", escaped(id), node.kind());
            self.wrong(place, &what);
            return Vec::new();
        };
        let mut found: Vec<RenderedState> =
            modules.iter().map(|entry| state(&entry.key, &entry.place)).collect();
        for (entry, state) in modules.iter().zip(&mut found) {
            for item in entry.node.list().unwrap_or_default() {
                match &item.value {
                    Value::Map(pairs) => {
                        for pair in pairs.iter() {
                            if let Some(arg) = self.arg(&pair.node) {
                                state.args.insert(pair.key.clone(), arg);
                            }
                        }
                    }
                    Value::Scalar(word) => {
                        word.text.as_clear().unwrap_or_default().clone_into(&mut state.function);
                    }
                    Value::List(_) => self.wrong(&item.place, "an argument is a list, and no mapping"),
                }
            }
            if entry.node.list().is_none() && !entry.node.is_null() {
                let what = format!(
                    "the arguments of `{}` are {}, and no list",
                    escaped(&entry.key),
                    entry.node.kind()
                );
                self.wrong(&entry.place, &what);
            }
        }
        found
    }

    fn arg(&mut self, node: &Node) -> Option<Arg> {
        let value = match &node.value {
            Value::Scalar(scalar) => match resolved(scalar) {
                Ok(value) => value,
                Err(number) => {
                    let written = escaped(scalar.text.as_clear().unwrap_or_default());
                    self.problems.push(
                        Problem::failed(format!("`{written}` is the number {number} for Salt"))
                            .at(&node.place)
                            .cause("YAML 1.1 reads digits with colons as a number of base 60")
                            .hint(format!("write it in quotes: \"{written}\"")),
                    );
                    return None;
                }
            },
            Value::List(items) => {
                ArgValue::Array(items.iter().map(|item| self.arg(item)).collect::<Option<Vec<_>>>()?)
            }
            Value::Map(map) => {
                let mut table = BTreeMap::new();
                for entry in map.iter() {
                    table.insert(entry.key.clone(), self.arg(&entry.node)?);
                }
                ArgValue::Table(table)
            }
        };
        Some(Arg { value, place: node.place.clone(), read: Vec::new() })
    }
}

/// The value of a scalar; `Err` with the number that digits with colons are.
fn resolved(scalar: &Scalar) -> std::result::Result<ArgValue, i64> {
    let text = scalar.text.as_clear().unwrap_or_default();
    let as_text = || Ok(ArgValue::Text(Text::clear(text)));
    if !scalar.plain {
        return as_text();
    }
    let lower = text.to_ascii_lowercase();
    let cased = text == lower || text == text.to_ascii_uppercase() || capital(text, &lower);
    match lower.as_str() {
        "" | "~" | "null" if cased => return Ok(ArgValue::Unset),
        "yes" | "on" | "true" if cased => return Ok(ArgValue::Boolean(true)),
        "no" | "off" | "false" if cased => return Ok(ArgValue::Boolean(false)),
        _ => {}
    }
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    if let Some(number) = whole(digits) {
        return Ok(number
            .checked_mul(sign)
            .map_or_else(|| ArgValue::Text(Text::clear(text)), ArgValue::Integer));
    }
    if let Some(number) = base_60(digits) {
        return Err(number * sign);
    }
    let fraction = digits.split_once('.').is_some_and(|(before, after)| {
        let digit = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
        let (after, exponent) = after.split_once(['e', 'E']).unwrap_or((after, "+0"));
        let exponent =
            exponent.strip_prefix(['+', '-']).is_some_and(|exponent| digit(exponent) && !exponent.is_empty());
        !before.is_empty() && digit(before) && digit(after) && exponent
    });
    match fraction.then(|| float(&text.replace('_', ""))).flatten() {
        Some(number) => Ok(number),
        None => as_text(),
    }
}

fn capital(text: &str, lower: &str) -> bool {
    text.len() == lower.len()
        && text.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
        && text.get(1..) == lower.get(1..)
}

/// A whole number. Salt takes leading zeros off, so that 0644 is 644.
fn whole(digits: &str) -> Option<i64> {
    let plain = digits.replace('_', "");
    if let Some(hex) = plain.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok();
    }
    if let Some(binary) = plain.strip_prefix("0b") {
        return i64::from_str_radix(binary, 2).ok();
    }
    // What begins with a zero is a number only if its digits are octal.
    let octal = !plain.starts_with('0') || plain.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let starts = digits.as_bytes().first().is_some_and(u8::is_ascii_digit);
    (starts && octal && plain.bytes().all(|byte| byte.is_ascii_digit())).then(|| plain.parse().ok())?
}

/// `22:22` is 1342.
fn base_60(digits: &str) -> Option<i64> {
    let mut parts = digits.split(':');
    let first = parts.next()?;
    let mut number: i64 = whole(first).filter(|_| !first.starts_with('0'))?;
    let mut more = false;
    for part in parts {
        let small = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let part: i64 = part.parse().ok().filter(|part| small && *part < 60)?;
        number = number.checked_mul(60)?.checked_add(part)?;
        more = true;
    }
    more.then_some(number)
}
