//! Decides once, from values alone, what is done on a host. No clock, no randomness, no I/O; what
//! execution shall choose is chosen here.
//!
//! **Who holds the plain name of a service is committed; `NAME.g3` is an attempt; `NAME.g2.kept` was
//! committed once and is kept for a rollback; `NAME.g2.back` is a kept one on its way back.** From that and the run states follows what an interrupted apply left, and how to go on.
//! *Fits* means: the labels `.spec` and `.image` are those of the wish. Where a service shall run:
//!
//! | holder | others | then |
//! |---|---|---|
//! | none | none | create under the plain name with policy `no`, start, await, declare the policy |
//! | fits, runs | none | nothing; live fields and networks that differ are changed in place |
//! | fits, runs | some | the same; the others are stopped and removed: the way back left them, or a commit did |
//! | fits, down | none | start, await (made anew where it has a hardware address of its own, see `networks`) |
//! | fits, down | one fits and works | that one is awaited again and committed; the holder is the way back |
//! | fits, down | others | what runs of them is stopped; start the holder, await; remove the others |
//! | other, runs | none fits and works | create beside it, stop and park it, start the new one, await, commit, remove it |
//! | other, runs | one fits and works | stop and park the holder, await the other one again, commit it |
//! | other, down | one fits and works | await it again and commit it; the holder is the way back |
//! | other, down | others | create, start, await, commit; the holder is the way back if it ever ran |
//! | none | one fits and works | the two renames were cut in two: await it again, give it the name |
//! | none | others | create beside them, stop what runs, start, await, commit; who ran is the way back |
//!
//! A container of a service that is declared start-first, and of which two can be (`overlap`), is
//! replaced the other way round: what is new works and is known before what runs is stopped, see
//! `replace`. What counts as whose is the same, by the plain name of that one container.
//!
//! Of a service some predecessors are kept (`retain`, `kept`). What is kept is in no row: it is neither an
//! attempt nor left over, nothing of it is started, stopped or removed but what is too much in the end.
//! With it, in these rows:
//!
//! | row | differs in |
//! |---|---|
//! | every one that commits | the old holder is renamed to `NAME.g2.kept` and stays, parked, with its tag |
//! | none, others; nobody holds the name | of the kept ones the last that ended held it: it is the way back |
//! | every one with others | `NAME.g2.back` is no leftover: it is stopped and gets the name of a kept one again |
//! | a rollback: the wish names one of them | it becomes `NAME.g2.back`, is started as an attempt would be, and is committed; where that fails it is kept as before |
//! | `NAME.g2.kept` runs | somebody started it: it is said and left alone |
//!
//! A generation's number is that of the service: a container that is added to a deployment gets its number.
//!
//! Where it shall not run, nothing is started or awaited, and what fits may be any of them. An attempt
//! that does not run is never started again, it is made anew: what is not known of it cannot matter. A
//! failed attempt is kept for its log until a later apply commits; two are kept at most.

pub mod adopt;
mod assign;
mod causes;
mod change;
mod context;
mod course;
mod create;
mod decision;
mod held;
mod images;
mod instances;
mod kept;
mod lowering;
mod needs;
mod networks;
mod notes;
mod order;
mod overlap;
mod platform;
mod remove;
mod replace;
mod resource;
mod secrets;
mod sharing;
mod steps;
mod task;
mod users;
mod watch;
mod work;

pub use assign::{Part, assign};

use crate::check;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::plan::{Cause, HostPlan};
use crate::problem::{Problems, Result};
use context::PlanContext;
use course::Course;
use decision::{Decided, Decision, Entry, undeclared};
pub use images::unfit;
use lowering::Planning;
use order::Turn;
use secrets::Leftovers;
use std::collections::BTreeMap;
use steps::Group;
use task::Tasks;
use watch::Doings;

/// What a person may choose about planning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The Engine's address as in the inventory, for the plan.
    pub engine: String,
    /// Replaces containers that somebody changed by hand.
    pub fix_drift: bool,
    /// Removes our containers that no state declares.
    pub prune: bool,
    /// What other hosts of the run do about tasks of this one, see [`assign()`].
    pub tasks: BTreeMap<String, Part>,
}

/// Plans one host, and checks the plan ([`check::host`]). The same values give the same plan.
///
/// # Errors
/// All reasons why nothing can be planned for it: names that others hold, images that nobody knows.
pub fn plan_host(desired: &Desired, observed: &Observed, options: &Options) -> Result<HostPlan> {
    let context = PlanContext::new(desired, observed, options);
    let mut problems = Vec::new();
    let mut decided = Decided::default();
    undeclared(&context).into_iter().for_each(|entry| decided.push(entry));
    let tasks = Tasks::of(&context);
    let mut doings = Doings::default();
    for item in context.items() {
        let decision = Decision::of(&context, item, &decided, &doings);
        let decision = decision.map(|decision| decision.after(tasks.before(item)));
        let decision = match item.hold().or_else(|| tasks.held_back(item)) {
            Some((app, hold)) => Ok(Decision::Held(held::changes(&item.address, decision, app, hold))),
            None => decision,
        };
        match decision {
            Ok(decision) => {
                let waits = doings.lets_wait(&context, item, &decision);
                let decision = if waits { Decision::Waits(item) } else { decision };
                doings.note(&item.address, &decision);
                let (address, needs) = (item.address.clone(), item.needs.clone());
                decided.push(Entry { address, needs, decision });
            }
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems)?;
    let entries = decided.entries;
    let mut planning = Planning::default();
    let leftovers = Leftovers::of(&context);
    planning.changes = leftovers.changes();
    let prepared: Vec<Vec<u32>> =
        entries.iter().map(|entry| planning.prepare(&context, &entry.decision)).collect();
    let mut group =
        Group::new(&mut planning.steps, "remove leftovers".to_owned(), Cause::Interrupted, Vec::new());
    leftovers.lower(&mut group);
    let cleared = group.end();
    for Turn { entry: index, waits } in order::turns(&entries) {
        let entry = &entries[index];
        let mut needs = prepared[index].clone();
        // A volume of the same name may be among them.
        needs.extend(cleared.filter(|_| entry.decision.has_files()));
        needs.extend(planning.ends_of(&entry.needs));
        needs.extend(planning.ends_of(&waits));
        planning.lower(&context, entry, needs);
    }
    Problems::check(std::mem::take(&mut planning.problems))?;
    let forgotten = remove::forget(&context, &mut planning.steps);
    planning.changes.extend(forgotten);
    let courses: Vec<&Course<'_>> = entries.iter().filter_map(|entry| entry.decision.course()).collect();
    let mut notes = context.notes().to_vec();
    notes.extend(notes::of(&context, &courses));
    notes.append(&mut planning.notes);
    planning.receivers.sort();
    planning.receivers.dedup();
    let plan = HostPlan {
        host: observed.host.clone(),
        engine: options.engine.clone(),
        engine_id: observed.facts.engine_id.clone(),
        changes: planning.changes,
        steps: planning.steps.finish(),
        receivers: planning.receivers,
        notes,
    };
    check::host(&plan, desired, observed)?;
    Ok(plan)
}

#[cfg(test)]
pub(crate) mod tests;
