//! Connecting to the Engines of all hosts at once, and asking each what it is.

use super::address::dialled;
use super::{Wished, sorted_out};
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::Desired;
use crate::engine::docker::Docker;
use crate::engine::{Engine as _, EngineError};
use crate::inventory::Host;
use crate::observed::Facts;
use crate::problem::{Problem, Result};
use futures_util::{StreamExt as _, stream};

/// Hosts that are dialled at the same time.
const AT_ONCE: usize = 16;

/// A host that answers, and what is wanted there.
pub(super) struct Reached<'v> {
    pub wished: Wished<'v>,
    pub desired: Desired,
    pub engine: Docker,
    pub facts: Facts,
}

/// All hosts that answer and compile, and what is wrong with the others.
pub(super) async fn all<'v>(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'v>>,
) -> (Vec<Reached<'v>>, Vec<Problem>) {
    let reaching = wishes.into_iter().map(|wished| one(ctx, vault, wished));
    sorted_out(stream::iter(reaching).buffered(AT_ONCE).collect::<Vec<_>>().await)
}

/// What is wanted on all hosts that compile, asking them for facts; and what is wrong with the others.
pub(in crate::cli) async fn compile(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'_>>,
) -> (Vec<Desired>, Vec<Problem>) {
    let (reached, wrong) = all(ctx, vault, wishes).await;
    (reached.into_iter().map(|one| one.desired).collect(), wrong)
}

/// The Engine of a host, and what it says of itself.
pub(super) async fn connect(ctx: &Context, vault: &Vault<'_>, host: &Host) -> Result<(Docker, Facts)> {
    let address = dialled(ctx, vault.workspace().root(), host)?;
    // Nothing is asked of an address that is not the known one.
    super::trust::check_address(vault, host)?;
    let engine = Docker::connect(&address).await.map_err(|error| silent(host, &error))?;
    let facts = engine.facts().await.map_err(|error| silent(host, &error))?;
    Ok((engine, facts))
}

/// A host whose Engine does not answer.
pub(super) fn silent(host: &Host, error: &EngineError) -> Problem {
    error
        .problem(format!("host {}: its Engine at {} does not answer", host.name, host.engine))
        .at(&host.place)
}

async fn one<'v>(ctx: &Context, vault: &Vault<'_>, wished: Wished<'v>) -> Result<Reached<'v>> {
    let host = wished.host;
    let (engine, mut facts) = connect(ctx, vault, host).await?;
    facts.labels.extend(host.labels.clone());
    let desired = match &wished.desired {
        Some(desired) => desired.clone(),
        None => wished.compile(vault, Some(&facts))?,
    };
    Ok(Reached { wished, desired, engine, facts })
}
