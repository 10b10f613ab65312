//! State files in Starlark: from the result of `run` to declarations, in plain dicts and in Salt's lists of
//! dicts with one key each.

mod source;

use super::declared::{Declared, Written};
use crate::desired::read as desired_read;
use crate::pillar::{Float, Node};
use crate::problem::{Place, Problem, escaped};
use crate::script::{Part, Piece, Ran, Value};
use crate::state::{Arg, ArgValue, SecretRef, Segment, Text};
use source::Sources;
use std::collections::{BTreeMap, BTreeSet};

/// Reads the result of one file; `secrets` are those of the pillar by their numbers. Errors are noted, and the rest
/// is still read.
pub(super) fn read(file: &str, ran: &Ran, pillar: &Node, secrets: &[SecretRef], declared: &mut Declared) {
    declared.notes.extend(ran.notes.iter().cloned());
    let sources = Sources::of(pillar, &ran.read);
    let mut reader = StarReader { file, secrets, sources, declared };
    match &ran.states.part {
        Part::Table(states) => {
            for (id, state) in states {
                reader.state(id, state);
            }
        }
        other => {
            let place = reader.place(&ran.states);
            reader.declared.problems.push(
                Problem::failed(format!("`run` returns {}, not a dict of states", kind(other)))
                    .at(&place)
                    .hint("it begins with `config = {}` and ends with `return config`"),
            );
        }
    }
}

struct StarReader<'a> {
    file: &'a str,
    secrets: &'a [SecretRef],
    sources: Sources<'a>,
    declared: &'a mut Declared,
}

