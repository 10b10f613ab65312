//! Asking Engines what they are, and nothing else: nothing is compiled, nothing is remembered.

use super::connect::{dial, silent};
use super::hosts::at_once;
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use crate::engine::Engine as _;
use crate::inventory::Host;
use crate::observed::Facts;
use crate::pillar::known::KnownHost;
use crate::problem::Result;

/// An Engine that answered.
pub struct Probed {
    /// What it says of itself.
    pub facts: Facts,
    /// Seconds since 1970 by its clock.
    pub now: i64,
    /// What decides who answers there.
    pub seen: KnownHost,
}

impl Pipeline<'_> {
    /// The Engines of hosts, in their order.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn probe(&self, hosts: &[&Host]) -> Result<Vec<Result<Probed>>> {
        let probing = async { Ok(at_once(hosts.iter().map(|host| one(self.vault, host))).await) };
        unless_interrupted(self.interrupt, probing).await
    }
}

async fn one(vault: &Vault<'_>, host: &Host) -> Result<Probed> {
    let (engine, facts, seen) = dial(vault, host).await?;
    let now = engine.now().await.map_err(|error| silent(host, &error))?;
    Ok(Probed { facts, now, seen })
}
