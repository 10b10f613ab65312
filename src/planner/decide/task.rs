//! Tasks: run once for an image and a spec, on one of the hosts that declare them so.
//!
//! That a task ran is remembered by an empty volume on each of those hosts, and by the label `.tasks` of
//! every instance that requires it and was created after it. Its container is kept until it is known to
//! have succeeded; from it alone follows what an apply that did not finish left:
//!
//! | found | then |
//! |---|---|
//! | remembered | nothing |
//! | a container that runs as this | wait for it, remember, remove it |
//! | one that ended with 0 as this | remember, remove it |
//! | one that failed, or never ran | remove it; run again |
//! | one that runs as another | wait for it: two are never under way at once; then run |
//! | one that did not end in time | stop it if it still runs, remove it; run again |

use super::instances::runs;
use super::needs;
use super::source::Source;
use crate::desired::{Address, DesiredState, DesiredTask, Item, Kind};
use crate::observed::{Container, HelperContainer};
use crate::pillar::gate::Hold;
use crate::plan::STOPPED;
use crate::planner::context::PlanContext;
use crate::planner::options::Part;
use crate::problem::{Problems, Result};
use std::collections::BTreeMap;

/// The decision for one task.
pub(in crate::planner) struct TaskRun<'a> {
    pub(in crate::planner) desired: &'a DesiredTask,
    pub(in crate::planner) source: Source,
    pub(in crate::planner) fingerprint: String,
    /// Its containers on this host.
    pub(in crate::planner) found: Vec<&'a Container>,
    pub(in crate::planner) state: TaskState,
}

/// What becomes of it here.
pub(in crate::planner) enum TaskState {
    /// It ran.
    Known,
    /// It ran: so say the instances that were made after it.
    Labelled,
    /// Another host runs it, or knows.
    Part(Part),
    /// It runs here.
    Here(Here),
}

/// What is there of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::planner) enum Here {
    /// Nothing that counts.
    Anew,
    /// It runs.
    Runs,
    /// It ended with 0.
    Ended,
}

impl<'a> TaskRun<'a> {
    /// Decides.
    ///
    /// # Errors
    /// Where its image is not known, or the Engine cannot do what is declared.
    pub(in crate::planner) fn of(context: &PlanContext<'a>, desired: &'a DesiredTask) -> Result<Self> {
        let source = Source::of(context, &desired.container)?;
        let fingerprint = desired.fingerprint(&source.label);
        let name = desired.container.name.as_str();
        let mut found: Vec<&Container> = context.of_task(name).collect();
        found.retain(|container| container.state.status != "removing");
        found.sort_by_key(|container| container.id.clone());
        let state = if context.has_run(name, &fingerprint) {
            TaskState::Known
        } else if let Some(here) = found.iter().filter(|it| runs_as(it, &fingerprint)).find_map(|it| of(it)) {
            TaskState::Here(here)
        } else if context.is_labelled(name, &fingerprint) {
            TaskState::Labelled
        } else {
            match context.options.tasks.get(name) {
                Some(part @ (Part::Elsewhere(_) | Part::Ran(_))) => TaskState::Part(part.clone()),
                Some(Part::Here(_)) | None => TaskState::Here(Here::Anew),
            }
        };
        if let TaskState::Here(Here::Anew) = state {
            let mut refused = needs::api(context, &desired.container);
            refused.extend(needs::passed_over(context, &desired.container));
            refused.extend(needs::memory(context, desired));
            Problems::check(refused)?;
        }
        Ok(Self { desired, source, fingerprint, found, state })
    }

