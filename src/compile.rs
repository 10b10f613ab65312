//! From state files, pillar and facts to the desired state of a host. Pure, needs no key, and reports
//! everything that is wrong at once.

mod arguments;
mod budget;
mod compose;
mod condition;
mod container;
mod declared;
mod expression;
mod facts;
mod files;
mod foreign_keys;
mod gate;
mod image;
mod order;
mod requisite;
mod resource;
mod service;
mod star;
mod task;
mod template;
mod toml;

pub use budget::Budget;
pub use facts::trees as facts_trees;

use crate::desired::{Address, Desired, DesiredState, Item, Kind, Reaction, Requisites};
use crate::inventory::ComposeProject;
use crate::name::{HostName, Owner};
use crate::observed::Facts;
use crate::pillar::Node;
use crate::pillar::gate::Gates;
use crate::problem::{Place, Problem, Problems, Result, escaped};
use crate::script::Ran;
use crate::state::{Arg, ArgValue, Declaration, FileBytes, Function, Text};
use arguments::Common;
use declared::Declared;
use expression::Evaluator;
use requisite::Named;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that a host's desired state depends on.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// Goes into every label.
    pub workspace: &'a Owner,
    /// The host.
    pub host: &'a HostName,
    /// Groups of the inventory that the host is in, each with the number of hosts in it: `host.groups`,
    /// `host.group_hosts`.
    pub groups: &'a [(String, u64)],
    /// Labels of the inventory: `host.labels` where no Engine was asked, and grains.
    pub labels: &'a BTreeMap<String, String>,
    /// State files in the order of the inventory: path in the workspace (`states/nginx.toml`), text.
    pub states: &'a [(String, String)],
    /// The results of those in Starlark, which were run for this host.
    pub ran: &'a BTreeMap<String, Result<Ran>>,
    /// Compose projects of the host.
    pub compose: &'a [&'a ComposeProject],
    /// Reads a file of the workspace that a Compose file names; `None` if there is none.
    pub read: &'a dyn Fn(&str) -> Result<Option<String>>,
    /// Reads a file of the workspace that is given to a container; `None` if there is none.
    pub source: &'a dyn Fn(&str) -> Result<Option<FileBytes>>,
    /// The files at or below a path of the workspace, relative to it, and whether they may be executed.
    pub list: &'a crate::compose::List<'a>,
    /// The host's merged pillar, a table.
    pub pillar: &'a Arc<Node>,
    /// What is left for the expressions of this run.
    pub budget: &'a Budget,
    /// What the host's Engine reports about itself; if it is `None`, an expression that uses it is an error.
    pub facts: Option<&'a Facts>,
}

/// Whether a state uses facts that only the host's Engine knows: only then the Engine must be asked
/// before compiling. A file that cannot be read uses none; [`compile`] reports it. Files in Starlark are
/// left out: they say so themselves when they are run.
pub fn needs_facts(
    states: &[(String, String)],
    projects: &[&ComposeProject],
    source: &dyn Fn(&str) -> Result<Option<FileBytes>>,
    labels: &BTreeMap<String, String>,
) -> bool {
    let asks = |text: &str| expression::asks_for_facts(text, labels);
    let vars = projects.iter().flat_map(|project| project.vars.values());
    let mut needed = vars.into_iter().any(|(text, _)| asks(text));
    for (file, text) in states.iter().filter(|(file, _)| !is_starlark(file)) {
        let mut look = |text: &str, _: &Place| {
            needed = needed || asks(text);
            Ok((ArgValue::Text(Text::clear(text)), Vec::new()))
        };
        let mut read = Declared::default();
        toml::read(file, text, &mut look, &mut read);
        needed = needed || files::ask_for_facts(&read.found, source, asks);
    }
    needed
}

/// Compiles the states of one host.
///
/// # Errors
/// Everything that is wrong in the states and gates: TOML, functions and fields, expressions, missing
/// values, secrets where none is allowed, versions that are not allowed, contradictions, cycles.
pub fn compile(inputs: &Inputs) -> Result<Desired> {
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let declarations = declarations(inputs, &mut problems, &mut notes);
    one_file_an_id(&declarations, &mut problems);

    let checked: Vec<Checked> = declarations
        .iter()
        .enumerate()
        .filter(|(_, declaration)| condition::leaves_out(&declaration.args).is_none())
        .map(|(index, declaration)| Checked {
            declaration,
            common: arguments::check(declaration, &mut problems, &mut notes),
            index,
        })
        .collect();
    let gates = Gates::read(inputs.pillar).unwrap_or_else(|found| {
        problems.extend(found.into_vec());
        Gates::default()
    });
    problems.extend(gates.problems().cloned());
    let mut drafts: Vec<Draft> = image::drafts(&checked, &gates, &mut problems);
    drafts.extend(container::drafts(&checked, &gates, &mut problems));
    drafts.extend(service::drafts(&checked, &gates, &mut problems));
    drafts.extend(task::drafts(&checked, &gates, &mut problems));
    task::apart(&drafts, &mut problems);
    drafts.extend(resource::drafts(&checked, &mut problems));
    image::mounted(&mut drafts);
    drafts.extend(left_out(&declarations));
    container::taken(&drafts, &mut problems);
    container::shares::check(&mut drafts, &mut problems);
    let items = order::arrange(drafts, &declarations, &mut problems);
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    problems.dedup();
    Problems::check(problems)?;
    Ok(Desired {
        workspace: inputs.workspace.clone(),
        host: inputs.host.clone(),
        items,
        notes,
        partial: false,
    })
}

