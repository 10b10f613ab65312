//! Lists what is wrong with a plan. The planner runs it on every plan that it makes. What is found here is a
//! bug in pillarbox, not a mistake of its user.
//!
//! - ids are unique, needs are earlier steps; what brings images comes before everything else; a group
//!   waits for other groups only before its first step, so that what was begun can end;
//! - nothing that is not ours is touched, and nothing that exists without saying what it must look like;
//! - carried out on a model of the host, every step is possible, and in the end all is as desired, but
//!   for what a gate holds, which no step touches;
//! - wherever it fails or is interrupted, its rollback leaves a service running that ran before;
//! - where a container is replaced start-first, one of the two works after every step;
//! - networks and volumes that are not ours are not removed, a volume only where a state says so, and neither
//!   while a container uses it; in the end those that are declared are there;
//! - an anonymous volume is removed only where no container mounts it any more, and never one of a container
//!   that ran when the plan was made;
//! - an image is removed only where it is ours, has no name of others, and no container uses it by then;
//! - secrets stand in environments and in files of secrets alone, and every receiver of one is named;
//! - a volume of secrets is one container's alone, filled before that is created, and goes with it;
//! - what requires a task is created after it has run.

mod anonymous;
mod images;
mod model;
mod own;
mod receivers;
mod resources;
mod shape;

use crate::desired::{Address, Desired, DesiredContainer, DesiredState, Item, Kind, Run};
use crate::name::ContainerName;
use crate::observed::{InstanceRole, Observed, Stop, slot_of};
use crate::plan::{Action, HostPlan, Step, Verb};
use crate::problem::{Problem, Problems, Result};
#[cfg(test)]
pub(crate) use model::LOOKED_AT;
use model::Model;
use receivers::Receivers;
use std::collections::{BTreeMap, BTreeSet};

/// Checks the plan of a host against what it was made from. A planner calls it once for each of its plans.
///
/// # Errors
/// Every rule that does not hold.
pub fn host(plan: &HostPlan, desired: &Desired, observed: &Observed) -> Result<()> {
    let receivers = Receivers::of(plan);
    let mut broken = shape::check(plan, observed, &receivers);
    broken.extend(carried_out(plan, desired, observed));
    broken.extend(anonymous::check(plan, observed));
    broken.extend(images::check(plan, observed));
    broken.extend(own::check(plan, desired, observed, &receivers));
    let problem = |what: String| {
        Problem::failed(format!("the plan for host {} is wrong: {what}", plan.host))
            .cause("this is a bug in pillarbox; nothing was done")
            .hint("please report it, with the output of 'pillarbox plan --json'")
    };
    Problems::check(broken.into_iter().map(problem).collect())
}

/// What the rules ask of a plan and of what it was made from, by plain name.
struct Wanted<'a> {
    containers: BTreeMap<&'a str, &'a DesiredContainer>,
    /// Names of containers that a gate holds, or that have no image.
    held: BTreeSet<&'a str>,
    /// Tasks that a gate holds, resources that have no image, and all that requires one of them, directly or not.
    waiting: BTreeSet<&'a Address>,
    /// Containers of which one works at every moment.
    start_first: BTreeSet<&'a str>,
    /// Addresses of changes that are held.
    shown_as_held: BTreeSet<&'a str>,
    /// Names of which some container ran.
    ran: BTreeSet<String>,
    /// Services that were stopped by request.
    stopped: BTreeSet<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(plan: &'a HostPlan, desired: &'a Desired, observed: &'a Observed) -> Self {
        let stops = observed.own_volumes.stops.values().filter(|stop| still(plan, stop));
        let stopped: BTreeSet<&str> = stops.map(|stop| stop.service.as_str()).collect();
        let (mut containers, mut held, mut waiting) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for item in &desired.items {
            if let DesiredState::Container(want) = &item.want {
                containers.entry(want.name.as_str()).or_insert(want.as_ref());
                held.extend(item.hold().map(|_| want.name.as_str()));
                held.extend(stopped.contains(want.service().as_str()).then_some(want.name.as_str()));
            }
            let address = item.address.to_string();
            let away = plan.without_image.iter().any(|one| one.address == address);
            if let (true, DesiredState::Container(want)) = (away, &item.want) {
                held.insert(want.name.as_str());
            }
            // What is needed comes first.
            let held_task = away || item.address.kind == Kind::Task && item.hold().is_some();
            if held_task || item.needs.iter().any(|needed| waiting.contains(needed)) {
                waiting.insert(&item.address);
            }
        }
        let with = |verb: Verb| {
            let changes = plan.changes.iter().filter(move |change| change.actions == [verb]);
            changes.map(|change| change.address.as_str())
        };
        let first = with(Verb::ReplaceStartFirst);
        let ran = observed.containers.iter().filter(|one| one.state.running || one.state.restarting);
        let ran = ran.filter_map(|one| one.ours.as_ref().filter(|_| !one.impostor));
        Self {
            containers,
            held,
            waiting,
            start_first: first.filter_map(|address| address.strip_prefix("container ")).collect(),
            shown_as_held: with(Verb::Held).collect(),
            ran: ran.map(|ours| slot_of(&ours.instance).to_owned()).collect(),
            stopped,
        }
    }

    /// Whether a resource is to be as desired in the end.
    fn goes_on(&self, item: &Item) -> bool {
        let waits = self.waiting.contains(&item.address)
            && self.shown_as_held.contains(item.address.to_string().as_str());
        let stopped = item.service().is_some_and(|service| self.stopped.contains(service.as_str()));
        item.hold().is_none() && !stopped && item.requisites.onchanges.is_empty() && !waits
    }
}

