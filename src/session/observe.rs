//! Reading every host once.

use super::connect::Connected;
use super::credentials::{HelperAnswers, credential};
use super::declared::Declared;
use super::hosts::Hosts;
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use super::verify::is_sent_secrets;
use crate::desired::Desired;
use crate::engine::docker::Docker;
use crate::inventory::Host;
use crate::name::ImageName;
use crate::observe::{Ask, Resolved, What, observe};
use crate::observed::Observed;
use crate::problem::Result;
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
            let verified = self.verified(declared, registries).await;
            let shared = Shared::default();
            let read = |one| read(self.vault, one, registries, &shared);
            Ok(verified.next(|one| &one.host.name, read).await)
        })
        .await
    }

    /// Hosts that may be read.
    pub(super) async fn verified(
        &self,
        declared: Vec<Declared<'p>>,
        registries: Registries,
    ) -> Hosts<Connected<'p>> {
        let sends = |one: &Connected<'_>| registries == Registries::Asked && is_sent_secrets(one);
        self.verify(self.connect(declared).await, sends).await
    }
}

pub(super) async fn read<'v>(
    vault: &Vault<'_>,
    connected: Connected<'v>,
    registries: Registries,
    shared: &Shared,
) -> Result<Observation<'v>> {
    let Connected { host, credentials, desired, engine, facts } = connected;
    let keychain = |image: &ImageName| {
        let (image, credentials) = (image.clone(), &credentials);
        async move { credential(vault, credentials, &shared.helper_answers, &image).await }.boxed_local()
    };
    let offline = registries == Registries::NotAsked;
    let ask = Ask { offline, keychain: &keychain, resolved: &shared.resolved };
    let observed = observe(&engine, &host.name, facts, &What::of(&desired), &ask).await?;
    Ok(Observation { host, observed, desired, credentials, engine })
}
