//! Who holds the locks of hosts, and breaking one. Nothing is compiled for it, and nothing is sent.

use super::connect::dial;
use super::hosts::Hosts;
use super::pipeline::{Pipeline, unless_interrupted};
use crate::engine::docker::Docker;
use crate::inventory::Host;
use crate::lock::{Holder, Run, break_lock, holder};
use crate::name::HostName;
use crate::problem::Result;

/// A host, and who holds its lock.
pub struct HostHolder {
    /// The host.
    pub host: HostName,
    /// Who holds it; `None` where it is free.
    pub holder: Option<Holder>,
    engine: Docker,
}

impl Pipeline<'_> {
    /// Who holds the locks of these hosts, in their order.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn lock_holders(&self, hosts: Vec<&Host>) -> Result<Hosts<HostHolder>> {
        let look = |host: &Host| {
            let host = host.clone();
            async move {
                let (engine, ..) = dial(self.vault, &host).await?;
                let holder = holder(&engine, &host.name, self.vault.owner()).await?;
                Ok(HostHolder { host: host.name, holder, engine })
            }
        };
        let all = Hosts { ready: hosts, failed: Vec::new() };
        unless_interrupted(self.interrupt, async { Ok(all.next(|host| &host.name, look).await) }).await
    }

    /// Breaks the lock that a run was found to hold: it changes nothing more there. `false` where it does not hold it
    /// any more.
    ///
    /// # Errors
    /// If the Engine fails.
    pub async fn break_lock(&self, found: &HostHolder, holder: &Holder) -> Result<bool> {
        let env = &self.vault.session().env;
        let run = Run::new(&env.user, &env.machine, "pillarbox lock break")?;
        break_lock(&found.engine, &found.host, self.vault.owner(), holder, &run).await
    }
}
