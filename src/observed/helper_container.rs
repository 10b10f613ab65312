//! Containers of ours that are no instance of anything.

use super::Container;

/// What such a container is for. It is ours as an instance is: its labels did not come with its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelperContainer {
    /// Files are put into a volume through it. It is never started; one that is found was left by an apply
    /// that did not finish.
    Filler,
    /// A one-off command of a person runs in it, or ran in it (`pillarbox run`).
    Run {
        /// The service that it is made like.
        service: String,
    },
    /// It runs a task, or ran it.
    Task {
        /// The task.
        name: String,
        /// Of image and spec: what it runs as.
        fingerprint: String,
        /// The tag it was made from, for people.
        version: String,
    },
}

impl Container {
    /// Of a one-off command that does not run, and is not being removed already: its service.
    pub fn ended_one_off(&self) -> Option<&str> {
        let ended = !self.state.running && !self.state.restarting && self.state.status != "removing";
        match &self.helper {
            Some(HelperContainer::Run { service }) if ended => Some(service),
            _ => None,
        }
    }
}
