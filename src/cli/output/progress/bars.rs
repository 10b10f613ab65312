//! Bars on a terminal: one for each pull, one spinner for each resource that is changed, and below them how
//! many are done. No more than fit: a hundred containers may be changed at the same time.

use super::HostProgress;
use crate::event::EventKind;
use crate::name::HostName;
use crate::plan::{Action, Plan, Step};
use crate::problem::escaped;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// Bars that are drawn at the same time, beside the last one.
const MOST_BARS: usize = 8;

const TICK: Duration = Duration::from_millis(120);

/// A group on a host; pulls of one group have a bar each.
type Key = (HostName, String);

/// All bars.
pub(super) struct Bars {
    all: MultiProgress,
    /// How many groups are done.
    total: ProgressBar,
    drawn: RefCell<HashMap<Key, ProgressBar>>,
    /// What is in progress and not drawn: its message.
    hidden: RefCell<BTreeMap<Key, String>>,
}

impl Bars {
    pub(super) fn new(plan: &Plan) -> Self {
        let groups = plan.hosts.iter().map(|host| {
            let groups: HashSet<&str> = host.steps.iter().map(|step| step.group.as_str()).collect();
            groups.len()
        });
        let all = MultiProgress::new();
        let total = ProgressBar::new(u64::try_from(groups.sum::<usize>()).unwrap_or(u64::MAX));
        let total = all.add(total.with_style(style("  [{bar:24}] {pos} of {len} done {elapsed}")));
        Self { all, total, drawn: RefCell::default(), hidden: RefCell::default() }
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
    pub(super) fn follow(&self, host: &HostProgress<'_>, kind: &EventKind) {
        let name = &host.plan.host;
        match kind {
            EventKind::StepStarted { step } => {
                let Some(step) = host.step(*step) else { return };
                self.show(key(name, step), host.words(step.id), is_pull(step));
            }
            EventKind::PullProgress { step, progress } => {
                let Some(step) = host.step(*step) else { return };
                if let Some(bar) = self.drawn.borrow().get(&key(name, step)) {
                    bar.set_length(progress.total);
                    bar.set_position(progress.done);
                }
            }
            EventKind::StepDone { step, .. } | EventKind::StepFailed { step, .. } => {
                let Some(step) = host.step(*step) else { return };
                if is_pull(step) {
                    self.remove(&key(name, step));
                }
            }
            EventKind::UndoStarted { step, action } => {
                let Some(step) = host.step(*step) else { return };
                let message = format!("{}: rolling back: {}", host.address(step.id), escaped(action));
                self.show(key(name, step), message, false);
            }
            EventKind::GroupEnded { group, .. } => {
                self.total.inc(1);
                self.remove(&(name.clone(), group.clone()));
            }
            EventKind::Warned { .. }
            | EventKind::UndoDone { .. }
            | EventKind::ContainerLog { .. }
            | EventKind::ProbeLog { .. }
            | EventKind::EngineAway
            | EventKind::RegistryAway { .. }
            | EventKind::Interrupted => {}
        }
    }

    fn show(&self, key: Key, message: String, pull: bool) {
        let mut drawn = self.drawn.borrow_mut();
        if let Some(bar) = drawn.get(&key) {
            bar.set_message(message);
        } else if drawn.len() < MOST_BARS {
            drawn.insert(key.clone(), self.draw(&key.0, message, pull));
        } else {
            self.hidden.borrow_mut().insert(key, message);
        }
    }

    fn draw(&self, host: &HostName, message: String, pull: bool) -> ProgressBar {
        let bar = if pull { ProgressBar::new(0) } else { ProgressBar::new_spinner() };
        let look = match pull {
            true => "{spinner} {prefix}: {wide_msg} [{bar:24}] {bytes}/{total_bytes} {elapsed}",
            false => "{spinner} {prefix}: {wide_msg} {elapsed}",
        };
        let bar = bar.with_style(style(look)).with_prefix(host.to_string()).with_message(message);
        let bar = self.all.insert_before(&self.total, bar);
        bar.enable_steady_tick(TICK);
        bar
    }

    /// Takes a bar away; one that was hidden takes its place.
    fn remove(&self, key: &Key) {
        self.hidden.borrow_mut().remove(key);
        let Some(bar) = self.drawn.borrow_mut().remove(key) else { return };
        bar.finish_and_clear();
        self.all.remove(&bar);
        let next = self.hidden.borrow_mut().pop_first();
        if let Some((key, message)) = next {
            let bar = self.draw(&key.0, message, false);
            self.drawn.borrow_mut().insert(key, bar);
        }
    }
}

fn is_pull(step: &Step) -> bool {
    matches!(step.action, Action::Pull { .. })
}

/// Pulls run beside each other, each with a bar; the other steps of a group share one.
fn key(host: &HostName, step: &Step) -> Key {
    let what = if is_pull(step) { format!("pull #{}", step.id) } else { step.group.clone() };
    (host.clone(), what)
}

/// Without colours: indicatif decides on those by other rules than the rest of our output.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("=> ")
        .tick_chars("|/-\\ ")
}