impl StarReader<'_> {
    fn place(&self, value: &Value) -> Place {
        match &value.at {
            Some((file, line)) => Place::new(file.as_str(), *line),
            None => Place::new(self.file, 0),
        }
    }

    fn wrong(&mut self, what: String, at: &Value, hint: &str) {
        let place = self.place(at);
        self.declared.problems.push(Problem::failed(what).at(&place).hint(hint));
    }

    /// `id: {"container.running": …}`.
    fn state(&mut self, id: &str, state: &Value) {
        let Part::Table(functions) = &state.part else {
            let what = format!("the state `{}` is {}, not a dict", escaped(id), kind(&state.part));
            self.wrong(what, state, "it is a dict of functions: {\"container.running\": {\"image\": …}}");
            return;
        };
        for (word, arguments) in functions {
            let (word, arguments, rest) = self.named(word, arguments);
            let place = self.place(arguments);
            let args = self.arguments(&word, arguments, rest);
            let Some((args, unread)) = args else { continue };
            self.declared.take(Written { id, word: &word, args, place, unread });
        }
    }

    /// Salt's other way to write a function: `"docker": ["running", {…}]`.
    fn named<'v>(&self, word: &str, arguments: &'v Value) -> (String, &'v Value, usize) {
        if !word.contains('.')
            && let Part::List(items) = &arguments.part
            && let Some(Part::Text(pieces)) = items.first().map(|item| &item.part)
            && let [Piece::Clear(name)] = pieces.as_slice()
        {
            return (format!("{word}.{name}"), arguments, 1);
        }
        (word.to_owned(), arguments, 0)
    }

    /// The arguments: a dict, or a list of dicts; the first `skip` items are not looked at.
    fn arguments(
        &mut self,
        word: &str,
        arguments: &Value,
        skip: usize,
    ) -> Option<(BTreeMap<String, Arg>, BTreeSet<String>)> {
        let entries: Vec<&(String, Value)> = match &arguments.part {
            Part::Table(entries) => entries.iter().collect(),
            Part::None => Vec::new(),
            Part::List(items) => {
                let mut entries = Vec::new();
                for item in &items[skip..] {
                    let Part::Table(pairs) = &item.part else {
                        let what = format!(
                            "an argument of {} is {}, not a dict like {{\"name\": \"nginx\"}}",
                            escaped(word),
                            kind(&item.part)
                        );
                        let place = self.place(item);
                        self.declared.problems.push(Problem::failed(what).at(&place));
                        return None;
                    };
                    entries.extend(pairs);
                }
                entries
            }
            other => {
                let what = format!("the arguments of {} are {}", escaped(word), kind(other));
                self.wrong(what, arguments, "they are a dict, or a list of dicts with one key each");
                return None;
            }
        };
        let (mut args, mut unread) = (BTreeMap::new(), BTreeSet::new());
        for (name, value) in entries {
            match self.arg(value) {
                Some(arg) => {
                    let place = arg.place.clone();
                    if let Some(before) = args.insert(name.clone(), arg) {
                        let what = format!("`{}` of {} is written twice", escaped(name), escaped(word));
                        let other = format!("the other one is in {}", before.place);
                        self.declared.problems.push(Problem::failed(what).at(&place).cause(other));
                    }
                }
                None => {
                    unread.insert(name.clone());
                }
            }
        }
        Some((args, unread))
    }

    fn arg(&mut self, value: &Value) -> Option<Arg> {
        let place = self.place(value);
        let mut read = Vec::new();
        let converted = match &value.part {
            Part::None => ArgValue::Unset,
            Part::Boolean(truth) => ArgValue::Boolean(*truth),
            Part::Integer(number) => {
                read = self.sources.of_text(&number.to_string());
                ArgValue::Integer(*number)
            }
            Part::Float(bits) => {
                let number = f64::from_bits(*bits);
                read = self.sources.of_text(&number.to_string());
                ArgValue::Float(self.sources.as_written(number))
            }
            Part::Text(pieces) => {
                let mut segments = Vec::new();
                for piece in pieces {
                    segments.push(match piece {
                        Piece::Clear(text) => {
                            if let Some(number) = self.sources.printed(text) {
                                let problem =
                                    printed(number, &self.sources.of_text(&number.value.to_string()));
                                self.declared.problems.push(problem.at(&place));
                                return None;
                            }
                            read.extend(self.sources.of_text(text));
                            Segment::Clear(text.clone())
                        }
                        Piece::Secret(number, encoders) => {
                            let Some(secret) = self.secrets.get(*number) else {
                                let problem =
                                    Problem::failed("a state contains a secret that was not given to it");
                                self.declared.problems.push(problem.at(&place));
                                return None;
                            };
                            read.extend(self.sources.of_secret(secret));
                            Segment::Secret(SecretRef { encoders: encoders.clone(), ..secret.clone() })
                        }
                    });
                }
                ArgValue::Text(Text::from_segments(segments))
            }
            Part::List(items) => {
                let items: Vec<Option<Arg>> = items.iter().map(|item| self.arg(item)).collect();
                ArgValue::Array(items.into_iter().collect::<Option<_>>()?)
            }
            Part::Table(entries) => {
                let entries: Vec<Option<(String, Arg)>> =
                    entries.iter().map(|(key, item)| Some((key.clone(), self.arg(item)?))).collect();
                ArgValue::Table(entries.into_iter().collect::<Option<_>>()?)
            }
        };
        Some(Arg { value: converted, place, read })
    }
}

/// A number of the pillar was printed into a text, which has lost some of its digits.
fn printed(number: &Float, read: &[Place]) -> Problem {
    let (written, shown) = (escaped(&number.written), number.value.to_string());
    Problem::failed(format!("the number {written} of the pillar became {shown} in a text"))
        .cause("a number does not keep its last zeros: 1.10 is 1.1, which is another version")
        .hint(desired_read::quotes(number, read))
}

fn kind(part: &Part) -> &'static str {
    match part {
        Part::None => "None",
        Part::Boolean(_) => "True or False",
        Part::Integer(_) | Part::Float(_) => "a number",
        Part::Text(_) => "text",
        Part::List(_) => "a list",
        Part::Table(_) => "a dict",
    }
}
