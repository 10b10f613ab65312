//! The steps of one group, one after another; taken back where one fails.

use super::call::{Caller, Failed};
use super::expect;
use super::outcome::GroupEnd;
use super::{Guard, Say};
use crate::engine::Engine;
use crate::event::Happened;
use crate::plan::{Action, Step};
use crate::problem::{Code, Problem, Problems};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// Lines of a log that are shown of a container that did not come up.
const LOG_LINES: u32 = 20;

/// How often an action of a way back is tried.
const TRIES: u32 = 3;

/// For how long a way back waits for an Engine that does not answer: it may just be restarted.
const RETURN: Duration = Duration::from_secs(30);

/// What the groups of a host share.
pub(super) struct Run<'a, E, G> {
    pub(super) caller: Caller<'a, E>,
    pub(super) guard: &'a G,
    pub(super) say: Say<'a>,
    /// Calls that may be under way at the same time.
    pub(super) calls: Semaphore,
    /// Steps that are done.
    pub(super) done: RefCell<BTreeSet<u32>>,
    /// Something is, or may be, other than before.
    pub(super) changed: Cell<bool>,
    pub(super) problems: RefCell<Vec<Problem>>,
    /// What became of the groups that were begun.
    pub(super) ends: RefCell<BTreeMap<String, GroupEnd>>,
}

/// How far a step came.
enum Stop {
    /// It failed, or was not begun because of an interrupt: what was done is taken back.
    Back(Problems, bool),
    /// The lock is lost: nothing more is touched.
    HandsOff(Problems),
}

impl<E: Engine, G: Guard> Run<'_, E, G> {
    /// Carries out a group.
    pub(super) async fn group(&self, steps: &[&Step]) -> GroupEnd {
        for (index, step) in steps.iter().enumerate() {
            let Err(stop) = self.step(step, index == 0).await else { continue };
            let (problems, interrupted) = match stop {
                Stop::HandsOff(problems) => {
                    self.problems.borrow_mut().extend(problems.into_vec());
                    return if index == 0 { GroupEnd::NotBegun } else { GroupEnd::CutOff };
                }
                Stop::Back(problems, interrupted) => (problems, interrupted),
            };
            let why = problems.to_string().replace('\n', "; ");
            self.problems.borrow_mut().extend(problems.into_vec());
            if interrupted && index == 0 {
                return GroupEnd::NotBegun;
            }
            (self.say)(Happened::StepFailed { step: step.id, why });
            if !interrupted {
                self.show_log(step).await;
            } else if matches!(step.action, Action::AwaitExit { .. }) {
                // It runs on; the next apply waits for it.
                return GroupEnd::CutOff;
            }
            return self.take_back(step).await;
        }
        GroupEnd::Done
    }

    async fn step(&self, step: &Step, first: bool) -> Result<(), Stop> {
        if self.caller.interrupt.raised() {
            let what = if first { "not begun" } else { "interrupted before" };
            let problem = Problem::new(Code::Interrupted, format!("{what}: {}", step.action));
            return Err(Stop::Back(problem.into(), true));
        }
        let waits = step.action.waits();
        // A wait is no work for the Engine, neither is the time that a container takes to stop or to answer.
        let idle = waits || matches!(step.action, Action::Stop { .. } | Action::Exec { .. });
        let _permit = if idle { None } else { self.calls.acquire().await.ok() };
        if !waits {
            // Lost is lost; but an Engine that does not answer may be back for the way back.
            self.guard.check().await.map_err(|problems| {
                let hands_off = first || problems.code() == Code::Stale;
                if hands_off { Stop::HandsOff(problems) } else { Stop::Back(problems, false) }
            })?;
        }
        match expect::before(self.caller.engine, &step.action, &step.expects).await {
            Ok(None) => {}
            Ok(Some(moved)) => return Err(Stop::Back(stale(step, moved).into(), false)),
            Err(error) => {
                let problem = error.problem(format!("{}: cannot look at the host before it", step.action));
                return Err(Stop::Back(problem.into(), false));
            }
        }
        (self.say)(Happened::StepStarted { step: step.id });
        let began = Instant::now();
        let progress = |progress| (self.say)(Happened::PullProgress { step: step.id, progress });
        let called = self.caller.call(step.id, &step.action, &progress);
        match called.await {
            Ok(warnings) => {
                if changes(&step.action) {
                    self.changed.set(true);
                }
                self.done.borrow_mut().insert(step.id);
                for text in warnings {
                    (self.say)(Happened::Warned { step: step.id, text });
                }
                (self.say)(Happened::StepDone { step: step.id, took: began.elapsed() });
                Ok(())
            }
            Err(failed) => Err(self.failed(step, failed).await),
        }
    }

    async fn failed(&self, step: &Step, failed: Failed) -> Stop {
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
        Stop::Back(problems, failed.interrupted)
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
            let lines = self.caller.redactor.clean_lines(&lines);
            if !lines.is_empty() {
                (self.say)(Happened::ContainerLog { container: name.clone(), lines });
            }
        }
    }

    /// One action of a way back, tried again where it fails: what matters most must not end with a port
    /// that is let go a moment too late, or an answer that is lost.
    async fn undo(&self, step: &Step, action: &Action) -> Result<Vec<String>, Failed> {
        let mut tried = 1;
        loop {
            match self.caller.call(step.id, action, &|_| {}).await {
                Err(failed) if tried < TRIES => {
                    sleep(Duration::from_secs(1)).await;
                    if self.still_ours().await.is_err() {
                        return Err(failed);
                    }
                }
                done => return done,
            }
            tried += 1;
        }
    }

    /// The lock is still ours; waits for an Engine that does not answer.
    async fn still_ours(&self) -> Result<(), Problems> {
        let began = Instant::now();
        let mut said = false;
        loop {
            match self.guard.check().await {
                Err(problems) if problems.code() != Code::Stale && began.elapsed() < RETURN => {
                    if !said {
                        (self.say)(Happened::EngineAway);
                        said = true;
                    }
                    sleep(Duration::from_secs(1)).await;
                }
                done => return done,
            }
        }
    }

    /// Each action whatever became of the one before.
    async fn take_back(&self, step: &Step) -> GroupEnd {
        let mut end = if step.undo.is_empty() { GroupEnd::Failed } else { GroupEnd::TakenBack };
        for action in &step.undo {
            if action.target().is_some_and(|target| self.caller.id(target).is_none()) {
                continue;
            }
            if let Err(lost) = self.still_ours().await {
                self.problems.borrow_mut().extend(lost.into_vec());
                return GroupEnd::CutOff;
            }
            (self.say)(Happened::UndoStarted { step: step.id, action: action.to_string() });
            let done = self.undo(step, action).await;
            self.changed.set(true);
            let failed = done.err().map(|failed| {
                end = GroupEnd::Broken;
                let why = failed.problems.iter().map(said).collect::<Vec<_>>().join("; ");
                let what = format!("not taken back: {why}");
                self.problems.borrow_mut().push(Problem::failed(what));
                why
            });
            (self.say)(Happened::UndoDone { step: step.id, action: action.to_string(), failed });
        }
        end
    }
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
