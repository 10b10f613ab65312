//! Hosts are changed batch after batch. Where too many hosts have failed, or the first one that was changed alone,
//! no further batch begins.

use super::group::HostRun;
use super::{Guard, Host, change, health, with_tasks};
use crate::engine::{Engine, Inspected};
use crate::name::HostName;
use crate::observed::Label;
use crate::plan::{Action, Batch, HostPlan};
use crate::problem::{Code, Problem, quoted};
use futures_util::future::{LocalBoxFuture, join_all};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::sleep;

/// How a run goes from batch to batch.
#[derive(Clone, Copy)]
pub struct Rollout<'a> {
    /// The batches in order. A host that is in none of them is not changed.
    pub batches: &'a [Batch],
    /// So many hosts may fail before no further batch begins.
    pub most_failures: usize,
    /// After so many batches it ends for now.
    pub most_batches: Option<usize>,
    /// What is between two batches.
    pub wait: Wait,
    /// Who is told of batches, and asked.
    pub stages: &'a dyn Stages,
}

/// What is between two batches. After it the containers of the batch before are looked at once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// After a first host alone, as long as its containers are monitored (`monitor`); then nothing.
    #[default]
    Monitor,
    /// So long.
    For(Duration),
    /// A person's yes.
    Ask,
}

/// A batch that comes next.
#[derive(Clone, Copy, Debug)]
pub struct Ahead<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
    /// Its hosts.
    pub hosts: &'a [HostName],
    /// Hosts that are left, with those of this batch.
    pub left: usize,
    /// Hosts that failed before.
    pub failed: usize,
}

