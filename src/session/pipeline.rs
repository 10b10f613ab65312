//! A run over hosts: what its stages share.

use super::known_hosts::NewHosts;
use super::lock_wait::LockWait;
use super::vault::Vault;
use crate::execute::Interrupt;
use crate::problem::{Code, Problem, Result};

/// A run over hosts, from connecting to applying. Its stages are methods, each in the file of its name.
#[derive(Clone, Copy)]
pub struct Pipeline<'p> {
    pub(super) vault: &'p Vault<'p>,
    pub(super) interrupt: &'p Interrupt,
    pub(super) new_hosts: NewHosts,
    pub(super) lock_wait: Option<&'p LockWait>,
    /// The terms that chose its hosts, for its record.
    pub(super) terms: &'p [String],
}

impl<'p> Pipeline<'p> {
    /// A run over hosts of a workspace; `new_hosts` says whether one that is new may be sent secrets.
    pub fn new(vault: &'p Vault<'p>, new_hosts: NewHosts, interrupt: &'p Interrupt) -> Self {
        Self { vault, interrupt, new_hosts, lock_wait: None, terms: &[] }
    }

    /// With the terms that chose its hosts, for its record.
    #[must_use]
    pub fn of_hosts(self, terms: &'p [String]) -> Self {
        Self { terms, ..self }
    }

    /// The same, which waits for locks that other runs hold.
    #[must_use]
    pub fn waiting(self, lock_wait: &'p LockWait) -> Self {
        Self { lock_wait: Some(lock_wait), ..self }
    }
}

/// Does something that changes nothing, unless interrupted.
///
/// # Errors
/// Those of `work`; [`Code::Interrupted`].
pub async fn unless_interrupted<T>(
    interrupt: &Interrupt,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = interrupt.heard(1) => {
            Err(Problem::new(Code::Interrupted, "interrupted before anything was changed").into())
        }
        result = work => result,
    }
}
