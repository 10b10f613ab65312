//! Asking registries from the hosts: does each Engine get in with the credential that it would be sent.

use super::keychain::{Delegated, credential};
use super::reach::{self, Reached};
use super::{Survey, Wished, sorted_out, trust};
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::{Address, Item, Kind, PullPolicy, Wish};
use crate::engine::Engine as _;
use crate::execute::Interrupt;
use crate::name::{HostName, ImageRef};
use crate::problem::{Problem, Problems, Result};
use crate::registry::{Entry, Lookup};
use futures_util::{StreamExt as _, stream};

/// Hosts that ask at the same time.
const AT_ONCE: usize = 16;

/// What a registry answered a host.
pub(in crate::cli) struct Asked {
    /// For which image.
    pub image: ImageRef,
    /// The entry of the pillar that covers it; `None` where nothing was sent.
    pub entry: Option<String>,
    /// The digest that the registry named, or what is wrong.
    pub answer: Result<String>,
}

/// What a host found out.
pub(in crate::cli) struct Answers {
    /// The host.
    pub host: HostName,
    /// One for each image.
    pub asked: Vec<Asked>,
    /// Entries with a secret that cover none of the images: nothing is known of them.
    pub unasked: Vec<String>,
}

/// Asks from every host for the images that its states name, or for the given ones.
pub(in crate::cli) async fn ask(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'_>>,
    images: &[ImageRef],
    survey: &Survey,
    interrupt: &Interrupt,
) -> (Vec<Answers>, Vec<Problem>) {
    let (reached, mut wrong) = reach::all(ctx, vault, wishes).await;
    let mut trusted = Vec::new();
    for mut one in reached {
        if !images.is_empty() {
            one.desired.items = images.iter().map(item).collect();
        }
        match trust::settle(ctx, vault, &one, survey, interrupt).await {
            Ok(()) => trusted.push(one),
            Err(problems) => wrong.extend(problems.into_vec()),
        }
    }
    let delegated = Delegated::default();
    let asking = trusted.iter().map(|one| host(vault, one, &delegated));
    let (answers, more) = sorted_out(stream::iter(asking).buffered(AT_ONCE).collect::<Vec<_>>().await);
    wrong.extend(more);
    (answers, wrong)
}

/// A given image as if a state named it.
fn item(image: &ImageRef) -> Item {
    Item {
        address: Address { kind: Kind::Image, name: image.to_string() },
        wish: Wish::ImagePulled { image: image.clone(), force: true },
        declared: Vec::new(),
        needs: Vec::new(),
    }
}

async fn host(vault: &Vault<'_>, reached: &Reached<'_>, delegated: &Delegated) -> Result<Answers> {
    let credentials = &reached.wished.credentials;
    let mut images: Vec<&ImageRef> = Vec::new();
    for item in &reached.desired.items {
        let image = match &item.wish {
            Wish::ImagePulled { image, .. } => image,
            Wish::Container(wish) if wish.pull == PullPolicy::Missing => &wish.image,
            _ => continue,
        };
        if !images.contains(&image) {
            images.push(image);
        }
    }
    let mut unasked: Vec<&Entry> = credentials.iter().filter(|entry| entry.sealed().is_some()).collect();
    let name = &reached.wished.host.name;
    let mut asked = Vec::new();
    for image in images {
        let entry = match credentials.lookup(&image.name) {
            Lookup::Entry(entry) => Some(entry),
            Lookup::Anonymous => None,
        };
        unasked.retain(|other| entry.is_none_or(|entry| entry.scope != other.scope));
        asked.push(Asked {
            image: image.clone(),
            entry: entry.map(|entry| entry.scope.to_string()),
            answer: one(vault, reached, delegated, image).await,
        });
    }
    let unasked = unasked.iter().map(|entry| entry.scope.to_string()).collect();
    Ok(Answers { host: name.clone(), asked, unasked })
}

async fn one(
    vault: &Vault<'_>,
    reached: &Reached<'_>,
    delegated: &Delegated,
    image: &ImageRef,
) -> Result<String> {
    let used = credential(vault, &reached.wished.credentials, delegated, &image.name).await?;
    let answer = reached.engine.resolve(image, used.as_ref().map(|used| &used.header)).await;
    answer.map_err(|error| {
        Problems::from(error.registry_problem(&reached.wished.host.name, image, used.as_ref()))
    })
}
