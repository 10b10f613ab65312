//! What the tags of gates stand for: asked through every host that pulls them.

use super::connect::{Connected, Reading};
use super::credentials::credential;
use super::declared::Declared;
use super::hosts::Hosts;
use super::observe::Shared;
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use crate::desired::{DesiredState, PullPolicy};
use crate::name::{Digest, HostName, ImageName, ImageRef};
use crate::observe::{Ask, ask_tag};
use crate::observed::Platforms;
use crate::planner::unfit;
use crate::problem::Result;
use crate::registry::Lookup;
use futures_util::FutureExt as _;

/// A tag that a host was asked for.
pub struct TagAnswer {
    /// The host.
    pub host: HostName,
    /// The gate.
    pub app: String,
    /// The image as the host's states want it.
    pub image: ImageRef,
    /// What its tag stands for; `None` where the Engine cannot ask a registry.
    pub answer: Result<Option<Digest>>,
}

impl<'p> Pipeline<'p> {
    /// Asks for the tags that gates name and `wanted` chooses, by application and image.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn tags(
        &self,
        declared: Vec<Declared<'p>>,
        wanted: &dyn Fn(&str, &ImageRef) -> bool,
    ) -> Result<Hosts<TagAnswer>> {
        unless_interrupted(self.interrupt, async {
            let mut connected = self.connect(declared, Reading::Facts).await;
            connected.ready.retain(|one| !images(one, wanted).is_empty());
            let verified = self.verify(connected, |one| sends(one, &images(one, wanted))).await;
            let shared = Shared::default();
            let ask = |one: Connected<'p>| {
                let shared = &shared;
                async move { host(self.vault, &one, &images(&one, wanted), shared).await }
            };
            let Hosts { ready, failed } = verified.next(|one| &one.host.name, ask).await;
            Ok(Hosts { ready: ready.into_iter().flatten().collect(), failed })
        })
        .await
    }
}

/// Whether asking for these sends the host a credential.
fn sends(connected: &Connected<'_>, images: &[(String, ImageRef)]) -> bool {
    let credentials = &connected.credentials;
    images.iter().any(|(_, image)| matches!(credentials.lookup(&image.name), Lookup::Entry(_)))
}

/// Images of gates that the host pulls, each with its application.
fn images(connected: &Connected<'_>, wanted: &dyn Fn(&str, &ImageRef) -> bool) -> Vec<(String, ImageRef)> {
    let mut found: Vec<(String, ImageRef)> = Vec::new();
    for item in &connected.desired.items {
        let image = match &item.want {
            DesiredState::ImagePulled { image, .. } => image,
            want => match want.container() {
                Some(made) if made.pull == PullPolicy::Missing => &made.image,
                _ => continue,
            },
        };
        if let Some(gate) = &item.gate
            && wanted(&gate.app, image)
            && !found.iter().any(|(app, other)| *app == gate.app && other == image)
        {
            found.push((gate.app.clone(), image.clone()));
        }
    }
    found
}

/// Whether the host can run what it would pull; a state may declare another platform than its own.
fn fits(connected: &Connected<'_>, image: &ImageRef, tag: &ImageRef, platforms: &Platforms) -> Result<()> {
    let made = connected.desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) if want.image == *image => Some(want),
        _ => None,
    });
    let own = made.into_iter().any(|want| want.spec.platform().is_none());
    let facts = &connected.facts;
    if !own || platforms.fit(&facts.os, &facts.arch) {
        return Ok(());
    }
    let host = &connected.host.name;
    Err(unfit(&format!("image {tag}"), host, facts, platforms).into())
}

async fn host(
    vault: &Vault<'_>,
    connected: &Connected<'_>,
    images: &[(String, ImageRef)],
    shared: &Shared,
) -> Result<Vec<TagAnswer>> {
    let credentials = &connected.credentials;
    let keychain = |image: &ImageName| {
        let image = image.clone();
        async move { credential(vault, credentials, &shared.helper_answers, &image).await }.boxed_local()
    };
    let waits = |text: &str| vault.session().operator.say(format_args!("{text}"));
    let ask = Ask { offline: false, keychain: &keychain, resolved: &shared.resolved, waits: &waits };
    let host = &connected.host.name;
    let mut found = Vec::new();
    for (app, image) in images {
        let tag = ImageRef { digest: None, ..image.clone() };
        let answer = ask_tag(&connected.engine, host, &ask, &tag).await;
        let answer = answer.and_then(|said| match said {
            Some((digest, platforms)) => fits(connected, image, &tag, &platforms).map(|()| Some(digest)),
            None => Ok(None),
        });
        found.push(TagAnswer { host: host.clone(), app: app.clone(), image: image.clone(), answer });
    }
    Ok(found)
}
