//! Applies a plan without deciding anything.
//!
//! Secrets are opened first, so that one that does not open changes nothing. Then every image is pulled
//! on every host; what needs an image that a registry does not give is left out on all of them. Then tasks run, with what they need: only when all of them have succeeded is anything
//! else done on any host. Then the hosts are changed, batch after batch; on each of them independent
//! groups of steps run at the same time, the steps of a group one after another. Where a step fails, its
//! group is rolled back, groups that were begun are finished, and nothing else is begun on this host.
//!
//! Two bounds hold on a host. [`IN_PROGRESS`] is for groups: what fails can affect no more than these.
//! [`CALLS`] is for calls that are at work in the Engine; a wait holds none of these slots.

mod archive;
mod away;
mod call;
mod expect;
mod group;
mod health;
mod interrupt;
mod lock_check;
mod outcome;
mod redact;
mod resource;
mod rollout;
mod schedule;
mod secrets;
mod slots;
mod task;

pub use crate::event::GroupEnd;
pub use interrupt::Interrupt;
pub use outcome::{Command, HostOutcome, Outcome};
pub use redact::Redactor;
pub use rollout::{Ahead, Rollout, Stages, Unattended, Wait};
pub use secrets::{Fetching, Secrets, differing_env, wanted_files};

use crate::engine::Engine;
use crate::event::{Event, EventKind};
use crate::plan::{Action, HostPlan};
use crate::problem::{Code, Problem, Result};
use away::Away;
use call::{Caller, Pauses};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use group::HostRun;
use lock_check::LockCheck;
use schedule::{Group, Schedule, groups};
use secrets::Opened;
use slots::CallSlots;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

/// Groups of a host that are in progress at the same time, most of them waiting for a container to stop or to
/// become healthy: what fails can affect no more than these. A container that ignores its stop signal takes ten
/// seconds to stop: with fewer, a host of a hundred of them would mostly wait.
pub const IN_PROGRESS: usize = 128;

/// Calls that are at work in one Engine at the same time. It starts containers one by one in the end (network
/// and cgroup set-up are serialised in it), so more would only wait there.
pub const CALLS: usize = 8;

/// Pulls of a host at the same time; each of them loads several layers at once already.
const PULLS: usize = 4;

/// Says before every call that changes something whether we still may.
#[expect(async_fn_in_trait, reason = "one thread waits for Engines; no future crosses threads")]
pub trait Guard {
    /// Whether the lock of this host is still ours.
    ///
    /// # Errors
    /// Where it is not, or cannot be found out: nothing more is touched on this host then.
    async fn check(&self) -> Result<()>;
}

/// No lock: for a plan that changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unguarded;

impl Guard for Unguarded {
    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A host with what is to be done there.
#[derive(Debug)]
pub struct Host<'a, E, G> {
    /// What is to be done.
    pub plan: &'a HostPlan,
    /// Its Engine.
    pub engine: &'a E,
    /// Its lock.
    pub guard: &'a G,
}

type Emit<'a> = Rc<dyn Fn(EventKind) + 'a>;

