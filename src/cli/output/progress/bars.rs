//! Bars on a terminal: one for each pull, one spinner for each group of steps that is under way.

use crate::cli::output::words;
use crate::event::Happened;
use crate::name::HostName;
use crate::plan::{Action, HostPlan, Step};
use crate::problem::escaped;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// All bars that are drawn.
pub(super) struct Bars {
    all: MultiProgress,
    drawn: RefCell<HashMap<(HostName, String), ProgressBar>>,
}

const TICK: Duration = Duration::from_millis(120);

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), drawn: RefCell::default() }
    }

    /// Prints a line that stays above the bars.
    pub(super) fn above(&self, line: &str) {
        let _ = self.all.println(line);
    }

    pub(super) fn clear(&self) {
        self.drawn.borrow_mut().clear();
        let _ = self.all.clear();
    }

    /// Moves the bars on.
    pub(super) fn follow(&self, plan: &HostPlan, what: &Happened) {
        match what {
            Happened::StepStarted { step } => {
                let Some(step) = words::step(plan, *step) else { return };
                self.bar(plan, step).set_message(escaped(&words::action(&step.action)));
            }
            Happened::PullProgress { step, progress } => {
                let Some(step) = words::step(plan, *step) else { return };
                let bar = self.bar(plan, step);
                bar.set_length(progress.total);
                bar.set_position(progress.done);
            }
            Happened::StepDone { step, .. } => {
                let Some(step) = words::step(plan, *step) else { return };
                let last = plan.steps.iter().rfind(|other| other.group == step.group);
                if is_pull(step) || last.is_some_and(|last| last.id == step.id) {
                    self.remove(&key(plan, step));
                }
            }
            Happened::StepFailed { step, .. } => {
                let Some(step) = words::step(plan, *step) else { return };
                if is_pull(step) {
                    self.remove(&key(plan, step));
                }
            }
            Happened::UndoStarted { step, action } => {
                let Some(step) = words::step(plan, *step) else { return };
                self.bar(plan, step).set_message(format!("way back: {}", escaped(action)));
            }
            Happened::Warned { .. }
            | Happened::UndoDone { .. }
            | Happened::ContainerLog { .. }
            | Happened::EngineAway
            | Happened::Interrupted => {}
        }
    }

    fn bar(&self, plan: &HostPlan, step: &Step) -> ProgressBar {
        let mut drawn = self.drawn.borrow_mut();
        let bar = drawn.entry(key(plan, step)).or_insert_with(|| {
            let bar = if is_pull(step) { ProgressBar::new(0) } else { ProgressBar::new_spinner() };
            let bar = bar.with_style(look(is_pull(step))).with_prefix(plan.host.to_string());
            let bar = self.all.add(bar.with_message(escaped(&words::action(&step.action))));
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.clone()
    }

    fn remove(&self, key: &(HostName, String)) {
        if let Some(bar) = self.drawn.borrow_mut().remove(key) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

fn is_pull(step: &Step) -> bool {
    matches!(step.action, Action::Pull { .. })
}

/// Pulls run beside each other, each with a bar; the steps of another group share one.
fn key(plan: &HostPlan, step: &Step) -> (HostName, String) {
    let what = if is_pull(step) { format!("pull #{}", step.id) } else { step.group.clone() };
    (plan.host.clone(), what)
}

/// Without colours: indicatif decides on those by other rules than the rest of our output.
fn look(pull: bool) -> ProgressStyle {
    let template = if pull {
        "{spinner} {prefix}: {wide_msg} [{bar:24}] {bytes}/{total_bytes} {elapsed}"
    } else {
        "{spinner} {prefix}: {wide_msg} {elapsed}"
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("=> ")
        .tick_chars("|/-\\ ")
}
