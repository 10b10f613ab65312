//! Lists what is wrong with a plan, whoever made it: run in every test of the planner and before every
//! apply. Whatever is found here is a mistake of pillarbox, not of a person.
//!
//! - ids are unique, needs are earlier steps; what brings images comes before everything else; a group
//!   waits for other groups only before its first step, so that what was begun can end;
//! - nothing that is not ours is touched, and nothing that exists without saying what it must look like;
//! - carried out on a model of the host, every step is possible, and in the end all is as wished, but
//!   for what a gate holds, which no step touches;
//! - wherever it fails or is interrupted, the way back leaves a service running that ran before;
//! - where a container is replaced start-first, one of the two works after every step;
//! - networks and volumes that are not ours are not removed, a volume only where a state says so, and neither
//!   while a container uses it; in the end those that are declared are there;
//! - secrets stand in environments and in files of secrets alone, and every receiver of one is named;
//! - a volume of secrets is one container's alone, filled before that is created, and goes with it;
//! - what requires a task is created after it has run.

mod model;
mod own;
mod resources;
mod shape;

use crate::desired::{Address, ContainerWish, Desired, Item, Kind, Run, Wish};
use crate::observed::{Observed, Standing};
use crate::plan::{HostPlan, Step, Verb};
use crate::problem::{Problem, Problems, Result};
use model::Model;

/// Checks the plan of a host against what it was made from.
///
/// # Errors
/// Every rule that does not hold.
pub fn host(plan: &HostPlan, desired: &Desired, observed: &Observed) -> Result<()> {
    let mut broken = shape::check(plan, observed);
    broken.extend(carried_out(plan, desired, observed));
    broken.extend(own::check(plan, desired, observed));
    let problem = |what: String| {
        Problem::failed(format!("the plan for host {} is wrong: {what}", plan.host))
            .cause("this is a mistake of pillarbox; nothing was done")
            .hint("please report it, with the output of 'pillarbox plan --json'")
    };
    Problems::check(broken.into_iter().map(problem).collect())
}

fn carried_out(plan: &HostPlan, desired: &Desired, observed: &Observed) -> Vec<String> {
    let mut broken = Vec::new();
    let first = Model::of(observed);
    let mut model = first.clone();
    for step in &plan.steps {
        broken.extend(held(step, &model, desired));
        broken.extend(way_back(step, &model, desired, observed));
        let slot = model.slot(&step.action);
        let worked = slot.as_deref().is_some_and(|slot| first.of_slot(slot).any(|held| held.works));
        if let Err(why) = model.apply(step.id, &step.action) {
            broken.push(format!("step {} cannot be done: {}: {why}", step.id, step.action));
        }
        if let Some(slot) = slot.filter(|slot| worked && start_first(plan, slot))
            && !model.of_slot(&slot).any(|held| held.works)
        {
            broken.push(format!("after step {} ({}) nothing of {slot} works", step.id, step.action));
        }
    }
    let goes_on = |item: &&Item| {
        item.hold().is_none() && item.requisites.onchanges.is_empty() && !waits(plan, item, desired)
    };
    for item in desired.items.iter().filter(goes_on) {
        match &item.wish {
            Wish::Container(wish) => broken.extend(as_wished(wish, observed.facts.can_update, &model)),
            Wish::Surplus { service, keep, .. } => {
                let left = model.of_service(service.as_str());
                let left = left.filter(|held| !keep.iter().any(|name| name.as_str() == held.slot));
                broken.extend(left.map(|held| format!("container {} is one too many in the end", held.name)));
            }
            Wish::ContainerAbsent { name, .. } if model.of_service(name.as_str()).next().is_some() => {
                broken.push(format!("container {name} is still there in the end"));
            }
            _ => {}
        }
    }
    broken.extend(resources::check(plan, desired, observed));
    broken
}

/// Whether it waits for a task that its gate holds.
fn waits(plan: &HostPlan, item: &Item, desired: &Desired) -> bool {
    let held = |needed: &Address| {
        let task = desired.items.iter().find(|other| other.address == *needed && needed.kind == Kind::Task);
        task.is_some_and(|task| task.hold().is_some())
    };
    let address = item.address.to_string();
    let shown =
        || plan.changes.iter().any(|change| change.address == address && change.actions == [Verb::Held]);
    item.needs.iter().any(held) && shown()
}

