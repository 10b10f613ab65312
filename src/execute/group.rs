//! The steps of one group, one after another; rolled back where one fails.

use super::Emit;
use super::away;
use super::call::{CallFailure, Caller};
use super::expect;
use super::lock_check::LockCheck;
use super::{Guard, schedule::Group};
use crate::engine::Engine;
use crate::event::EventKind;
use crate::event::GroupEnd;
use crate::inspect::Probe;
use crate::plan::{Action, Step};
use crate::problem::{Code, Problem, Problems};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::{Instant, sleep};

/// Lines of a log that are shown of a container that did not come up.
const LOG_LINES: u32 = 20;

/// Failed runs of a health check that are shown.
const PROBES: usize = 3;

/// Characters of a line of them.
const PROBE_WIDTH: usize = 400;

/// How often an action of a rollback is tried.
const ROLLBACK_TRIES: u32 = 3;

/// What the groups of a host share.
pub(super) struct HostRun<'a, E, G> {
    pub(super) caller: Caller<'a, E>,
    pub(super) lock: LockCheck<'a, G>,
    pub(super) emit: Emit<'a>,
    /// Steps that are done.
    pub(super) done: RefCell<BTreeSet<u32>>,
    /// Something is, or may be, other than before.
    pub(super) changed: Cell<bool>,
    pub(super) problems: RefCell<Vec<Problem>>,
    /// A pull failed, so that it is skipped.
    pub(super) out: Cell<bool>,
    /// Why images are left out, and what needs them.
    pub(super) without_image: RefCell<Vec<Problem>>,
    /// What became of the groups that were begun.
    pub(super) ends: RefCell<BTreeMap<String, GroupEnd>>,
}

/// Where the steps of a group lead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// To what is wanted; an interrupt ends that.
    Forward,
    /// Back to what was.
    Rollback,
}

/// Why a group ends before its last step.
enum Halt {
    /// A step failed: what was done is rolled back.
    Failed(Problems),
    /// Interrupted before or within a step: what was done is rolled back.
    Interrupted(Problems),
    /// The lock is lost: nothing more is touched.
    LockLost(Problems),
    /// Another group has failed, and nothing of this one was done yet.
    CalledOff,
}