/// Carries out the plans of some hosts, one host after another.
pub async fn execute<E: Engine, G: Guard>(
    command: Command<'_>,
    hosts: &[Host<'_, E, G>],
    secrets: &dyn Secrets,
    watch: &dyn Fn(Event),
    interrupt: &Interrupt,
) -> Outcome {
    let batches = rollout::one_by_one(hosts);
    let (wait, stages) = (Wait::For(Duration::ZERO), &Unattended);
    let rollout = Rollout { batches: &batches, most_failures: 0, most_batches: None, wait, stages };
    roll_out(command, hosts, rollout, secrets, watch, interrupt).await
}

/// Carries out the plans of some hosts in batches, each checked when it was made ([`crate::check::host`]).
pub async fn roll_out<E: Engine, G: Guard>(
    command: Command<'_>,
    hosts: &[Host<'_, E, G>],
    rollout: Rollout<'_>,
    secrets: &dyn Secrets,
    watch: &dyn Fn(Event),
    interrupt: &Interrupt,
) -> Outcome {
    let opened = match Opened::all(hosts.iter().map(|host| host.plan), secrets) {
        Ok(opened) => opened,
        Err(problems) => {
            let untouched = hosts.iter().map(|host| ended(host.plan, false, &BTreeMap::new())).collect();
            return Outcome::new(command, untouched, problems.into_vec());
        }
    };
    let (redactor, pauses) = (Redactor::new(&opened), Pauses::default());
    let runs: Vec<HostRun<'_, E, G>> = hosts
        .iter()
        .map(|host| {
            let name = host.plan.host.clone();
            let emit: Emit<'_> = Rc::new(move |kind| watch(Event { host: name.clone(), kind }));
            (host, emit)
        })
        .map(|(host, emit)| HostRun {
            caller: Caller {
                host: &host.plan.host,
                engine: host.engine,
                secrets,
                opened: &opened,
                redactor: &redactor,
                interrupt,
                away: Away::new(Rc::clone(&emit), interrupt),
                slots: CallSlots::new(CALLS),
                created: RefCell::new(BTreeMap::new()),
                withheld: RefCell::default(),
                pauses: &pauses,
                waits: {
                    let name = host.plan.host.clone();
                    Box::new(move |text| {
                        watch(Event { host: name.clone(), kind: EventKind::RegistryAway { text } });
                    })
                },
            },
            lock: LockCheck::new(host.guard),
            emit,
            done: RefCell::new(BTreeSet::new()),
            changed: Cell::new(false),
            problems: RefCell::new(Vec::new()),
            out: Cell::new(false),
            without_image: RefCell::new(Vec::new()),
            ends: RefCell::new(BTreeMap::new()),
        })
        .collect();
    let announced = Cell::new(false);
    let left = Cell::new(0);
    let finished = tokio::select! {
        () = async { left.set(all(command, hosts, rollout, &runs).await) } => true,
        () = announce(&runs, interrupt, &announced) => false,
    };
    if interrupt.raised() {
        announce_once(&runs, &announced);
    }
    let without_image = runs.iter().flat_map(|run| run.without_image.take());
    let mut problems: Vec<Problem> = without_image.collect();
    problems.extend(runs.iter().flat_map(|run| run.problems.take()));
    if !finished {
        let problem = Problem::new(Code::Interrupted, "interrupted twice: nothing was rolled back");
        problems.push(problem.hint(format!("continue from what is there: {}", command.again)));
    }
    let changed = runs.iter().any(|run| run.changed.get());
    let ends = hosts.iter().zip(&runs);
    let ends = ends.map(|(host, run)| ended(host.plan, run.changed.get(), &run.ends.borrow())).collect();
    Outcome { left: left.get(), ..Outcome::new(command, ends, interrupted_once(problems, changed)) }
}

/// Each group says that it was interrupted; once is enough.
fn interrupted_once(mut problems: Vec<Problem>, changed: bool) -> Vec<Problem> {
    let heard = problems.iter().any(|problem| problem.code == Code::Interrupted && problem.hints.is_empty());
    if heard {
        problems.retain(|problem| problem.code != Code::Interrupted || !problem.hints.is_empty());
        let what = if changed { "interrupted" } else { "interrupted before anything was changed" };
        problems.push(Problem::new(Code::Interrupted, what));
    }
    problems
}

/// Says so at the first interrupt, ends at the second.
async fn announce<E, G>(runs: &[HostRun<'_, E, G>], interrupt: &Interrupt, announced: &Cell<bool>) {
    interrupt.heard(1).await;
    announce_once(runs, announced);
    interrupt.heard(2).await;
}

fn announce_once<E, G>(runs: &[HostRun<'_, E, G>], announced: &Cell<bool>) {
    if !announced.replace(true) {
        for run in runs {
            (run.emit)(EventKind::Interrupted);
        }
    }
}

/// Answers how many hosts are left because the run was to end before them.
async fn all<E: Engine, G: Guard>(
    command: Command<'_>,
    hosts: &[Host<'_, E, G>],
    rollout: Rollout<'_>,
    runs: &[HostRun<'_, E, G>],
) -> usize {
    let pulls = hosts.iter().zip(runs).map(|(host, run)| prepare(host.plan, run));
    let mut pulls = futures_util::stream::iter(pulls).buffer_unordered(command.pulls.max(1));
    while pulls.next().await.is_some() {}
    if !goes_on_after_pulls(command, hosts, runs) {
        return 0;
    }
    // A host where a pull failed is skipped; the others are no worse for it.
    for run in runs {
        run.out.set(!run.problems.borrow().is_empty());
    }
    let fine = || runs.iter().filter(|run| !run.out.get());
    for (host, run) in hosts.iter().zip(runs).filter(|(_, run)| !run.out.get()) {
        if fine().any(|run| !run.problems.borrow().is_empty()) {
            return 0;
        }
        let first = with_tasks(host.plan);
        let mut groups = groups(host.plan, false);
        groups.retain(|(group, _)| first.contains(group.as_str()));
        change(&groups, run).await;
    }
    let failed = fine().any(|run| !run.problems.borrow().is_empty());
    match failed {
        true => 0,
        false => rollout.run(hosts, runs).await,
    }
}

/// Whether anything is begun at all, now that all was pulled that can be: not where all is wanted or nothing, and not
/// where a task cannot run whose end others count on.
fn goes_on_after_pulls<E, G>(
    command: Command<'_>,
    hosts: &[Host<'_, E, G>],
    runs: &[HostRun<'_, E, G>],
) -> bool {
    if runs.iter().any(|run| run.caller.interrupt.raised()) {
        return false;
    }
    hosts.iter().zip(runs).all(|(host, run)| {
        let failed = !run.problems.borrow().is_empty();
        let lacks = failed || !run.without_image.borrow().is_empty();
        let task_waits = || {
            let (first, needed) = (with_tasks(host.plan), needed_by_tasks(host.plan));
            let done = run.done.borrow();
            let missing =
                host.plan.steps.iter().any(|step| {
                    step.action.prepares() && needed.contains(&step.id) && !done.contains(&step.id)
                });
            !first.is_empty() && (failed || missing)
        };
        !lacks || !(command.whole || task_waits())
    })
}

/// The groups that run a task, and those that they wait for.
fn with_tasks(plan: &HostPlan) -> BTreeSet<&str> {
    tasks_and_needs(plan).0
}

/// The steps that groups with a task wait for.
fn needed_by_tasks(plan: &HostPlan) -> BTreeSet<u32> {
    tasks_and_needs(plan).1
}

fn tasks_and_needs(plan: &HostPlan) -> (BTreeSet<&str>, BTreeSet<u32>) {
    let mut first: BTreeSet<&str> = BTreeSet::new();
    let mut needed: BTreeSet<u32> = BTreeSet::new();
    // Needs are earlier steps, and a group waits for others only before its first step.
    for step in plan.steps.iter().rev() {
        if matches!(step.action, Action::AwaitExit { .. }) || needed.contains(&step.id) {
            first.insert(&step.group);
        }
        if first.contains(step.group.as_str()) {
            needed.extend(&step.needs);
        }
    }
    (first, needed)
}

/// Pulls everything, also where one pull fails: all that a registry refuses is said at once.
async fn prepare<E: Engine, G: Guard>(plan: &HostPlan, run: &HostRun<'_, E, G>) {
    let groups = groups(plan, true);
    let pulls = groups.iter().map(|group| async {
        tokio::select! {
            // A pull that is cut off leaves nothing behind; the Engine ends it with the connection.
            biased;
            _ = run.group(group) => {}
            () = run.caller.interrupt.heard(1) => {
                run.problems.borrow_mut().push(Problem::new(Code::Interrupted, "interrupted while pulling"));
            }
        }
    });
    let mut pulls = futures_util::stream::iter(pulls).buffer_unordered(PULLS);
    while pulls.next().await.is_some() {}
}

/// Changes a host: groups whose needs are met, some at the same time.
async fn change<E: Engine, G: Guard>(groups: &[Group<'_>], run: &HostRun<'_, E, G>) {
    let mut schedule = Schedule::new(groups, &run.done.borrow());
    let mut in_progress = FuturesUnordered::new();
    let mut skipped = 0;
    loop {
        let goes_on = run.problems.borrow().is_empty() && !run.caller.interrupt.raised();
        while goes_on && in_progress.len() < IN_PROGRESS {
            let Some(index) = schedule.next() else { break };
            let group = &groups[index];
            in_progress.push(async move { (group, run.group(group).await) });
        }
        let Some(((name, steps), end)) = in_progress.next().await else { break };
        run.ends.borrow_mut().insert(name.clone(), end);
        skipped += usize::from(end == GroupEnd::Skipped);
        let done = run.done.borrow();
        for step in steps.iter().filter(|step| done.contains(&step.id)) {
            schedule.done(step.id);
        }
    }
    let left = schedule.left() + skipped;
    if run.caller.interrupt.raised() && left > 0 && run.problems.borrow().is_empty() {
        let problem = Problem::new(Code::Interrupted, format!("interrupted: {left} groups were skipped"));
        run.problems.borrow_mut().push(problem);
    }
}

fn ended(plan: &HostPlan, changed: bool, ends: &BTreeMap<String, GroupEnd>) -> HostOutcome {
    let groups = groups(plan, false).into_iter().map(|(name, _)| {
        let end = ends.get(&name).copied().unwrap_or(GroupEnd::Skipped);
        (name, end)
    });
    HostOutcome { host: plan.host.clone(), changed, groups: groups.collect() }
}

#[cfg(test)]
pub(crate) mod tests;
