//! What a person, or another host of the run, says about planning one host.

use crate::name::HostName;
use std::collections::{BTreeMap, BTreeSet};

/// What a person may choose about planning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The Engine's address as in the inventory, for the plan.
    pub engine: String,
    /// Replaces containers that were changed by hand.
    pub fix_drift: bool,
    /// Removes our containers that no state declares.
    pub prune: bool,
    /// No registry is asked what tags stand for: what is not known waits.
    pub offline: bool,
    /// Services of which every container is replaced by a new one as it is declared (`restart --new`).
    pub renew: BTreeSet<String>,
    /// What goes is taken down by request (`down`), whatever states declare.
    pub down: bool,
    /// Volumes that remember something and go.
    pub forgets: BTreeSet<String>,
    /// What other hosts of the run do about tasks of this one, see [`assign()`](super::assign()).
    pub tasks: BTreeMap<String, Part>,
}

/// What hosts of a run do about a task for one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Another host of this run runs it.
    Elsewhere(HostName),
    /// This host runs it, for these as well.
    Here(Vec<HostName>),
    /// It ran on this host, as another host of this run remembers.
    Ran(HostName),
}

/// What is cleaned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clean {
    /// Images alone.
    pub images: bool,
    /// Of failed attempts those that ended before this, seconds since 1970 by the Engine's clock; `None`: all.
    pub ended_before: Option<i64>,
}
