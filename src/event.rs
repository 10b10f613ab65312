//! What execution says happened, for progress bars, plain lines and JSON.

use crate::engine::PullProgress;
use crate::name::HostName;
use std::time::Duration;

/// Something that happened while a plan was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// On which host.
    pub host: HostName,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
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
    /// A step of the way back begins, in words: `start nginx`.
    UndoStarted {
        /// The step that is taken back.
        step: u32,
        /// What is done.
        action: String,
    },
    /// A step of the way back ended.
    UndoDone {
        /// The step that is taken back.
        step: u32,
        /// What was done.
        action: String,
        /// Why it failed, if it did.
        failed: Option<String>,
    },
    /// The Engine does not answer, and the way back waits for it.
    EngineAway,
    /// An interrupt was heard: nothing new is begun.
    Interrupted,
}
