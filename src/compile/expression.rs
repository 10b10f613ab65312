//! Expressions: the text between `{{` and `}}` in a state file (minijinja). They compute values
//! from the pillar and the host's facts; secrets pass through as references that nothing can look into.

mod branch;
mod convert;
mod filters;
mod log;
mod opaque;

use super::template::{Part, Unsplit, split};
use super::{Budget, facts};
use crate::desired::read;
use crate::name::HostName;
use crate::observed::Facts;
use crate::pillar::gate;
use crate::pillar::{Float, Node};
use crate::problem::{Place, Problem, Result, escaped};
use crate::script::unknown_fact;
use crate::state::{ArgValue, Segment, Text};
use branch::Branch;
use convert::Converter;
use filters::COUNT;
use log::Log;
use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Environment, Error, ErrorKind};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Bytes that an expression may have.
const LONGEST: usize = 4096;

/// What an expression counts as whose value is missing, as on a thousand hosts at once: its steps are not counted.
/// Any other that fails counts as all that it may take.
const MISSING: u64 = 10_000;

/// The names that an expression can begin with.
const NAMES: [&str; 3] = ["grains", "host", "pillar"];

/// Evaluates the expressions of one host.
pub(super) struct Evaluator<'a> {
    env: Environment<'static>,
    root: Value,
    host: HostName,
    has_facts: bool,
    log: Log,
    budget: &'a Budget,
}

/// The value of a string, and the pillar values that it read.
pub(super) type Evaluated = (ArgValue, Vec<Place>);

impl<'a> Evaluator<'a> {
    /// For a host with its merged pillar.
    pub(super) fn new(
        host: &HostName,
        pillar: &Arc<Node>,
        facts: Option<&Facts>,
        groups: &[(String, u64)],
        labels: &BTreeMap<String, String>,
        budget: &'a Budget,
    ) -> Self {
        let log = Log::default();
        let (mut about, grains) = facts::trees(host, facts, groups, labels);
        if facts.is_none() && !labels.is_empty() {
            about = facts::with_labels(about, labels);
        }
        let root = Root {
            pillar: Branch::root("pillar", Arc::clone(pillar), true, &log),
            host: Branch::root("host", Arc::new(about), false, &log),
            grains: Branch::root("grains", Arc::new(grains), false, &log),
            log: log.clone(),
        };
        Self {
            env: filters::environment(&log),
            root: Value::from_object(root),
            host: host.clone(),
            has_facts: facts.is_some(),
            log,
            budget,
        }
    }

    /// Evaluates a string: one that is a single expression keeps the type of its value.
    pub(super) fn string(&self, text: &str, place: &Place) -> Result<Evaluated> {
        let parts = split(text).map_err(|why| unsplit(why, place))?;
        if let [Part::Expression(expression)] = parts.as_slice() {
            return self.expression(expression, place);
        }
        let (text, read) = self.joined(&parts, |_| place.clone())?;
        Ok((ArgValue::Text(text), read))
    }

    /// Evaluates the text of a file, each expression at its line; what it gives is text, whatever is in it.
    pub(super) fn file(&self, file: &str, text: &str) -> Result<(Text, Vec<Place>)> {
        let line = |at: usize| {
            let lines = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
            Place::new(file, u32::try_from(lines + 1).unwrap_or(u32::MAX))
        };
        let parts = split(text).map_err(|why| {
            let at = match why {
                Unsplit::Unclosed => text.rfind("{{"),
                Unsplit::Statement => text.find("{%"),
            };
            unsplit(why, &line(at.unwrap_or_default()))
        })?;
        self.joined(&parts, |expression| {
            line(expression.as_ptr().addr().saturating_sub(text.as_ptr().addr()))
        })
    }