/// Whether a service stays stopped: its record does not go.
fn still(plan: &HostPlan, stop: &Stop) -> bool {
    let goes = |step: &Step| matches!(&step.action, Action::RemoveOwnVolume { name } if *name == stop.volume);
    !stop.over && !plan.steps.iter().any(goes)
}

fn carried_out(plan: &HostPlan, desired: &Desired, observed: &Observed) -> Vec<String> {
    let mut broken = Vec::new();
    let wanted = Wanted::of(plan, desired, observed);
    let mut model = Model::of(observed);
    for step in &plan.steps {
        let slot = model.slot(&step.action);
        if let Some(slot) = &slot {
            if wanted.held.contains(slot.as_str()) {
                broken.push(format!("step {} ({}) touches {slot}, which is held", step.id, step.action));
            }
            broken.extend(rolled_back(step, slot, &mut model, &wanted));
        }
        if let Err(why) = model.apply(step.id, &step.action) {
            broken.push(format!("step {} cannot be done: {}: {why}", step.id, step.action));
        }
        let first = slot.filter(|slot| wanted.start_first.contains(slot.as_str()));
        if let Some(slot) = first.filter(|slot| wanted.ran.contains(slot))
            && !model.of_slot(&slot).any(|held| held.works)
        {
            broken.push(format!("after step {} ({}) nothing of {slot} works", step.id, step.action));
        }
    }
    for item in desired.items.iter().filter(|item| wanted.goes_on(item)) {
        match &item.want {
            DesiredState::Container(want) => {
                broken.extend(as_desired(want, observed, &model));
            }
            DesiredState::Surplus { service, keep, .. } => {
                let keep: BTreeSet<&str> = keep.iter().map(ContainerName::as_str).collect();
                let left = model.of_service(service.as_str());
                let left = left.filter(|held| !keep.contains(held.slot.as_str()));
                broken.extend(left.map(|held| format!("container {} is one too many in the end", held.name)));
            }
            DesiredState::ContainerAbsent { name, .. }
                if model.of_service(name.as_str()).next().is_some() =>
            {
                broken.push(format!("container {name} is still there in the end"));
            }
            _ => {}
        }
    }
    broken.extend(resources::check(plan, desired, observed, |item| wanted.goes_on(item)));
    broken
}

fn as_desired(want: &DesiredContainer, observed: &Observed, model: &Model) -> Vec<String> {
    let name = want.name.as_str();
    let mut broken = Vec::new();
    let retain = want.retain(observed.facts.can_update);
    let (kept, all): (Vec<_>, Vec<_>) =
        model.of_slot(name).partition(|held| held.role() == InstanceRole::Kept);
    for one in kept.iter().filter(|one| one.running) {
        broken.push(format!("in the end {}, which is kept for a rollback, runs", one.name));
    }
    let resting = kept.iter().filter(|one| !one.running).count();
    // So many versions and so many generations, and as many before the one that runs, after a rollback.
    if resting > 4 * usize::try_from(retain).unwrap_or(usize::MAX / 4) {
        broken.push(format!("in the end {resting} containers of {name} are kept, not {retain}"));
    }
    let [only] = all.as_slice() else {
        return vec![format!("in the end there are {} containers of {name}, not one", all.len())];
    };
    if only.name != name {
        broken.push(format!("in the end {name} is called {}", only.name));
    }
    if retain > 0 && model.lost(name) {
        broken.push(format!("the container that was {name} is not kept for a rollback"));
    }
    let back = want.replica.as_ref().and_then(|replica| replica.back.as_ref());
    if let Some(id) = back.and_then(|back| back.container.as_ref()) {
        if only.id != *id {
            broken.push(format!("in the end {name} is not the container that was asked for"));
        }
    } else if only.spec != want.spec.fingerprint().0 && !stays_made(want, &only.id, observed) {
        broken.push(format!("in the end {name} has another spec than the declared one"));
    }
    match want.run {
        Run::Running if !only.running => broken.push(format!("in the end {name} does not run")),
        Run::Stopped if only.running => broken.push(format!("in the end {name} runs")),
        _ => {}
    }
    broken
}

/// Whether a container that was there was made from the declaration, but for files that are rewritten in place.
fn stays_made(want: &DesiredContainer, id: &str, observed: &Observed) -> bool {
    let mut there = observed.containers.iter().filter(|one| one.id == id).filter_map(|one| one.ours.as_ref());
    there.any(|ours| want.spec.has_made(&ours.spec, &ours.fields))
}

/// A service that ran, and is to run, runs after the rollback: both where the step was done and where it
/// was not.
fn rolled_back(step: &Step, slot: &str, model: &mut Model, wanted: &Wanted<'_>) -> Option<String> {
    let want = wanted.containers.get(slot)?;
    if !wanted.ran.contains(slot) || want.run == Run::Stopped {
        return None;
    }
    [true, false].into_iter().find_map(|done| {
        let runs = model.tried(|model| {
            if done && model.apply(step.id, &step.action).is_err() {
                return true;
            }
            for action in &step.undo {
                // Each whatever became of the one before.
                let _ = model.apply(step.id, action);
            }
            model.of_slot(slot).any(|container| container.running)
        });
        let when = if done { "fails after it was done" } else { "is not done" };
        (!runs).then(|| format!("if step {} ({}) {when}, nothing of {slot} runs", step.id, step.action))
    })
}

#[cfg(test)]
mod tests;
