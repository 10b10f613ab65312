//! Kept containers that are not left as they are: those that run, and those that Compose can start.
//!
//! No state asks for a kept container that runs, and most answer as their service. So it is stopped. One that
//! carries Compose's labels leaves its networks as well: `docker compose up` starts it wherever it finds it, and on
//! 20.10 and 28 a container that is in no network starts without one, so it serves nothing (measured).

use super::choice::Choice;
use super::instances::{Instances, runs};
use super::kept;
use super::networks::observed;
use crate::observed::{Container, InstanceRole, is_user_defined};

/// What is done about kept containers of one that is wanted.
#[derive(Debug, Default)]
pub(in crate::planner) struct Aside<'a> {
    /// Kept ones that run; they are stopped.
    pub(in crate::planner) awake: Vec<&'a Container>,
    /// Those of Compose that are kept in the end and are in networks; they leave them.
    pub(in crate::planner) leaves: Vec<&'a Container>,
}

impl<'a> Aside<'a> {
    /// `stay` says of a kept one whether it is kept on.
    pub(in crate::planner) fn of(
        instances: &Instances<'a>,
        choice: &Choice<'a>,
        retain: u32,
        stay: impl Fn(&Container) -> bool,
    ) -> Self {
        let kept = || instances.kept.iter().copied().filter(|ours| !choice.is(ours));
        let parked = instances.all().filter(|ours| kept::stays(retain, choice, ours));
        // The choice takes the name of the holder; one that returns is laid down.
        let parked = parked.filter(|ours| ours.role() != InstanceRole::Committed || !choice.is(ours));
        let in_networks = |ours: &&Container| observed(ours).keys().any(|network| is_user_defined(network));
        Self {
            awake: kept().filter(|ours| runs(ours)).collect(),
            leaves: kept()
                .filter(|ours| stay(ours))
                .chain(parked)
                .filter(|ours| ours.compose.is_some())
                .filter(in_networks)
                .collect(),
        }
    }

    /// Whether there is nothing to do.
    pub(in crate::planner) fn is_empty(&self) -> bool {
        self.awake.is_empty() && self.leaves.is_empty()
    }

    /// Whether a container leaves all its networks.
    pub(in crate::planner) fn leaves(&self, container: &Container) -> bool {
        self.leaves.iter().any(|one| one.id == container.id)
    }
}

/// The name of the service by which a kept container is found in some network.
pub(in crate::planner) fn answers_as<'n>(container: &Container, names: [&'n str; 2]) -> Option<&'n str> {
    let aliases: Vec<String> = observed(container)
        .iter()
        .filter(|(network, _)| is_user_defined(network))
        .flat_map(|(_, endpoint)| endpoint["Aliases"].as_array().cloned().unwrap_or_default())
        .filter_map(|alias| alias.as_str().map(str::to_owned))
        .collect();
    names.into_iter().find(|name| aliases.iter().any(|alias| alias == name))
}