impl<E: Engine, G: Guard> HostRun<'_, E, G> {
    /// Does the steps of a group.
    pub(super) async fn group(&self, (name, steps): &Group<'_>) -> GroupEnd {
        let began = Cell::new(None);
        let end = self.steps(steps, &began).await;
        if let Some(began) = began.get().filter(|_| end != GroupEnd::Skipped) {
            let took = Instant::elapsed(&began);
            (self.emit)(EventKind::GroupEnded { group: name.clone(), end, took });
        }
        end
    }

    async fn steps(&self, steps: &[&Step], began: &Cell<Option<Instant>>) -> GroupEnd {
        for (index, step) in steps.iter().enumerate() {
            let Err(halt) = self.step(step, index, began).await else { continue };
            let interrupted = matches!(halt, Halt::Interrupted(_));
            let problems = match halt {
                Halt::CalledOff => return GroupEnd::Skipped,
                Halt::LockLost(problems) => {
                    self.problems.borrow_mut().extend(problems.into_vec());
                    return if index == 0 { GroupEnd::Skipped } else { GroupEnd::Interrupted };
                }
                Halt::Failed(problems) | Halt::Interrupted(problems) => problems,
            };
            let why = problems.iter().map(said).collect::<Vec<_>>().join("; ").replace('\n', "; ");
            let withheld = self.withholds(step);
            let found = if withheld { &self.without_image } else { &self.problems };
            found.borrow_mut().extend(problems.into_vec());
            if interrupted && index == 0 {
                return GroupEnd::Skipped;
            }
            (self.emit)(EventKind::StepFailed { step: step.id, why });
            if !interrupted {
                self.show_log(step).await;
            } else if matches!(step.action, Action::AwaitExit { .. }) {
                // It runs on; the next apply waits for it.
                return GroupEnd::Interrupted;
            }
            return self.roll_back(step).await;
        }
        GroupEnd::Done
    }

    /// Whether a step is a pull of which the registry gave nothing.
    fn withholds(&self, step: &Step) -> bool {
        matches!(&step.action, Action::Pull { image, .. } if self.caller.withheld.borrow().contains(image))
    }

    async fn step(&self, step: &Step, index: usize, began: &Cell<Option<Instant>>) -> Result<(), Halt> {
        let first = index == 0;
        let slot = self.caller.slots.acquire(index).await;
        if self.caller.interrupt.raised() {
            let what = if first { "skipped" } else { "interrupted before" };
            let problem = Problem::new(Code::Interrupted, format!("{what}: {}", step.action));
            return Err(Halt::Interrupted(problem.into()));
        }
        if first {
            self.begin(step)?;
            began.set(Some(Instant::now()));
        }
        if !step.action.waits() {
            // Lost is lost; but an Engine that does not answer may be back for the rollback.
            self.still_ours(Direction::Forward).await.map_err(|problems| {
                let lost = first || problems.code() == Code::Stale;
                if lost { Halt::LockLost(problems) } else { Halt::Failed(problems) }
            })?;
        }
        let look = async || expect::before(self.caller.engine, &step.action, &step.expects).await;
        match self.caller.away.read(look).await {
            Ok(None) => {}
            Ok(Some(moved)) => return Err(Halt::Failed(stale(step, moved).into())),
            Err(error) => {
                let problem =
                    error.problem(format!("{}: cannot read the host before this step", step.action));
                return Err(Halt::Failed(problem.into()));
            }
        }
        let slot = Some(slot).filter(|_| !idles(&step.action));
        (self.emit)(EventKind::StepStarted { step: step.id });
        let started = Instant::now();
        let progress = |progress| (self.emit)(EventKind::PullProgress { step: step.id, progress });
        let called = self.caller.call(step.id, &step.action, &progress).await;
        drop(slot);
        match called {
            Ok(warnings) => {
                if changes(&step.action) {
                    self.changed.set(true);
                }
                self.done.borrow_mut().insert(step.id);
                for text in warnings {
                    (self.emit)(EventKind::Warned { step: step.id, text });
                }
                (self.emit)(EventKind::StepDone { step: step.id, took: started.elapsed() });
                Ok(())
            }
            Err(failed) => Err(self.failed(step, failed).await),
        }
    }

    /// A group begins with its first slot: where another one has failed meanwhile, it does not.
    fn begin(&self, step: &Step) -> Result<(), Halt> {
        if step.action.prepares() {
            return Ok(());
        }
        if !self.problems.borrow().is_empty() {
            return Err(Halt::CalledOff);
        }
        self.ends.borrow_mut().insert(step.group.clone(), GroupEnd::Interrupted);
        Ok(())
    }

    async fn failed(&self, step: &Step, failed: CallFailure) -> Halt {
        let ran = matches!(step.action, Action::AwaitExit { .. }) && !failed.interrupted;
        if ran || (!failed.refused && changes(&step.action)) {
            self.changed.set(true);
        }
        let mut problems = failed.problems;
        if failed.moved
            && let Some(moved) = expect::explain(self.caller.engine, &step.expects).await
        {
            problems = stale(step, moved).into();
        }
        if failed.interrupted { Halt::Interrupted(problems) } else { Halt::Failed(problems) }
    }

    /// The last words of a container that did not come up.
    async fn show_log(&self, step: &Step) {
        let (Action::Start { container, name }
        | Action::StartFilled { container, name, .. }
        | Action::AwaitExit { container, name, .. }
        | Action::AwaitHealthy { container, name, .. }) = &step.action
        else {
            return;
        };
        let Some(id) = self.caller.id(container) else { return };
        if let Ok(lines) = self.caller.engine.log_tail(&id, LOG_LINES).await {
            let lines = self.caller.clean_log(&format!("docker logs {name}"), &lines);
            if !lines.is_empty() {
                (self.emit)(EventKind::ContainerLog { container: name.clone(), lines });
            }
        }
        if matches!(step.action, Action::AwaitHealthy { .. })
            && let Ok(Some(seen)) = self.caller.engine.container(&id).await
        {
            let lines = probes(&seen.inspect.probes());
            let lines = self.caller.clean_log(&format!("docker inspect {name}"), &lines);
            let lines = shortened(lines);
            if !lines.is_empty() {
                (self.emit)(EventKind::ProbeLog { container: name.clone(), lines });
            }
        }
    }

    /// One action of a rollback, tried again where it fails: what matters most must not end with a port
    /// that is let go a moment too late, or an answer that is lost.
    async fn undo(&self, step: &Step, action: &Action) -> Result<Vec<String>, CallFailure> {
        let mut tried = 1;
        loop {
            match self.caller.call(step.id, action, &|_| {}).await {
                Err(failed) if tried < ROLLBACK_TRIES => {
                    sleep(away::PAUSE).await;
                    if self.still_ours(Direction::Rollback).await.is_err() {
                        return Err(failed);
                    }
                }
                done => return done,
            }
            tried += 1;
        }
    }

    /// The lock is still ours; waits for an Engine that does not answer.
    async fn still_ours(&self, direction: Direction) -> Result<(), Problems> {
        let began = Instant::now();
        let mut said = false;
        loop {
            let gives_up = direction == Direction::Forward && self.caller.interrupt.raised();
            match self.lock.check().await {
                Err(problems)
                    if problems.code() != Code::Stale && began.elapsed() < away::TIMEOUT && !gives_up =>
                {
                    if !said {
                        self.caller.away.begin();
                        said = true;
                    }
                    match direction {
                        Direction::Forward => self.caller.away.pause().await,
                        Direction::Rollback => sleep(away::PAUSE).await,
                    }
                }
                done => return done,
            }
        }
    }

    /// Each action whatever became of the one before.
    async fn roll_back(&self, step: &Step) -> GroupEnd {
        let mut end = if step.undo.is_empty() { GroupEnd::Failed } else { GroupEnd::RolledBack };
        for action in &step.undo {
            if action.target().is_some_and(|target| self.caller.id(target).is_none()) {
                continue;
            }
            if let Err(lost) = self.still_ours(Direction::Rollback).await {
                self.problems.borrow_mut().extend(lost.into_vec());
                return GroupEnd::Interrupted;
            }
            (self.emit)(EventKind::UndoStarted { step: step.id, action: action.to_string() });
            let done = self.undo(step, action).await;
            self.changed.set(true);
            let failed = done.err().map(|failed| {
                end = GroupEnd::RollbackFailed;
                let why = failed.problems.iter().map(said).collect::<Vec<_>>().join("; ");
                let what = format!("not rolled back: {why}");
                self.problems.borrow_mut().push(Problem::failed(what));
                why
            });
            (self.emit)(EventKind::UndoDone { step: step.id, action: action.to_string(), failed });
        }
        end
    }
}