/// Whether a file of states is written in Starlark.
pub fn is_starlark(file: &str) -> bool {
    file.ends_with(".star")
}

fn declarations(inputs: &Inputs, problems: &mut Vec<Problem>, notes: &mut Vec<String>) -> Vec<Declaration> {
    let evaluator =
        Evaluator::new(inputs.host, inputs.pillar, inputs.facts, inputs.groups, inputs.labels, inputs.budget);
    let mut evaluate = |text: &str, place: &Place| evaluator.string(text, place);
    let secrets = OnceCell::new();
    let mut declared = Declared::default();
    for (file, text) in inputs.states {
        match inputs.ran.get(file) {
            _ if !is_starlark(file) => toml::read(file, text, &mut evaluate, &mut declared),
            Some(Ok(ran)) => {
                let secrets = secrets.get_or_init(|| crate::script::secrets(inputs.pillar));
                star::read(file, ran, inputs.pillar, secrets, &mut declared);
            }
            Some(Err(wrong)) => declared.problems.extend(wrong.iter().cloned()),
            None => {
                let place = Place::new(file.as_str(), 0);
                declared.problems.push(Problem::failed("the file was not run").at(&place));
            }
        }
    }
    let mut found = declared.finish(problems, notes);
    for project in inputs.compose {
        found.extend(compose::read(project, inputs, &mut evaluate, problems, notes));
    }
    files::bring(&mut found, inputs.source, &evaluator, problems);
    found
}

/// What `onlyif` and `unless` leave out on this host: ids that others may still name.
fn left_out(declarations: &[Declaration]) -> Vec<Draft> {
    let left = declarations.iter().enumerate();
    let left = left.filter_map(|(index, declaration)| {
        let why = condition::leaves_out(&declaration.args)?;
        let name = format!("{}.{}", declaration.id, declaration.function.name());
        let item = Item {
            address: Address { kind: Kind::State, name },
            want: DesiredState::LeftOut { why },
            declared: vec![(declaration.id.clone(), declaration.place.clone())],
            needs: Vec::new(),
            gate: None,
            requisites: Requisites::default(),
        };
        Some(Draft { index, ..Draft::new(item, &[]) })
    });
    left.collect()
}

/// An id may have several functions, but only in one file: otherwise `require` would be ambiguous.
fn one_file_an_id(declarations: &[Declaration], problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    for Declaration { id, place, .. } in declarations {
        let before = first.entry(id).or_insert(place);
        if before.file != place.file {
            let what = format!("the id `{}` is declared in another file too", escaped(id));
            problems.push(Problem::failed(what).at(place).cause(format!("the other one is in {before}")));
        }
    }
}

/// A declaration whose argument names are known.
struct Checked<'a> {
    declaration: &'a Declaration,
    common: Common,
    /// Counts declarations in the order of files and lines.
    index: usize,
}

impl Checked<'_> {
    fn function(&self) -> Function {
        self.declaration.function
    }

    /// An argument, unless it is not written or None.
    fn arg(&self, name: &str) -> Option<&Arg> {
        self.declaration.args.get(name).filter(|arg| arg.value != ArgValue::Unset)
    }

    fn declared(&self) -> (String, Place) {
        (self.declaration.id.clone(), self.declaration.place.clone())
    }
}

/// An item before it is ordered.
struct Draft {
    item: Item,
    /// The lowest `order` of its declarations.
    order: Option<i64>,
    /// Of its first declaration.
    index: usize,
    /// Ids that must come before, with the line that says so.
    requires: Vec<Named>,
    /// Ids that it watches, and how it reacts.
    watches: Vec<(Named, Reaction)>,
    /// Ids one of which must change, or nothing is changed.
    onchanges: Vec<Named>,
    /// Resources of the same declaration that must come before.
    after: Vec<Address>,
}

impl Draft {
    /// From the declarations that it was merged from, in the order of files and lines.
    fn new(item: Item, from: &[&Checked]) -> Self {
        Self {
            item,
            order: from.iter().filter_map(|checked| checked.common.order).min(),
            index: from.iter().map(|checked| checked.index).min().unwrap_or_default(),
            requires: from.iter().flat_map(|checked| checked.common.requires.iter().cloned()).collect(),
            watches: from.iter().flat_map(|checked| checked.common.watches.iter().cloned()).collect(),
            onchanges: from.iter().flat_map(|checked| checked.common.onchanges.iter().cloned()).collect(),
            after: Vec::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
