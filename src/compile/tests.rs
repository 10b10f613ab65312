//! The compiler from text to items; fixtures for the tests below it.

mod article;
mod container_files;
mod errors;
mod files;
mod foreign;
mod laws;
mod merging;
mod options;
mod ordering;
mod resources;
mod salt;
mod services;
mod star;
mod tasks;
mod texts;

use super::{Budget, Inputs, compile, facts_trees, is_starlark};
use crate::desired::{Desired, DesiredContainer, DesiredState};
use crate::name::{HostName, KeyPath, WorkspaceName};
use crate::observed::Facts;
use crate::pillar::{Float, Node, Origin, SealId, Sealed, Table, Value};
use crate::problem::{Place, Problem, Result};
use crate::script::{Line, Outcome, Ran, Request};
use crate::state::FileBytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pillar from TOML with the places of `pillar/apps.toml`; `{ sealed = "…", id = "…" }` is a secret.
pub(crate) fn pillar(text: &str) -> Node {
    let document = toml_edit::Document::parse(text).expect("TOML");
    let line = |span: Option<std::ops::Range<usize>>| {
        let before = &text[..span.map_or(0, |span| span.start)];
        Place::new("pillar/apps.toml", u32::try_from(before.matches('\n').count() + 1).expect("a line"))
    };
    fn table(
        table: &dyn toml_edit::TableLike,
        path: &[String],
        line: &dyn Fn(Option<std::ops::Range<usize>>) -> Place,
        text: &str,
    ) -> Table {
        let entries = table.iter().map(|(key, item)| {
            let mut path = path.to_vec();
            path.push(key.to_owned());
            let place = line(table.key(key).and_then(toml_edit::Key::span));
            (key.to_owned(), Node::new(value(item, &path, line, text), &place))
        });
        entries.collect()
    }
    fn value(
        item: &toml_edit::Item,
        path: &[String],
        line: &dyn Fn(Option<std::ops::Range<usize>>) -> Place,
        text: &str,
    ) -> Value {
        if let Some(inner) = item.as_table_like() {
            if let Some(sealed) = inner.get("sealed").and_then(toml_edit::Item::as_str) {
                let id = inner.get("id").and_then(toml_edit::Item::as_str).expect("an id");
                return Value::Sealed(Box::new(Sealed {
                    sealed: sealed.to_owned(),
                    id: SealId::parse(id).expect("an id"),
                    origin: Origin {
                        file: "apps.toml".to_owned(),
                        key: KeyPath::from_parts(path.to_vec()).expect("a key"),
                    },
                }));
            }
            return Value::Table(table(inner, path, line, text));
        }
        match item.as_value().expect("a value") {
            toml_edit::Value::String(text) => Value::String(text.value().clone()),
            toml_edit::Value::Integer(number) => Value::Integer(*number.value()),
            toml_edit::Value::Float(number) => {
                let written = number.span().map_or("", |span| &text[span]);
                Value::Float(Float::written(*number.value(), written))
            }
            toml_edit::Value::Boolean(truth) => Value::Boolean(*truth.value()),
            toml_edit::Value::Datetime(time) => Value::Datetime(time.value().to_string()),
            toml_edit::Value::Array(items) => {
                let items = items.iter().map(|item| {
                    let place = line(item.span());
                    Node::new(value(&toml_edit::Item::Value(item.clone()), path, line, text), &place)
                });
                Value::Array(items.collect())
            }
            toml_edit::Value::InlineTable(_) => unreachable!("tables were taken above"),
        }
    }
    Node::new(Value::Table(table(document.as_table(), &[], &line, text)), &Place::new("pillar/apps.toml", 0))
}

pub(crate) fn facts() -> Facts {
    Facts {
        engine_id: "ABCD".to_owned(),
        engine_version: "20.10.24".to_owned(),
        api_version: "1.41".to_owned(),
        os: "linux".to_owned(),
        arch: "amd64".to_owned(),
        cpus: 8,
        memory: 16 << 30,
        hostname: "web1.example.com".to_owned(),
        can_update: true,
        runs_health_checks: true,
        rootless: false,
        labels: BTreeMap::from([("zone".to_owned(), "a".to_owned())]),
    }
}

