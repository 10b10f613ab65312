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
use std::collections::BTreeSet;

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

/// What Compose runs of a project on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Names of its containers.
    pub containers: Vec<String>,
    /// The folder that it was started from, where all of them say the same.
    pub dir: Option<String>,
}

impl Pipeline<'_> {
    /// The containers that Compose made of a project on a host, by their labels. Nothing is sent.
    ///
    /// # Errors
    /// Where the Engine does not answer.
    pub async fn running(&self, host: &Host, project: &str) -> Result<Running> {
        let asking = async {
            let (engine, ..) = dial(self.vault, host).await?;
            let all = engine.containers().await.map_err(|error| silent(host, &error))?;
            let of = |label: &str| format!("com.docker.compose.{label}");
            let mut own =
                all.iter().filter(|one| one.labels.get(&of("project")).is_some_and(|it| it == project));
            let dirs: BTreeSet<&String> =
                own.clone().filter_map(|one| one.labels.get(&of("project.working_dir"))).collect();
            let dir = (dirs.len() == 1).then(|| dirs.first().map(|dir| (*dir).clone())).flatten();
            Ok(Running { containers: own.by_ref().map(|one| one.name.clone()).collect(), dir })
        };
        unless_interrupted(self.interrupt, asking).await
    }
}

async fn one(vault: &Vault<'_>, host: &Host) -> Result<Probed> {
    let (engine, facts, seen) = dial(vault, host).await?;
    let now = engine.now().await.map_err(|error| silent(host, &error))?;
    Ok(Probed { facts, now, seen })
}
