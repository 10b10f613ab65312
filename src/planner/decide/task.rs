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
//! | one that failed, or never ran | remove it; run anew |
//! | one that runs as another | wait for it: two are never under way at once; then run |
//! | one that did not end in time | stop it if it still runs, remove it; run anew |

use super::instances::runs;
use super::source::Source;
use crate::desired::{Item, Kind, TaskWish, Wish};
use crate::observed::{Container, HelperContainer};
use crate::pillar::gate::Hold;
use crate::plan::STOPPED;
use crate::planner::context::PlanContext;
use crate::planner::options::Part;
use crate::problem::Result;
use std::collections::BTreeMap;

/// The decision for one task.
pub(in crate::planner) struct TaskRun<'a> {
    pub(in crate::planner) desired: &'a TaskWish,
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
    /// Where its image is not known.
    pub(in crate::planner) fn of(context: &PlanContext<'a>, desired: &'a TaskWish) -> Result<Self> {
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
                Some(part) => TaskState::Part(part.clone()),
                None => TaskState::Here(Here::Anew),
            }
        };
        Ok(Self { desired, source, fingerprint, found, state })
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

/// The tasks of a host by name.
pub(in crate::planner) struct Tasks<'a>(BTreeMap<&'a str, Known<'a>>);

/// What is known of a task before anything is done.
struct Known<'a> {
    fingerprint: String,
    /// The hold of its gate, which keeps it from running.
    held: Option<(&'a str, &'a Hold)>,
}

impl<'a> Tasks<'a> {
    /// All that a host declares.
    pub(in crate::planner) fn of(context: &PlanContext<'a>) -> Self {
        let each = context.items().filter_map(|item| {
            let Wish::Task(desired) = &item.wish else { return None };
            let task = TaskRun::of(context, desired).ok()?;
            let held = item.hold().filter(|_| !task.is_known());
            Some((item.address.name.as_str(), Known { fingerprint: task.fingerprint, held }))
        });
        Self(each.collect())
    }

    fn needed<'s>(&'s self, item: &'s Item) -> impl Iterator<Item = (&'a str, &'s Known<'a>)> {
        let tasks = item.needs.iter().filter(|needed| needed.kind == Kind::Task);
        tasks
            .filter_map(|needed| self.0.get_key_value(needed.name.as_str()).map(|(name, task)| (*name, task)))
    }

    /// Those that have run when a thing is made, with what they ran as.
    pub(in crate::planner) fn before(&self, item: &Item) -> BTreeMap<String, String> {
        self.needed(item).map(|(name, task)| (name.to_owned(), task.fingerprint.clone())).collect()
    }

    /// The hold of a task that a thing requires and that has not run: then it waits as well.
    pub(in crate::planner) fn held_back(&self, item: &Item) -> Option<(&'a str, &'a Hold)> {
        self.needed(item).find_map(|(_, task)| task.held)
    }
}

/// It did not end in time, and was to be stopped.
pub(in crate::planner) fn was_stopped(container: &Container) -> bool {
    container.name.ends_with(STOPPED)
}

pub(in crate::planner) fn runs_as(container: &Container, wanted: &str) -> bool {
    matches!(&container.helper, Some(HelperContainer::Task { fingerprint, .. }) if fingerprint == wanted)
}

/// Whether it runs, or ended well; `None` where it has to be run anew.
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