/// Files of a workspace that containers are given.
fn source(path: &str) -> Option<FileBytes> {
    let bytes: &[u8] = match path {
        "files/plain.conf" => b"listen {{ port }}\n",
        "files/binary" => b"\0\xff\xfe",
        "files/template.conf" => b"# for {{ host.name }}\nlisten {{ pillar.port }}\n",
        "files/secret.conf" => b"user api\npassword {{ pillar.api.db_password }}\n",
        "files/wrong.conf" => b"a\n\n{{ pillar.prot }}\n{{ pillar.neither }}\n",
        "files/statement.conf" => b"a\n{% if x %}b{% endif %}\n",
        "files/unclosed.conf" => b"a {{ pillar.port }}\nb {{ pillar\n",
        _ => return None,
    };
    Some(FileBytes::new(bytes))
}

/// Compiles files for host web1, whose facts are known; files in Starlark are run right here.
pub(crate) fn compiled(files: &[(&str, &str)], pillar_text: &str) -> Result<Desired> {
    let states: Vec<(String, String)> =
        files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    let (host, pillar) = (HostName::parse("web1").expect("a name"), pillar(pillar_text));
    let groups = [("web".to_owned(), 3)];
    let facts = facts();
    compile(&Inputs {
        workspace: &WorkspaceName::parse("shop").expect("a name").into(),
        host: &host,
        groups: &groups,
        labels: &BTreeMap::new(),
        ran: &run(&states, &host, &pillar, Some(&facts), &groups),
        states: &states,
        compose: &[],
        read: &|_| Ok(None),
        source: &|path| Ok(source(path)),
        list: &|_| Ok(Vec::new()),
        pillar: &Arc::new(pillar.clone()),
        budget: &Budget::of(1),
        facts: Some(&facts),
    })
}

/// The results of the files in Starlark, run in this process and without limits.
fn run(
    states: &[(String, String)],
    host: &HostName,
    pillar: &Node,
    facts: Option<&Facts>,
    groups: &[(String, u64)],
) -> BTreeMap<String, Result<Ran>> {
    let files: BTreeMap<String, String> =
        states.iter().filter(|(file, _)| is_starlark(file)).cloned().collect();
    let (about, grains) = facts_trees(host, facts, groups, &BTreeMap::new());
    let given = |node: &Node| crate::script::given(node).expect("it is not deep");
    let asked = crate::script::Host {
        name: host.to_string(),
        runs: states.iter().map(|(file, _)| file.clone()).filter(|file| is_starlark(file)).collect(),
        pillar: given(pillar),
        host: given(&about),
        grains: given(&grains),
        asked: facts.is_some(),
    };
    let (mut ran, mut at) = (BTreeMap::new(), String::new());
    let mut say = |line: &Line| -> Result<(), std::convert::Infallible> {
        match line {
            Line::Begin { file, .. } => at.clone_from(file),
            Line::End(Outcome::Ran(gave)) => drop(ran.insert(at.clone(), Ok(gave.clone()))),
            Line::End(Outcome::Failed(faults)) => {
                let problem = |fault: &crate::script::Fault| Problem {
                    place: fault.at.as_ref().map(|(file, line)| Place::new(file.as_str(), *line)),
                    causes: fault.causes.clone(),
                    hints: fault.hints.clone(),
                    ..Problem::failed(fault.what.as_str())
                };
                let wrong = crate::problem::Problems::check(faults.iter().map(problem).collect());
                ran.insert(at.clone(), Err(wrong.expect_err("it says why")));
            }
            Line::End(Outcome::NeedsFacts | Outcome::NotBuiltIn) | Line::Done => {}
        }
        Ok(())
    };
    let Ok(()) = crate::interpreter::run(&Request { files, hosts: vec![asked] }, &mut say);
    ran
}

/// The one container of a state text.
pub(crate) fn container(state: &str, pillar_text: &str) -> DesiredContainer {
    let desired = compiled(&[("states/a.toml", state)], pillar_text).expect("it compiles");
    let mut items = desired.items.into_iter();
    match items.next().map(|item| item.want) {
        Some(DesiredState::Container(container)) => *container,
        other => panic!("no container: {other:?}"),
    }
}

/// A problem as it is printed.
pub(crate) fn printed(problem: &Problem) -> String {
    let mut text = format!("error: {problem}\n");
    for cause in &problem.causes {
        text.push_str(&format!("caused by: {cause}\n"));
    }
    for hint in &problem.hints {
        text.push_str(&format!("hint: {hint}\n"));
    }
    text
}

/// All problems of a state text as they are printed.
pub(crate) fn problems(files: &[(&str, &str)], pillar_text: &str) -> String {
    match compiled(files, pillar_text) {
        Ok(desired) => panic!("it compiles: {desired:#?}"),
        Err(found) => found.iter().map(printed).collect(),
    }
}
