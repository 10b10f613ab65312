//! Asking Engines what they are, and nothing else: nothing is compiled, nothing is remembered.

use super::reach::{connect, silent};
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::engine::Engine as _;
use crate::inventory::Host;
use crate::observed::Facts;
use crate::pillar::known::KnownHost;
use crate::problem::Result;
use futures_util::{StreamExt as _, stream};

/// Hosts that are dialled at the same time.
const AT_ONCE: usize = 16;

/// An Engine that answered.
pub(in crate::cli) struct Probed {
    /// What it says of itself.
    pub facts: Facts,
    /// Seconds since 1970 by its clock.
    pub now: i64,
    /// What decides who answers there.
    pub seen: KnownHost,
}

/// The Engines of hosts, in their order.
pub(in crate::cli) async fn probe(ctx: &Context, vault: &Vault<'_>, hosts: &[&Host]) -> Vec<Result<Probed>> {
    stream::iter(hosts.iter().map(|host| one(ctx, vault, host))).buffered(AT_ONCE).collect().await
}

async fn one(ctx: &Context, vault: &Vault<'_>, host: &Host) -> Result<Probed> {
    let (engine, facts, seen) = connect(ctx, vault, host).await?;
    let now = engine.now().await.map_err(|error| silent(host, &error))?;
    Ok(Probed { facts, now, seen })
}
