//! Which hosts are changed at the same time.

use crate::name::HostName;
use serde::Serialize;

/// Hosts that are changed at the same time. The next batch begins when all of them have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Its place in the order of groups (`groups.NAME.after`), from 0.
    pub wave: usize,
    /// Sorted by name.
    pub hosts: Vec<HostName>,
}
