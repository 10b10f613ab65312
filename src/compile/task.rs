//! `task.ran`: a container that runs to its end before anything is replaced, once for an image and a spec.

use super::container::{self, agree};
use super::{Checked, Draft};
use crate::desired::fields::Canonical;
use crate::desired::{Address, DesiredState, DesiredTask, Item, Kind, On, Requisites, Run, read};
use crate::name::{ContainerName, HostName};
use crate::pillar::gate::Gates;
use crate::problem::{Problem, Result};
use crate::state::Function;
use serde_json::json;

/// Seconds within which a task without `timeout` must end.
const TIMEOUT: u32 = 600;

/// One item for each task.
pub(super) fn drafts(checked: &[Checked], gates: &Gates, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let tasks = checked.iter().filter(|checked| checked.function() == Function::TaskRan);
    tasks.filter_map(|checked| draft(checked, gates, problems)).collect()
}

/// Reports tasks that have the name of a container or service: plans, labels and `require` identify them by it.
pub(super) fn apart(drafts: &[Draft], problems: &mut Vec<Problem>) {
    for task in drafts.iter().filter(|draft| draft.item.address.kind == Kind::Task) {
        let name = &task.item.address.name;
        let same = |other: &&Draft| {
            matches!(other.item.address.kind, Kind::Container | Kind::Service)
                && other.item.address.name == *name
        };
        let Some(other) = drafts.iter().find(same) else { continue };
        let mut problem = Problem::failed(format!("a task and a container are both called {name}"));
        problem.place = task.item.declared.first().map(|(_, place)| place.clone());
        if let Some((_, place)) = other.item.declared.first() {
            problem = problem.cause(format!("{} is in {place}", other.item.address));
        }
        problems.push(problem.hint("give one of them a `name`"));
    }
}

fn draft(checked: &Checked, gates: &Gates, problems: &mut Vec<Problem>) -> Option<Draft> {
    let before = problems.len();
    let place = checked.arg("name").map_or(&checked.declaration.place, |arg| &arg.place);
    let name = ContainerName::parse(checked.common.name.as_ref()?);
    let name = taken(name.map_err(|found| found.map(|problem| problem.at(place))), problems);
    let mut fields = container::fields_of(checked, gates, problems);
    agree::check(&fields, problems);
    agree::secrets_and_files(&fields, true, problems);
    if let Some(field) = fields.remove("restart")
        && field.canonical != Canonical::Option(json!("no"))
    {
        let what = "a task runs to its end: it has no restart policy";
        problems.push(Problem::failed(what).at(&field.place).hint("leave `restart` out"));
    }
    let timeout = match checked.arg("timeout").filter(|arg| arg.first_with_secret().is_none()) {
        None => Some(TIMEOUT),
        Some(arg) => taken(timeout(arg), problems),
    };
    let on = match checked.arg("on").filter(|arg| arg.first_with_secret().is_none()) {
        None => Some(On::First),
        Some(arg) => taken(on_of(arg), problems),
    };
    let name = name?;
    let image = container::image(&name, &fields, &[checked], problems);
    let (image, timeout, on) = (image?, timeout?, on?);
    if problems.len() > before {
        return None;
    }
    let gate = container::gated(&fields, gates);
    let address = Address { kind: Kind::Task, name: name.to_string() };
    let container = container::container(name, Run::Created, image, &fields);
    let want = DesiredState::Task(Box::new(DesiredTask { container, timeout, on }));
    let declared = vec![checked.declared()];
    Some(Draft::new(
        Item { address, want, declared, needs: Vec::new(), requisites: Requisites::default(), gate },
        &[checked],
    ))
}

fn timeout(arg: &crate::state::Arg) -> Result<u32> {
    match read::seconds("timeout", arg)? {
        0 => Err(read::wrong("timeout", arg, "is zero, but a task needs time to end").into()),
        seconds => Ok(seconds),
    }
}

fn on_of(arg: &crate::state::Arg) -> Result<On> {
    let word = read::word("on", arg)?;
    if word == On::EACH {
        return Ok(On::Each);
    }
    let name = HostName::parse(&word).map_err(|found| found.map(|problem| problem.at(&arg.place)))?;
    Ok(On::Host(name, arg.place.clone()))
}

fn taken<T>(result: Result<T>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|found| problems.extend(found.into_vec())).ok()
}
