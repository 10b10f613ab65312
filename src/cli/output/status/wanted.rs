//! What is to run, and whether it does: what monitoring asks.

use super::ContainerStatus;
use crate::desired::{Address, Desired, DesiredContainer, DesiredState, Kind, Run};
use serde::Serialize;

/// A container that is to run.
#[derive(Debug, Serialize)]
pub(in crate::cli::output) struct WantedStatus {
    pub(in crate::cli::output) container: String,
    pub(in crate::cli::output) service: String,
    /// Of the container that holds the name; empty where none does.
    pub(in crate::cli::output) version: String,
    /// It runs, and neither is unhealthy nor crashes.
    pub(in crate::cli::output) works: bool,
}

/// What monitoring wants to know of a host, the worse the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Verdict {
    /// Everything is up to date, or held.
    AsWanted,
    /// An apply would change something, or something cannot be compared.
    Pending,
    /// Something that is to run does not work.
    Down,
}

/// Containers that are to run, each with the one that holds its name.
pub(super) fn wanted(desired: &Desired, containers: &[ContainerStatus]) -> Vec<WantedStatus> {
    let wants = desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) if want.run == Run::Running => Some(want.as_ref()),
        _ => None,
    });
    let status = |want: &DesiredContainer| {
        let holder = containers.iter().find(|one| one.name == want.name.as_str());
        WantedStatus {
            container: want.name.to_string(),
            service: want.service().to_string(),
            version: holder.map(|one| one.version.clone()).unwrap_or_default(),
            works: holder.is_some_and(|one| one.works),
        }
    };
    wants.map(status).collect()
}

/// Whether a container that is declared is not on the host.
pub(super) fn is_absent(address: &Address, desired: &Desired, containers: &[ContainerStatus]) -> bool {
    let declared = desired.items.iter().find(|item| item.address == *address);
    declared.is_some_and(|item| {
        matches!(item.want, DesiredState::Container(_))
            && address.kind == Kind::Container
            && !containers.iter().any(|one| one.name == address.name)
    })
}
