//! Reading every host once.

use super::connect::{Connected, Reading};
use super::credentials::{HelperAnswers, credential};
use super::declared::Declared;
use super::hosts::{Hosts, each_once};
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use super::verify::is_sent_secrets;
use crate::desired::Desired;
use crate::engine::docker::Docker;
use crate::inventory::Host;
use crate::name::ImageName;
use crate::observe::{Ask, Resolved, What, read};
use crate::observed::{Facts, Observed};
use crate::problem::{Problems, Result};
use crate::registry::Credentials;
use futures_util::FutureExt as _;

/// Whether registries are asked which images tags stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registries {
    /// They are.
    Asked,
    /// They are not: the image that is on the host counts.
    NotAsked,
}

/// A host that was read.
pub struct Observation<'v> {
    /// The host.
    pub host: &'v Host,
    /// How it was.
    pub observed: Observed,
    /// What is wanted.
    pub desired: Desired,
    pub(super) credentials: Credentials,
    pub(super) engine: Docker,
}

/// What is found out once for all hosts that are read.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) resolved: Resolved,
    pub(super) helper_answers: HelperAnswers,
}

impl<'p> Pipeline<'p> {
    /// Connects to all hosts, makes sure that they may be sent what is meant for them, and reads them.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn observe(
        &self,
        declared: Vec<Declared<'p>>,
        registries: Registries,
    ) -> Result<Hosts<Observation<'p>>> {
        unless_interrupted(self.interrupt, async {
            let sends = |one: &Connected<'_>| registries == Registries::Asked && is_sent_secrets(one);
            let verified = self.verify(self.connect(declared, Reading::All).await, sends).await;
            let shared = Shared::default();
            let stage = async |one| {
                let seen = observation(self.vault, one, registries, &shared).await?;
                Problems::check(each_once(seen.observed.unresolved.values().cloned()))?;
                Ok(seen)
            };
            Ok(each_read(verified, &shared, stage).await)
        })
        .await
    }
}

/// The next stage of hosts that are read. Podman cannot ask a registry, and takes what the others were told, so
/// it comes after them; hosts that were told different images for one tag do not go on.
pub(super) async fn each_read<'v, U, F: Future<Output = Result<U>>>(
    verified: Hosts<Connected<'v>>,
    shared: &Shared,
    stage: impl Fn(Connected<'v>) -> F,
) -> Hosts<U> {
    let Hosts { ready, failed } = verified;
    let all = ready.into_iter().enumerate();
    let (waiting, asking): (Vec<_>, Vec<_>) = all.partition(|(_, one)| one.facts.engine_id == Facts::PODMAN);
    let numbered = |(at, one): (usize, Connected<'v>)| {
        let (name, stage) = (one.host.name.clone(), stage(one));
        async move { Ok((at, name, stage.await?)) }
    };
    let mut next = Hosts { ready: Vec::new(), failed };
    for ready in [asking, waiting] {
        let turn = Hosts { ready, failed: Vec::new() }.next(|(_, one)| &one.host.name, numbered).await;
        next.ready.extend(turn.ready);
        next.failed.extend(turn.failed);
    }
    next.ready.sort_by_key(|(at, ..)| *at);
    let told = shared.resolved.disagreements();
    let results = next.ready.into_iter().map(|(_, host, one)| {
        let wrong =
            told.iter().filter(|(hosts, _)| hosts.contains(&host)).map(|(_, problem)| problem.clone());
        let wrong = Problems::check(wrong.collect());
        (host, wrong.map(|()| one))
    });
    let hosts = Hosts::of(results);
    Hosts { failed: [next.failed, hosts.failed].concat(), ..hosts }
}

/// Reads a host.
pub(super) async fn observation<'v>(
    vault: &Vault<'_>,
    connected: Connected<'v>,
    registries: Registries,
    shared: &Shared,
) -> Result<Observation<'v>> {
    let Connected { host, credentials, desired, engine, facts, read: early, .. } = connected;
    let keychain = |image: &ImageName| {
        let (image, credentials) = (image.clone(), &credentials);
        async move { credential(vault, credentials, &shared.helper_answers, &image).await }.boxed_local()
    };
    let offline = registries == Registries::NotAsked;
    let waits = |text: &str| vault.session().operator.say(format_args!("{text}"));
    let ask = Ask { offline, keychain: &keychain, resolved: &shared.resolved, waits: &waits };
    let what = What::of(&desired);
    let found = match early.and_then(|early| early.of(&what)) {
        Some(found) => found?,
        None => read(&engine, &host.name, &what).await?,
    };
    let observed = found.resolved(&engine, &host.name, facts, &what, &ask).await?;
    Ok(Observation { host, observed, desired, credentials, engine })
}
