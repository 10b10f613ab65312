//! On which host of a run each task runs: hosts that declare it with the same image and options share it.

use super::context::PlanContext;
use super::decide::task::{TaskRun, Tasks};
use super::options::{Options, Part};
use crate::desired::{Desired, DesiredState, On};
use crate::name::HostName;
use crate::observed::Observed;
use crate::problem::{Problem, Problems, Result, quoted};
use std::collections::BTreeMap;

/// A task as one host of a run declares it.
struct Declared {
    /// Counts the hosts of the run.
    host: usize,
    name: String,
    fingerprint: String,
    on: On,
    knows: bool,
    /// The host that it ran on, as this one remembers.
    ran_on: Option<HostName>,
    /// Its container is there, and may have succeeded.
    begun: bool,
    held: bool,
}

/// For each host of a run, in the order in which they are changed, what others do about its tasks: where
/// a host remembers that a task ran, no host runs it; else the host does that began it, else the one that
/// it names, else the first. A task that each host runs is no other host's concern.
///
/// # Errors
/// Where a task names a host that cannot run it in this run.
pub fn assign(hosts: &[(&Desired, &Observed)]) -> Result<Vec<BTreeMap<String, Part>>> {
    let declared: Vec<Declared> = hosts
        .iter()
        .enumerate()
        .flat_map(|(host, (desired, observed))| tasks(host, desired, observed))
        .collect();
    let mut same: BTreeMap<(&str, &str), Vec<&Declared>> = BTreeMap::new();
    for task in &declared {
        same.entry((&task.name, &task.fingerprint)).or_default().push(task);
    }
    let mut parts = vec![BTreeMap::new(); hosts.len()];
    let mut problems = Vec::new();
    let name_of = |task: &Declared| hosts.get(task.host).map(|(desired, _)| desired.host.clone());
    for of in same.into_values() {
        let knower = of.iter().find(|task| task.knows);
        let runner = match knower {
            Some(_) => knower,
            None => match runner(&of, &name_of) {
                Ok(runner) => runner,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            },
        };
        let Some(runner) = runner else { continue };
        let Some(host) = name_of(runner) else { continue };
        let part = match knower {
            Some(knower) => Part::Ran(knower.ran_on.clone().unwrap_or(host)),
            None => Part::Elsewhere(host),
        };
        let others = of.iter().filter(|task| task.host != runner.host && !task.knows);
        let others: Vec<HostName> = others.filter_map(|task| name_of(task)).collect();
        if knower.is_none() && !others.is_empty() {
            parts[runner.host].insert(runner.name.clone(), Part::Here(others));
        }
        for task in of.iter().filter(|task| task.host != runner.host && !task.knows) {
            parts[task.host].insert(task.name.clone(), part.clone());
        }
    }
    Problems::check(problems)?;
    Ok(parts)
}

/// The host that runs it; `None` where every gate of it is held.
fn runner<'d, 't>(
    of: &'d [&'t Declared],
    name_of: &impl Fn(&Declared) -> Option<HostName>,
) -> Result<Option<&'d &'t Declared>, Problem> {
    let mut free = of.iter().filter(|task| !task.held);
    if let Some(begun) = free.clone().find(|task| task.begun) {
        return Ok(Some(begun));
    }
    let named = |task: &&'d &'t Declared| match &task.on {
        On::Host(on, place) => Some((on, place)),
        On::First | On::Each => None,
    };
    let Some((task, (on, place))) = free.clone().find_map(|task| Some((task, named(&task)?))) else {
        return Ok(free.next());
    };
    match of.iter().find(|task| name_of(task).as_ref() == Some(on)) {
        Some(there) if !there.held => Ok(Some(there)),
        Some(_) => {
            Err(Problem::failed(format!("task {} runs on host {on}, where its gate is held", task.name))
                .at(place)
                .hint("unhold it there, or name another host"))
        }
        None => Err(Problem::failed(format!(
            "task {} runs on host {on}, which is not part of this run or does not declare the task so",
            task.name
        ))
        .at(place)
        .hint(format!("include it: --host {}", quoted(on.as_str())))
        .hint("or leave `on` out: then the first host of a run runs it")),
    }
}

/// The tasks of one host; one whose image is not known is left out: planning it says so.
fn tasks(host: usize, desired: &Desired, observed: &Observed) -> Vec<Declared> {
    if !desired.items.iter().any(|item| matches!(item.want, DesiredState::Task(_))) {
        return Vec::new();
    }
    let options = Options::default();
    let context = PlanContext::new(desired, observed, &options);
    let tasks = Tasks::of(&context);
    let each = desired.items.iter().filter_map(|item| {
        let DesiredState::Task(want) = &item.want else { return None };
        if want.on == On::Each {
            return None;
        }
        let task = TaskRun::of(&context, want).ok()?;
        Some(Declared {
            host,
            name: want.container.name.to_string(),
            on: want.on.clone(),
            knows: task.is_known(),
            ran_on: task.ran_on(&context).and_then(|host| HostName::parse(host).ok()),
            begun: task.is_begun(),
            held: item.hold().or_else(|| tasks.held_back(item)).is_some(),
            fingerprint: task.fingerprint,
        })
    });
    each.collect()
}
