//! A pillar of Salt that is a program: what its `run` gives, for an import. Unlike states it holds secrets
//! in clear, so nothing of its text goes into an error, and what was copied is wiped.

use super::{Outcome, child, hear, not_built_in};
use crate::problem::{Place, Problem, Problems, Result};
use crate::process::End;
use crate::script::{Given, Host, Part, Piece, Request, Value};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroize as _;

/// Where the child finds it.
const FILE: &str = "states/pillar.star";

/// Runs a pillar and gives it as JSON, each value on the line where it stands written. `shown` is what
/// people call the file.
///
/// # Errors
/// Where it is no program, fails, or exceeds a limit: with the line, and without a word of its text.
pub fn pillar(program: &Path, text: &Secret, shown: &str, limit: Duration) -> Result<Secret> {
    let place = |line| Place::new(shown, line);
    let text = text.reveal_text().ok_or_else(|| Problem::failed("this is not UTF-8 text").at(&place(0)))?;
    let nothing = || Given::Table(BTreeMap::new());
    let host = Host {
        name: String::new(),
        runs: vec![FILE.to_owned()],
        pillar: nothing(),
        host: nothing(),
        grains: nothing(),
        asked: true,
    };
    let mut request =
        Request { files: BTreeMap::from([(FILE.to_owned(), text.to_owned())]), hosts: vec![host] };
    let (end, said) = child::run(program, &request, limit);
    request.files.values_mut().for_each(String::zeroize);
    let failed = |line| {
        Problem::failed("this pillar is a program that cannot be run")
            .at(&place(line))
            .hint("straighten its quotes and close its brackets: Starlark, a dialect of Python, runs it")
            .hint("or render it: salt-call --out=yaml pillar.items > FILE")
    };
    let mut came = [BTreeMap::new()];
    let mut heard = hear(&said, &mut came);
    heard.last_words.iter_mut().for_each(String::zeroize);
    match (came[0].remove(FILE), end) {
        (Some(Outcome::Ran(mut ran)), End::Exit(0)) => {
            let mut writer = Json { text: String::with_capacity(text.len() * 8), line: 1 };
            writer.value(&ran.states);
            wipe(&mut ran.states);
            ran.notes.iter_mut().for_each(String::zeroize);
            Ok(Secret::from(writer.text))
        }
        (Some(Outcome::Failed(faults)), _) => {
            let mut problems: Vec<Problem> = Vec::new();
            for mut fault in faults {
                let line = fault.at.as_ref().map_or(0, |(_, line)| *line);
                let mut problem = match problems.is_empty() {
                    true => failed(line),
                    false => Problem::failed("another error of the program").at(&place(line)),
                };
                // Of what is said, only this holds nothing of the text.
                if fault.hints.iter().any(|hint| hint.contains("` is missing ")) {
                    problem = problem.cause(&fault.what);
                    problem = fault.hints.drain(..).fold(problem, |problem, hint| problem.hint(hint));
                }
                problems.push(problem);
                fault.what.zeroize();
                fault.causes.iter_mut().for_each(String::zeroize);
            }
            Problems::check(problems)?;
            Err(failed(0).into())
        }
        (Some(Outcome::NotBuiltIn), _) => Err(not_built_in().at(&place(0)).into()),
        (_, end) => Err(failed(0).cause(child::ended(&end)).into()),
    }
}

fn wipe(value: &mut Value) {
    match &mut value.part {
        Part::Text(pieces) => pieces.iter_mut().for_each(|piece| {
            if let Piece::Clear(text) = piece {
                text.zeroize();
            }
        }),
        Part::List(items) => items.iter_mut().for_each(wipe),
        Part::Table(entries) => entries.iter_mut().for_each(|(_, item)| wipe(item)),
        _ => {}
    }
}

/// JSON with line ends where the source has them.
struct Json {
    text: String,
    line: u32,
}

impl Json {
    fn string(&mut self, text: &str) {
        let quoted = crate::state::Encoder::ToJson.apply(&Secret::from(text.to_owned()));
        self.text.push_str(quoted.as_ref().and_then(Secret::reveal_text).unwrap_or_default());
    }

    fn value(&mut self, value: &Value) {
        match &value.part {
            Part::None => self.text.push_str("null"),
            Part::Boolean(truth) => self.text.push_str(if *truth { "true" } else { "false" }),
            Part::Integer(number) => self.text.push_str(&number.to_string()),
            Part::Float(bits) => self.text.push_str(&f64::from_bits(*bits).to_string()),
            Part::Text(pieces) => {
                let text = match pieces.as_slice() {
                    [Piece::Clear(text)] => text.as_str(),
                    _ => "",
                };
                self.string(text);
            }
            Part::List(items) => {
                self.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.text.push_str(if index > 0 { ", " } else { "" });
                    self.value(item);
                }
                self.text.push(']');
            }
            Part::Table(entries) => {
                self.text.push('{');
                for (index, (key, item)) in entries.iter().enumerate() {
                    self.text.push_str(if index > 0 { ", " } else { "" });
                    if let Some((_, line)) = &item.at {
                        while self.line < *line {
                            self.text.push('\n');
                            self.line += 1;
                        }
                    }
                    self.string(key);
                    self.text.push_str(": ");
                    self.value(item);
                }
                self.text.push('}');
            }
        }
    }
}