    fn joined(&self, parts: &[Part<'_>], place: impl Fn(&str) -> Place) -> Result<(Text, Vec<Place>)> {
        let (mut segments, mut read, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for part in parts {
            match part {
                Part::Text(text) => segments.push(Segment::Clear((*text).to_owned())),
                Part::Expression(expression) => {
                    let place = place(expression);
                    match self.expression(expression, &place) {
                        Ok((value, more)) => {
                            match within_text(value) {
                                Ok(text) => segments.extend(text.segments().iter().cloned()),
                                Err(ArgValue::Float(number)) => {
                                    problems.push(not_kept(&number, expression, &more, &place));
                                }
                                Err(other) => problems.push(not_text(other.kind(), expression, &place)),
                            }
                            read.extend(more.into_iter().filter(|place| seen.insert(place.clone())));
                        }
                        Err(found) => problems.extend(found.into_vec()),
                    }
                }
            }
        }
        crate::problem::Problems::check(problems)?;
        Ok((Text::from_segments(segments), read))
    }

    fn expression(&self, expression: &str, place: &Place) -> Result<Evaluated> {
        if expression.len() > LONGEST {
            let what = format!("an expression is longer than {LONGEST} bytes");
            return Err(Problem::failed(what).at(place).into());
        }
        self.budget.check(place).map_err(|problem| *problem)?;
        self.env.compile_expression(expression).map_err(|error| syntax(&error, expression, place))?;
        // It is an expression by itself, and so it is one with a filter behind it.
        let counted = format!("({expression})|{COUNT}");
        let compiled =
            self.env.compile_expression(&counted).map_err(|error| syntax(&error, expression, place))?;
        self.log.clear();
        let result = compiled.eval(self.root.clone());
        let steps = self.log.entries().steps.unwrap_or(match &result {
            Err(error) if error.kind() != ErrorKind::UndefinedError => filters::FUEL,
            _ => MISSING,
        });
        let (mut whole, mut bytes) = (Vec::new(), 0);
        let converted = match &result {
            Ok(value) if !value.is_undefined() => {
                let mut converter = Converter::new(&self.log, &mut whole);
                let converted = converter.argument(value, place);
                bytes = converter.spent();
                converted.map_err(|why| match why {
                    Some(why) => NoValue::Result(why),
                    None => NoValue::Missing,
                })
            }
            Ok(_) => Err(NoValue::Missing),
            Err(error) if error.kind() == ErrorKind::UndefinedError => Err(NoValue::Missing),
            Err(error) => Err(NoValue::Evaluation(said(error))),
        };
        self.budget.pay(steps, bytes, place).map_err(|problem| *problem)?;
        whole.sort_unstable();
        self.judge(expression, place, converted, &whole)
    }

    /// The rule for secrets: each secret that was read is whole in the result, and its text was not requested.
    /// Each read counts by itself, so a comparison is found even if the secret is also used.
    fn judge(
        &self,
        expression: &str,
        place: &Place,
        converted: Result<ArgValue, NoValue>,
        whole: &[usize],
    ) -> Result<Evaluated> {
        let entries = self.log.entries();
        if entries.hidden {
            let what = "`registries` is not visible to states: credentials are sent only to registries";
            return Err(Problem::failed(what).at(place).into());
        }
        let looked_into = entries.looks.iter().enumerate().find(|(number, look)| {
            look.peeked || (!look.excused && converted.is_ok() && whole.binary_search(number).is_err())
        });
        let looked_into = looked_into.map(|(_, look)| look).or_else(|| {
            let blames_secret = match converted {
                Err(NoValue::Evaluation(_)) => true,
                Err(NoValue::Missing) => entries.missing.is_empty(),
                _ => false,
            };
            entries.looks.iter().find(|look| blames_secret && !look.excused)
        });
        if let Some(look) = looked_into {
            return Err(secret_looked_into(&look.path, expression, place).into());
        }
        if let Some(missing) = entries.missing.iter().find(|missing| missing.is_no_fact()) {
            return Err(self.missing(missing, place).into());
        }
        if let Ok(ArgValue::Text(text)) = &converted
            && let Some(number) = text.as_clear().and_then(|text| entries.printed(text))
        {
            return Err(not_kept(number, expression, &entries.read, place).into());
        }
        match converted {
            Ok(value) => Ok((value, entries.read.clone())),
            Err(NoValue::Missing) => Err(match entries.missing.last() {
                Some(missing) => self.missing(missing, place).into(),
                None => Problem::failed(format!("`{}` has no value", escaped(expression))).at(place).into(),
            }),
            Err(NoValue::Evaluation(why) | NoValue::Result(why)) => {
                let what = format!("`{}` cannot be evaluated", escaped(expression));
                Err(Problem::failed(what).at(place).cause(escaped(&why)).into())
            }
        }
    }

    fn missing(&self, missing: &log::Missing, place: &Place) -> Problem {
        let path = escaped(&missing.path);
        let fact = path.strip_prefix("host.").or_else(|| path.strip_prefix("grains."));
        if let Some(fact) = fact
            && !missing.is_no_fact()
            && !self.has_facts
            && facts::OF_ENGINE.contains(&fact)
        {
            let what = format!("`{path}` is not known: the Engine of {} was not asked", self.host);
            return Problem::failed(what).at(place);
        }
        let what = match path.contains('.') {
            true => format!("`{path}` does not exist for host {}", self.host),
            false => format!("`{path}` is not a name in expressions"),
        };
        let problem = Problem::failed(what).at(place);
        if missing.is_no_fact() {
            let tree = path.split('.').next().unwrap_or_default();
            let known = missing.known.iter().map(String::as_str);
            return problem.hint(unknown_fact(tree, &missing.key, known));
        }
        let near = crate::problem::nearest(&missing.key, missing.known.iter().map(String::as_str));
        let before = missing.path.strip_suffix(missing.key.as_str()).unwrap_or_default();
        match near {
            Some(near) => problem.hint(format!("did you mean `{}{}`?", escaped(before), escaped(near))),
            None if let Some(hint) = gate::no_version(&missing.path) => problem.hint(hint),
            None if missing.path == missing.key => {
                problem.hint("expressions know `pillar`, `host` and `grains`")
            }
            None => problem.hint("write `| default(…)` or `pillar.get(\"a:b\", …)` where it may be missing"),
        }
    }
}

/// Why an expression has no value.
enum NoValue {
    Missing,
    Evaluation(String),
    Result(String),
}

/// Whether an expression in a string uses a fact that only the host's Engine knows, and no label of the inventory.
pub(super) fn asks_for_facts(text: &str, labels: &BTreeMap<String, String>) -> bool {
    let env = Environment::new();
    let parts = split(text).unwrap_or_default();
    parts.iter().any(|part| {
        let Part::Expression(expression) = part else { return false };
        let Ok(compiled) = env.compile_expression(expression) else { return false };
        compiled.undeclared_variables(true).iter().any(|path| {
            let mut steps = path.split('.');
            let of_host = matches!(steps.next(), Some("host" | "grains"));
            of_host
                && !matches!(steps.next(), Some("name" | "groups" | "group_hosts" | "id"))
                && !facts::is_label(path, labels)
        })
    })
}

/// What an expression can begin with.
struct Root {
    pillar: Value,
    host: Value,
    grains: Value,
    log: Log,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[names]")
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        match name {
            "pillar" => Some(self.pillar.clone()),
            "host" => Some(self.host.clone()),
            "grains" => Some(self.grains.clone()),
            "registries" => {
                self.log.hidden();
                None
            }
            _ => {
                self.log.missing(name.to_owned(), name, NAMES.map(str::to_owned).to_vec());
                None
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&NAMES)
    }
}

/// A value in the middle of a string.
fn within_text(value: ArgValue) -> Result<Text, ArgValue> {
    match value {
        ArgValue::Text(text) => Ok(text),
        ArgValue::Integer(number) => Ok(Text::clear(number.to_string())),
        ArgValue::Boolean(truth) => Ok(Text::clear(truth.to_string())),
        other => Err(other),
    }
}

/// A number with a fraction within text.
fn not_kept(number: &Float, expression: &str, read: &[Place], place: &Place) -> Problem {
    let what = format!(
        "`{}` gives the number {}, and text is wanted here",
        escaped(expression),
        escaped(&number.written)
    );
    let problem = Problem::failed(what)
        .at(place)
        .cause("a number does not keep its last zeros: 1.10 is 1.1, which is another version")
        .hint(read::quotes(number, read));
    match read {
        [] => problem.hint("a result that was computed becomes text with a filter: `| round(2) | string`"),
        _ => problem,
    }
}

fn not_text(kind: &str, expression: &str, place: &Place) -> Problem {
    let what =
        format!("`{}` gives a value of type {kind}, which has no place within text", escaped(expression));
    let problem = Problem::failed(what).at(place);
    match kind {
        "array" => problem.hint("join it: `| join(\",\")`"),
        "table" => problem.hint("write `| tojson`, or choose a key of it"),
        _ => problem.hint("write `| default(…, true)` where it may be None"),
    }
}

fn unsplit(why: Unsplit, place: &Place) -> Problem {
    match why {
        Unsplit::Unclosed => Problem::failed("`{{` begins an expression that does not end with `}}`")
            .at(place)
            .hint("a `{{` that is meant as text is written `{{ '{{' }}`"),
        Unsplit::Statement => {
            Problem::failed("`{% … %}` is not available: a string may contain only expressions")
                .at(place)
                .hint(
                    "choose with `{{ a if b else c }}`; a `{%` that is meant as text is written `{{ '{%' }}`",
                )
        }
    }
}

fn syntax(error: &Error, expression: &str, place: &Place) -> Problem {
    let problem = Problem::failed(format!("`{}` is not an expression", escaped(expression)))
        .at(place)
        .cause(escaped(&said(error)));
    match expression.starts_with('.') {
        true => problem.hint("a `{{` that is meant as text is written `{{ '{{' }}`"),
        false => problem,
    }
}

/// An error of minijinja without the place within the expression.
fn said(error: &Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

fn secret_looked_into(path: &str, expression: &str, place: &Place) -> Problem {
    Problem::failed(format!("`{}` looks into the secret `{}`", escaped(expression), escaped(path)))
        .at(place)
        .cause("a secret may be placed, joined, chosen and encoded; its content is not known while compiling")
        .hint("join by text around it (\"user:{{ … }}\", not `~`), choose with `| default` or `a if b else c`")
        .hint("encode with `| urlencode`, `| b64encode` or `| tojson`; ask whether it exists with `pillar.has(\"a:b\")`")
}

#[cfg(test)]
mod tests;