    /// The host that it ran on, where this one remembers that; empty where an older pillarbox made the record.
    pub(in crate::planner) fn ran_on(&self, context: &PlanContext<'a>) -> Option<&'a str> {
        let ran = context.ran(self.name()).iter().find(|ran| ran.fingerprint == self.fingerprint)?;
        Some(ran.on.as_str())
    }

    /// Whether its container is created.
    pub(in crate::planner) fn is_created(&self) -> bool {
        matches!(self.state, TaskState::Here(Here::Anew))
    }

    /// Whether this host knows that it ran.
    pub(in crate::planner) fn is_known(&self) -> bool {
        matches!(self.state, TaskState::Known | TaskState::Labelled)
    }

    /// Whether its container is here, and runs or has succeeded.
    pub(in crate::planner) fn is_begun(&self) -> bool {
        matches!(self.state, TaskState::Here(Here::Runs | Here::Ended))
    }

    /// Whether anything is done about it, though its container is not here or has run: what is left is
    /// removed, or that it ran is remembered.
    pub(in crate::planner) fn clears_or_remembers(&self) -> bool {
        match self.state {
            TaskState::Known => !self.found.is_empty(),
            TaskState::Labelled | TaskState::Part(_) | TaskState::Here(_) => true,
        }
    }

    pub(in crate::planner) fn name(&self) -> &str {
        self.desired.container.name.as_str()
    }
}

/// The tasks of a host, and what waits for them.
pub(in crate::planner) struct Tasks<'a> {
    /// By name, each with what it runs as.
    fingerprints: BTreeMap<&'a str, String>,
    /// Tasks that a gate keeps from running, and all that requires one of them: directly or not.
    waiting: BTreeMap<&'a Address, (&'a str, &'a Hold)>,
}

impl<'a> Tasks<'a> {
    /// All that a host declares.
    pub(in crate::planner) fn of(context: &PlanContext<'a>) -> Self {
        let mut tasks = Self { fingerprints: BTreeMap::new(), waiting: BTreeMap::new() };
        // What is needed comes first.
        for item in context.items() {
            let mut hold = tasks.held_back(item);
            if let DesiredState::Task(desired) = &item.want {
                let task = TaskRun::of(context, desired).ok();
                let is_known = task.as_ref().is_some_and(TaskRun::is_known);
                hold = hold.or_else(|| item.hold().filter(|_| !is_known));
                tasks.fingerprints.extend(task.map(|task| (item.address.name.as_str(), task.fingerprint)));
            }
            tasks.waiting.extend(hold.map(|hold| (&item.address, hold)));
        }
        tasks
    }

    /// Those that have run when a resource is made, with what they ran as.
    pub(in crate::planner) fn before(&self, item: &Item) -> BTreeMap<String, String> {
        let needed = item.needs.iter().filter(|needed| needed.kind == Kind::Task);
        let ran = needed.filter_map(|needed| self.fingerprints.get_key_value(needed.name.as_str()));
        ran.map(|(name, fingerprint)| ((*name).to_owned(), fingerprint.clone())).collect()
    }

    /// The hold of a task that has not run, and that a resource requires or something that it requires: then it
    /// waits as well.
    pub(in crate::planner) fn held_back(&self, item: &Item) -> Option<(&'a str, &'a Hold)> {
        item.needs.iter().find_map(|needed| self.waiting.get(needed)).copied()
    }
}

/// It did not end in time, and was to be stopped.
pub(in crate::planner) fn was_stopped(container: &Container) -> bool {
    container.name.ends_with(STOPPED)
}

pub(in crate::planner) fn runs_as(container: &Container, wanted: &str) -> bool {
    matches!(&container.helper, Some(HelperContainer::Task { fingerprint, .. }) if fingerprint == wanted)
}

/// Whether it runs, or ended well; `None` where it has to be run again.
pub(in crate::planner) fn of(container: &Container) -> Option<Here> {
    let state = &container.state;
    let has_run = !state.started_at.is_empty() && !state.started_at.starts_with("0001-");
    match state.status.as_str() {
        // Ended with 0 it may have been told to.
        _ if was_stopped(container) => None,
        _ if runs(container) => Some(Here::Runs),
        "exited" | "dead" if has_run && state.exit_code == 0 && state.error.is_empty() => Some(Here::Ended),
        _ => None,
    }
}
