//! Decides once, from values alone, what is done on a host. No clock, no randomness, no I/O; execution
//! chooses nothing.
//!
//! **The container with the plain name of a service is committed; `NAME.g3` is an attempt; `NAME.g2.kept` was
//! committed once and is kept for a rollback; `NAME.g2.back` is a kept one that is returning.** From that and the run states follows what an interrupted apply left, and how to go on.
//! *Fits* means: the labels `.spec` and `.image` are those that are desired. Where a service is to run:
//!
//! | holder | others | then |
//! |---|---|---|
//! | none | none | create under the plain name with policy `no`, start, await, declare the policy |
//! | fits, runs | none | nothing; live fields and networks that differ are changed in place |
//! | fits, runs | some | the same; the others are stopped and removed: a rollback left them, or a commit did |
//! | fits, down | none | start, await (recreated if it has a hardware address of its own, see `networks`) |
//! | fits, down | one fits and works | that one is awaited again and committed; the holder is the fallback |
//! | fits, down | others | what runs of them is stopped; start the holder, await; remove the others |
//! | other, runs | none fits and works | create beside it, stop and park it, start the new one, await, commit, remove it |
//! | other, runs | one fits and works | stop and park the holder, await the other one again, commit it |
//! | other, down | one fits and works | await it again and commit it; the holder is the fallback |
//! | other, down | others | create, start, await, commit; the holder is the fallback if it ever ran |
//! | none | one fits and works | the two renames were cut in two: await it again, give it the name |
//! | none | others | create beside them, stop what runs, start, await, commit; who ran is the fallback |
//!
//! A container of a service that is declared start-first, and of which two can be (`overlap`), is
//! replaced the other way round: what is new works and is known before what runs is stopped, see
//! `replace`. What counts as whose is the same, by the plain name of that one container.
//!
//! Of a service some predecessors are kept (`retain`, `kept`). What is kept is in no row: it is neither an
//! attempt nor left over, nothing of it is started or removed but what is too much in the end.
//! With it, in these rows:
//!
//! | row | differs in |
//! |---|---|
//! | every one that commits | the old holder is renamed to `NAME.g2.kept` and stays, parked, with its tag |
//! | none, others; the name is free | of the kept ones the last that ended held it: it is the fallback |
//! | every one with others | `NAME.g2.back` is no leftover: it is stopped and gets the name of a kept one again |
//! | a rollback: one of them is desired | it becomes `NAME.g2.back`, is started as an attempt would be, and is committed; where that fails it is kept as before |
//! | `NAME.g2.kept` runs | no state asks for it: it is stopped, see `aside` |
//!
//! A generation's number is that of the service: a container that is added to a deployment gets its number.
//!
//! One that was renamed by hand is planned under the name that it gets back first, see `renamed`.
//!
//! Where it is not to run, nothing is started or awaited, and what fits may be any of them. An attempt
//! that does not run is never started again, it is recreated: what is not known of it cannot matter. A
//! failed attempt is kept for its log until a later apply commits; two are kept at most.

pub mod adopt;
mod assign;
mod batches;
mod clean;
mod context;
mod decide;
mod down;
mod explain;
mod lower;
mod one_off;
mod operate;
mod operation;
mod options;
mod renamed;
mod renew;
mod work;

pub use assign::assign;
pub use batches::{Turn, batches, changed_containers};
pub use clean::plan_clean;
pub use decide::source::{unfit, unfit_for};
pub use down::{TakenDown, taken_down};
pub use one_off::{OneOff, OneOffSteps, one_off};
pub use operate::plan_operation;
pub use operation::{AskedStop, Operation};
pub use options::{Clean, Options, Part};
pub use renew::{plan_renewal, service_alone};

use crate::check;
use crate::desired::{Address, Desired, DesiredState};
use crate::observed::Observed;
use crate::plan::{HostPlan, PlanBody};
use crate::problem::{Problems, Result};
use context::PlanContext;

/// Plans one host, and checks the plan ([`check::host`]). The same values give the same plan.
///
/// # Errors
/// All reasons why nothing can be planned for it: names that others hold, images that cannot be resolved.
pub fn plan_host(desired: &Desired, observed: &Observed, options: &Options) -> Result<HostPlan> {
    let restored = renamed::restore(desired, observed)?;
    let (found, planned) = match &restored {
        Some(restored) => (&restored.found, &restored.planned),
        None => (observed, observed),
    };
    let renamed = restored.as_ref().map(|restored| restored.renamed.as_slice()).unwrap_or_default();
    let context = PlanContext::new(desired, planned, options).and_renamed(renamed);
    let decisions = decide::decide(&context)?;
    let explained = explain::explain(&context, &decisions);
    let body = PlanBody {
        changes: explained.changes,
        steps: lower::lower(&context, &decisions, &explained.causes),
        receivers: explained.receivers,
        notes: explained.notes,
        without_image: explained.without_image,
        unread_images: decisions.images.unread,
    };
    let engine_id = observed.facts.engine_id.clone();
    let plan = HostPlan::new(observed.host.clone(), options.engine.clone(), engine_id, body);
    check::host(&plan, desired, found)?;
    Ok(plan)
}

/// What of a desired state can be compared: the rest is left out of it, and returned with the reasons.
pub fn comparable(
    desired: &Desired,
    observed: &Observed,
    options: &Options,
) -> (Desired, Vec<(Address, Problems)>) {
    let undecided = decide::undecided(&PlanContext::new(desired, observed, options));
    let mut rest = desired.clone();
    for item in &mut rest.items {
        if undecided.iter().any(|(address, _)| *address == item.address) {
            item.want = DesiredState::LeftOut { why: "it cannot be compared".to_owned() };
        }
    }
    (rest, undecided)
}

#[cfg(test)]
pub(crate) mod tests;