/// The last runs of a health check that failed, each with what it printed, at its full length: a secret must not be
/// cut before it is found.
fn probes(all: &[Probe]) -> Vec<String> {
    let mut lines = Vec::new();
    let failed = all.iter().filter(|probe| probe.exit_code != 0);
    let failed: Vec<&Probe> = failed.collect();
    for probe in &failed[failed.len().saturating_sub(PROBES)..] {
        let mut printed = probe.output.compare().trim_end().lines();
        lines.push(format!("exit code {}: {}", probe.exit_code, printed.next().unwrap_or_default()));
        lines.extend(printed.map(|line| format!("  {line}")));
    }
    lines
}

/// Lines that were cleaned, as many and as long as are shown.
fn shortened(lines: Vec<String>) -> Vec<String> {
    let skipped = lines.len().saturating_sub(LOG_LINES as usize);
    let short = |line: String| match line.char_indices().nth(PROBE_WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    };
    lines.into_iter().skip(skipped).map(short).collect()
}

/// Whether the Engine does little while it lasts, so that it holds no slot: all that waits, and a stop,
/// which may take its whole grace time.
fn idles(action: &Action) -> bool {
    action.waits() || matches!(action, Action::Stop { .. } | Action::Exec { .. })
}

/// Whether something is other than before when it is done: also when a task has run, whatever it did.
fn changes(action: &Action) -> bool {
    matches!(action, Action::AwaitExit { .. }) || !(action.waits() || action.prepares())
}

fn said(problem: &Problem) -> String {
    std::iter::once(&problem.what).chain(&problem.causes).cloned().collect::<Vec<_>>().join(": ")
}

fn stale(step: &Step, moved: String) -> Problem {
    Problem::new(Code::Stale, format!("{}: the host is not as the plan expects it", step.action))
        .cause(moved)
        .hint("plan again: 'pillarbox plan'")
}
