//! What is done about a container, in one word: for its line in the plan and for the group of its steps.

use super::choice::Choice;
use super::container::ContainerDecision;
use super::instances::runs;
use crate::desired::Reaction;

/// What is done about a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::planner) enum ContainerChange {
    /// Nothing; what is left beside it may go.
    Stays,
    /// There is none yet.
    Create,
    /// Another one takes its place.
    Replace,
    /// It works already; what is left is its name.
    TakeName,
    Start,
    Stop,
    Restart,
    /// It stays, and is changed in place.
    Update,
}

impl ContainerChange {
    pub(in crate::planner) fn of(container: &ContainerDecision<'_>) -> Self {
        match &container.choice {
            Choice::New { .. } if container.instances.is_empty() => Self::Create,
            Choice::New { .. } => Self::Replace,
            Choice::Existing(_) if !container.has_plain_name() => {
                let works = container.start_first && container.to_stop.is_empty();
                if works { Self::TakeName } else { Self::Replace }
            }
            Choice::Existing(_) if container.stays_as_it_is() => Self::Stays,
            Choice::Existing(chosen) if container.runs && !runs(chosen) => Self::Start,
            Choice::Existing(chosen) if !container.runs && runs(chosen) => Self::Stop,
            Choice::Existing(_) if container.reactions == [Reaction::Restart] => Self::Restart,
            Choice::Existing(_) => Self::Update,
        }
    }
}
