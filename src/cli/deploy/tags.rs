//! What the tags of gates stand for: asked through the hosts that pull them, once per reference and
//! credential.

use super::keychain::{Delegated, credential};
use super::reach::{self, Reached};
use super::{Survey, Wished, sorted_out, trust};
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::{PullPolicy, Wish};
use crate::execute::Interrupt;
use crate::name::{Digest, HostName, ImageName, ImageRef};
use crate::observe::{Ask, Resolved, ask_tag};
use crate::observed::Platforms;
use crate::planner::unfit;
use crate::problem::{Problem, Result};
use crate::registry::Lookup;
use futures_util::{FutureExt as _, StreamExt as _, stream};

/// Hosts that ask at the same time.
const AT_ONCE: usize = 16;

/// A tag that a host was asked for.
pub(in crate::cli) struct Tagged {
    /// The host.
    pub host: HostName,
    /// The gate.
    pub app: String,
    /// The image as the host's states want it.
    pub image: ImageRef,
    /// What its tag stands for; `None` where the Engine cannot ask a registry.
    pub answer: Result<Option<Digest>>,
}

/// Asks for the tags that gates name and `wanted` chooses, by application and image.
pub(in crate::cli) async fn tags(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'_>>,
    wanted: &dyn Fn(&str, &ImageRef) -> bool,
    survey: &Survey,
    interrupt: &Interrupt,
) -> (Vec<Tagged>, Vec<Problem>) {
    let (reached, mut wrong) = reach::all(ctx, vault, wishes).await;
    let mut asking = Vec::new();
    for one in reached {
        let images = images(&one, wanted);
        if images.is_empty() {
            continue;
        }
        match trust::settle(ctx, vault, &one, sends(&one, &images), survey.new_hosts, interrupt).await {
            Ok(()) => asking.push((one, images)),
            Err(problems) => wrong.extend(problems.into_vec()),
        }
    }
    let (resolved, delegated) = (Resolved::default(), Delegated::default());
    let all = asking.iter().map(|(one, images)| host(vault, one, images, &resolved, &delegated));
    let (answers, more) = sorted_out(stream::iter(all).buffered(AT_ONCE).collect::<Vec<_>>().await);
    wrong.extend(more);
    (answers.into_iter().flatten().collect(), wrong)
}

/// Whether asking for these sends the host a credential.
fn sends(reached: &Reached<'_>, images: &[(String, ImageRef)]) -> bool {
    let credentials = &reached.wished.credentials;
    images.iter().any(|(_, image)| matches!(credentials.lookup(&image.name), Lookup::Entry(_)))
}

/// Images of gates that the host pulls, each with its application.
fn images(reached: &Reached<'_>, wanted: &dyn Fn(&str, &ImageRef) -> bool) -> Vec<(String, ImageRef)> {
    let mut found: Vec<(String, ImageRef)> = Vec::new();
    for item in &reached.desired.items {
        let image = match &item.wish {
            Wish::ImagePulled { image, .. } => image,
            wish => match wish.container() {
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
fn fits(reached: &Reached<'_>, image: &ImageRef, tag: &ImageRef, platforms: &Platforms) -> Result<()> {
    let made = reached.desired.items.iter().filter_map(|item| match &item.wish {
        Wish::Container(wish) if wish.image == *image => Some(wish),
        _ => None,
    });
    let own = made.into_iter().any(|wish| wish.spec.platform().is_none());
    let facts = &reached.facts;
    if !own || platforms.fit(&facts.os, &facts.arch) {
        return Ok(());
    }
    let host = &reached.wished.host.name;
    Err(unfit(&format!("image {tag}"), host, facts, platforms).into())
}

async fn host(
    vault: &Vault<'_>,
    reached: &Reached<'_>,
    images: &[(String, ImageRef)],
    resolved: &Resolved,
    delegated: &Delegated,
) -> Result<Vec<Tagged>> {
    let credentials = &reached.wished.credentials;
    let keychain = |image: &ImageName| {
        let image = image.clone();
        async move { credential(vault, credentials, delegated, &image).await }.boxed_local()
    };
    let ask = Ask { offline: false, keychain: &keychain, resolved };
    let host = &reached.wished.host.name;
    let mut found = Vec::new();
    for (app, image) in images {
        let tag = ImageRef { digest: None, ..image.clone() };
        let answer = ask_tag(&reached.engine, host, &ask, &tag).await;
        let answer = answer.and_then(|said| match said {
            Some((digest, platforms)) => fits(reached, image, &tag, &platforms).map(|()| Some(digest)),
            None => Ok(None),
        });
        found.push(Tagged { host: host.clone(), app: app.clone(), image: image.clone(), answer });
    }
    Ok(found)
}