fn as_wished(wish: &ContainerWish, can_update: bool, model: &Model) -> Vec<String> {
    let name = wish.name.as_str();
    let mut broken = Vec::new();
    let retain = wish.retain(can_update);
    let (kept, all): (Vec<_>, Vec<_>) =
        model.of_slot(name).partition(|held| held.standing() == Standing::Kept);
    for one in kept.iter().filter(|one| one.running && !one.ran) {
        broken.push(format!("in the end {}, which is kept for a rollback, runs", one.name));
    }
    let resting = kept.iter().filter(|one| !one.running).count();
    // As many before the one that runs, after a rollback.
    if resting > 2 * usize::try_from(retain).unwrap_or(usize::MAX / 2) {
        broken.push(format!("in the end {resting} containers of {name} are kept, and {retain} shall be"));
    }
    let [only] = all.as_slice() else {
        return vec![format!("in the end there are {} containers of {name}, not one", all.len())];
    };
    if only.name != name {
        broken.push(format!("in the end {name} is called {}", only.name));
    }
    if retain > 0 && model.lost(name) {
        broken.push(format!("who was {name} is not kept for a rollback"));
    }
    let back = wish.replica.as_ref().and_then(|replica| replica.back.as_ref());
    if let Some(id) = back.and_then(|back| back.container.as_ref()) {
        if only.id != *id {
            broken.push(format!("in the end {name} is not the container that was asked for"));
        }
    } else if only.spec != wish.spec.fingerprint().0 {
        broken.push(format!("in the end {name} has another spec than the wish"));
    }
    match wish.run {
        Run::Running if !only.running => broken.push(format!("in the end {name} does not run")),
        Run::Stopped if only.running => broken.push(format!("in the end {name} runs")),
        _ => {}
    }
    broken
}

/// Whether the plan says that the new container works before the old one stops.
fn start_first(plan: &HostPlan, slot: &str) -> bool {
    let address = format!("container {slot}");
    plan.changes.iter().any(|change| change.address == address && change.actions == [Verb::ReplaceStartFirst])
}

/// Nothing is done about what a gate holds.
fn held(step: &Step, model: &Model, desired: &Desired) -> Option<String> {
    let service = model.slot(&step.action)?;
    let mut held = desired.items.iter().filter(|item| item.hold().is_some());
    held.any(|item| matches!(&item.wish, Wish::Container(wish) if wish.name.as_str() == service))
        .then(|| format!("step {} ({}) touches {service}, which is held", step.id, step.action))
}

/// A service that ran, and shall run, runs after the way back: both where the step was done and where
/// it was not.
fn way_back(step: &Step, before: &Model, desired: &Desired, observed: &Observed) -> Option<String> {
    let service = before.slot(&step.action)?;
    let wish = desired.items.iter().find_map(|item| match &item.wish {
        Wish::Container(wish) if wish.name.as_str() == service => Some(wish),
        _ => None,
    })?;
    let ran = observed.containers.iter().any(|container| {
        let ours = container.ours.as_ref().filter(|_| !container.impostor);
        ours.is_some_and(|ours| model::slot(&ours.instance) == service)
            && (container.state.running || container.state.restarting)
    });
    if !ran || wish.run == Run::Stopped {
        return None;
    }
    let mut done = before.clone();
    let possible = done.apply(step.id, &step.action).is_ok();
    [(true, done), (false, before.clone())]
        .into_iter()
        .filter(|(was_done, _)| possible || !was_done)
        .find_map(|(was_done, mut model)| {
            for action in &step.undo {
                // Each whatever became of the one before.
                let _ = model.apply(step.id, action);
            }
            let runs = model.of_slot(&service).any(|container| container.running);
            let when = if was_done { "fails after it was done" } else { "is not done" };
            (!runs)
                .then(|| format!("if step {} ({}) {when}, nothing of {service} runs", step.id, step.action))
        })
}

#[cfg(test)]
mod tests;