/// Who is told of batches, and asked.
pub trait Stages {
    /// A batch begins.
    fn begins(&self, ahead: &Ahead<'_>);

    /// A batch is waited with.
    fn waits(&self, ahead: &Ahead<'_>, time: Duration);

    /// Whether to go on with a batch.
    fn asks<'s>(&'s self, ahead: &'s Ahead<'s>) -> LocalBoxFuture<'s, bool>;
}

/// No word is said, and all is agreed to.
#[derive(Clone, Copy, Debug)]
pub struct Unattended;

impl Stages for Unattended {
    fn begins(&self, _: &Ahead<'_>) {}

    fn waits(&self, _: &Ahead<'_>, _: Duration) {}

    fn asks<'s>(&'s self, _: &'s Ahead<'s>) -> LocalBoxFuture<'s, bool> {
        Box::pin(async { true })
    }
}

/// Why no further batch begins.
enum Halt {
    /// Too much has failed, or it was interrupted.
    Stopped,
    /// As it was asked for.
    Paused,
}

impl Rollout<'_> {
    /// Changes the hosts. Answers how many hosts are left because it was to end before them.
    pub(super) async fn run<E: Engine, G: Guard>(
        &self,
        hosts: &[Host<'_, E, G>],
        runs: &[HostRun<'_, E, G>],
    ) -> usize {
        let by_name: BTreeMap<&HostName, _> =
            hosts.iter().zip(runs).map(|(host, run)| (&host.plan.host, (host.plan, run))).collect();
        let of = |batch: &Batch| batch.hosts.iter().filter_map(|host| by_name.get(host).copied()).collect();
        let mut left: usize = self.batches.iter().map(|batch| batch.hosts.len()).sum();
        let mut before: Vec<(&HostPlan, &HostRun<'_, E, G>)> = Vec::new();
        for (index, batch) in self.batches.iter().enumerate() {
            let ahead = Ahead {
                number: index + 1,
                of: self.batches.len(),
                hosts: &batch.hosts,
                left,
                failed: failed(runs),
            };
            match self.goes_on(&ahead, &before, runs).await {
                Ok(()) => self.stages.begins(&ahead),
                // Who was interrupted between two batches says what is skipped.
                Err(Halt::Stopped) if interrupted(runs) && ahead.failed == 0 => {}
                Err(Halt::Stopped) => return 0,
                Err(Halt::Paused) => return left,
            }
            before = of(batch);
            join_all(before.iter().map(|(plan, run)| change_host(plan, run))).await;
            left -= batch.hosts.len();
        }
        0
    }

    /// Whether a batch begins after the one before.
    async fn goes_on<E: Engine, G: Guard>(
        &self,
        ahead: &Ahead<'_>,
        before: &[(&HostPlan, &HostRun<'_, E, G>)],
        runs: &[HostRun<'_, E, G>],
    ) -> Result<(), Halt> {
        self.bears(ahead, before.len(), runs)?;
        // Without its image the first host has shown nothing.
        if let [(_, first)] = before
            && ahead.number == 2
            && first.out.get()
        {
            return Err(Halt::Stopped);
        }
        if before.is_empty() {
            return Ok(());
        }
        if self.most_batches.is_some_and(|most| ahead.number > most) {
            return Err(Halt::Paused);
        }
        let waited = match self.wait {
            Wait::Monitor if ahead.number == 2 && before.len() == 1 => longest_monitor(before),
            Wait::Monitor => Duration::ZERO,
            Wait::For(time) => time,
            Wait::Ask if self.stages.asks(ahead).await => Duration::ZERO,
            Wait::Ask if interrupted(runs) => return Err(Halt::Stopped),
            Wait::Ask => return Err(Halt::Paused),
        };
        if waited.is_zero() && self.wait != Wait::Ask {
            return Ok(());
        }
        if !waited.is_zero() {
            self.stages.waits(ahead, waited);
            if let Some(run) = runs.first() {
                tokio::select! {
                    () = sleep(waited) => {}
                    () = run.caller.interrupt.heard(1) => {}
                }
            }
        }
        join_all(before.iter().map(|(plan, run)| look_again(plan, run))).await;
        self.bears(ahead, before.len(), runs)
    }

    /// Whether so many failures are borne; of a first host that was alone none is.
    fn bears<E, G>(
        &self,
        ahead: &Ahead<'_>,
        size_before: usize,
        runs: &[HostRun<'_, E, G>],
    ) -> Result<(), Halt> {
        let canary = ahead.number == 2 && size_before == 1;
        let most = if canary { 0 } else { self.most_failures };
        if failed(runs) > most || interrupted(runs) { Err(Halt::Stopped) } else { Ok(()) }
    }
}

fn interrupted<E, G>(runs: &[HostRun<'_, E, G>]) -> bool {
    runs.iter().any(|run| run.caller.interrupt.raised())
}

/// Hosts on which something failed that was begun: a pull that fails is no reason to stop the others.
fn failed<E, G>(runs: &[HostRun<'_, E, G>]) -> usize {
    runs.iter().filter(|run| !run.problems.borrow().is_empty() && !run.out.get()).count()
}

async fn change_host<E: Engine, G: Guard>(plan: &HostPlan, run: &HostRun<'_, E, G>) {
    let first = with_tasks(plan);
    let mut groups = super::schedule::groups(plan, false);
    groups.retain(|(group, _)| !first.contains(group.as_str()));
    change(&groups, run).await;
}

/// The waits for containers that have passed.
fn passed<'p, E, G>(plan: &'p HostPlan, run: &HostRun<'_, E, G>) -> Vec<(&'p Action, u32)> {
    let done = run.done.borrow();
    let steps = plan.steps.iter().filter(|step| done.contains(&step.id));
    steps
        .filter_map(|step| match &step.action {
            Action::AwaitHealthy { monitor, .. } => Some((&step.action, *monitor)),
            _ => None,
        })
        .collect()
}

fn longest_monitor<E, G>(hosts: &[(&HostPlan, &HostRun<'_, E, G>)]) -> Duration {
    let seconds = hosts.iter().flat_map(|(plan, run)| passed(plan, run)).map(|(_, monitor)| monitor).max();
    Duration::from_secs(seconds.unwrap_or(0).into())
}

/// Looks once more at the containers that had come up: one that works for ten seconds may fail in the eleventh.
async fn look_again<E: Engine, G: Guard>(plan: &HostPlan, run: &HostRun<'_, E, G>) {
    for (action, _) in passed(plan, run) {
        let Action::AwaitHealthy { container, name, .. } = action else { continue };
        let Some(id) = run.caller.id(container) else { continue };
        let seen = match run.caller.look(&id).await {
            Ok(seen) => seen,
            Err(error) => {
                let what = format!("{name} cannot be looked at once more on host {}", plan.host);
                run.problems.borrow_mut().push(error.problem(what));
                continue;
            }
        };
        let why = match &seen {
            Some(seen) => health::no_longer_works(&seen.state),
            None => Some("it is gone".to_owned()),
        };
        let Some(why) = why else { continue };
        // The step has the name that the container was made under.
        let service = seen.as_ref().and_then(service_of).unwrap_or(name);
        let what = format!("{service} on host {} worked at first, and no longer does", plan.host);
        let logs = format!("see why: pillarbox logs {} --host {}", quoted(service), plan.host);
        run.problems.borrow_mut().push(Problem::new(Code::Failed, what).cause(why).hint(logs));
    }
}

/// The service that a container says it is of.
fn service_of(seen: &Inspected) -> Option<&str> {
    seen.inspect.compare("/Config/Labels")?.get(Label::SERVICE)?.as_str()
}

/// Each host alone, in this order.
pub(super) fn one_by_one<E, G>(hosts: &[Host<'_, E, G>]) -> Vec<Batch> {
    hosts.iter().map(|host| Batch { wave: 0, hosts: vec![host.plan.host.clone()] }).collect()
}
