//! What execution reports while it runs: for bars and lines.

use crate::engine::PullProgress;
use crate::name::HostName;
use std::time::Duration;

/// Something that happened while a plan was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// On which host.
    pub host: HostName,
    /// What.
    pub kind: EventKind,
}

/// How a group of steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupEnd {
    /// It was never started.
    Skipped,
    /// It was begun and interrupted; the next apply finishes it or rolls it back.
    Interrupted,
    /// All of it was done.
    Done,
    /// It failed, and all that was done was rolled back.
    RolledBack,
    /// It failed where there is nothing to roll back.
    Failed,
    /// It failed, and not all could be rolled back.
    RollbackFailed,
}

impl GroupEnd {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::RolledBack => "failed, rolled back",
            Self::Failed => "failed",
            Self::RollbackFailed => "failed, rollback incomplete",
        }
    }
}

/// What happened. A step is known by its id in the host's plan, which says its group.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// A step begins.
    StepStarted {
        /// Its id in the host's plan.
        step: u32,
    },
    /// A pull goes on.
    PullProgress {
        /// Its id in the host's plan.
        step: u32,
        /// How far it is.
        progress: PullProgress,
    },
    /// A step is done.
    StepDone {
        /// Its id in the host's plan.
        step: u32,
        /// How long it took.
        took: Duration,
    },
    /// The Engine did it and has something to say, control characters escaped.
    Warned {
        /// Its id in the host's plan.
        step: u32,
        /// The Engine's words.
        text: String,
    },
    /// A step failed.
    StepFailed {
        /// Its id in the host's plan.
        step: u32,
        /// Why, in one line.
        why: String,
    },
    /// The last log lines of a container that did not start, secrets replaced, control characters escaped.
    ContainerLog {
        /// Its name.
        container: String,
        /// Oldest first.
        lines: Vec<String>,
    },
    /// What the health check of a container printed that did not become healthy, secrets replaced, control characters
    /// escaped.
    ProbeLog {
        /// Its name.
        container: String,
        /// Oldest first.
        lines: Vec<String>,
    },
    /// An action of a rollback begins, in words: `start nginx`.
    UndoStarted {
        /// The step that failed.
        step: u32,
        /// What is done.
        action: String,
    },
    /// An action of a rollback ended.
    UndoDone {
        /// The step that failed.
        step: u32,
        /// What was done.
        action: String,
        /// Why it failed, if it did.
        failed: Option<String>,
    },
    /// A group that was begun has ended.
    GroupEnded {
        /// Its name in the host's plan.
        group: String,
        /// How.
        end: GroupEnd,
        /// How long it took, from its first call.
        took: Duration,
    },
    /// The Engine does not answer, and is waited for: it may just be restarted.
    EngineAway,
    /// A registry gives nothing for now, and is waited for.
    RegistryAway {
        /// Which, why, and when it is asked again.
        text: String,
    },
    /// An interrupt was received: nothing new is begun.
    Interrupted,
}
