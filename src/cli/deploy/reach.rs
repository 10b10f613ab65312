//! Connecting to the Engines of all hosts at once, and asking each what it is.

use super::address::dialled;
use super::{Wished, evaluate, sorted_out};
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::Desired;
use crate::engine::docker::Docker;
use crate::engine::{Engine as _, EngineError};
use crate::inventory::Host;
use crate::observed::Facts;
use crate::pillar::known::KnownHost;
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
    /// What decides who answers there.
    pub seen: KnownHost,
}

/// All hosts that answer and compile, and what is wrong with the others.
pub(super) async fn all<'v>(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'v>>,
) -> (Vec<Reached<'v>>, Vec<Problem>) {
    let reaching = wishes.into_iter().map(|wished| async {
        let (engine, mut facts, seen) = connect(ctx, vault, wished.host).await?;
        facts.labels.extend(wished.host.labels.clone());
        Ok((wished, engine, facts, seen))
    });
    let (mut reached, mut wrong) =
        sorted_out(stream::iter(reaching).buffered(AT_ONCE).collect::<Vec<_>>().await);
    if let Err(found) = run(vault, &mut reached).await {
        wrong.extend(found.into_vec());
        return (Vec::new(), wrong);
    }
    let (reached, found) = sorted_out(reached.into_iter().map(|(wished, engine, facts, seen)| {
        let desired = match &wished.desired {
            Some(desired) => desired.clone(),
            None => wished.compile(vault, Some(&facts))?,
        };
        Ok(Reached { wished, desired, engine, facts, seen })
    }));
    wrong.extend(found.into_iter().filter(|problem| !wrong.contains(problem)).collect::<Vec<_>>());
    (reached, wrong)
}

/// Runs the states in Starlark that want facts, of all hosts in one child.
async fn run(vault: &Vault<'_>, reached: &mut [(Wished<'_>, Docker, Facts, KnownHost)]) -> Result<()> {
    let lacking: Vec<usize> = (0..reached.len()).filter(|index| reached[*index].0.is_to_be_run()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let hosts: Vec<_> = lacking.iter().map(|index| (&reached[*index].0, Some(&reached[*index].2))).collect();
    let request = evaluate::request(vault, &hosts)?;
    let evaluated = tokio::task::spawn_blocking(move || evaluate::evaluate(request)).await;
    let evaluated = evaluated.unwrap_or_else(|_| Err(Problem::failed("Starlark could not be run").into()))?;
    for (index, came) in lacking.into_iter().zip(evaluated) {
        reached[index].0.take(came);
    }
    Ok(())
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

/// The Engine of a host, what it says of itself, and what decides who answers there.
pub(super) async fn connect(
    ctx: &Context,
    vault: &Vault<'_>,
    host: &Host,
) -> Result<(Docker, Facts, KnownHost)> {
    let (address, mut seen) = dialled(ctx, vault.workspace().root(), host)?;
    // Nothing is asked of an address that is not the known one.
    super::trust::check(vault, host, &seen)?;
    let engine = Docker::connect(&address).await.map_err(|error| silent(host, &error))?;
    let facts = engine.facts().await.map_err(|error| silent(host, &error))?;
    // Another Engine behind a socket of this machine is no stranger.
    if !super::trust::is_own_socket(host, &seen) {
        seen.daemon = Some(facts.engine_id.clone());
    }
    Ok((engine, facts, seen))
}

/// A host whose Engine does not answer.
pub(super) fn silent(host: &Host, error: &EngineError) -> Problem {
    error
        .problem(format!("host {}: its Engine at {} does not answer", host.name, host.engine))
        .at(&host.place)
}
