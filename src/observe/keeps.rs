//! The tags that keep images for rollbacks: one list, and an inspect for each image that no container of
//! ours is made from.

use super::{AT_ONCE, What};
use crate::engine::{Engine, EngineError, Tag};
use crate::name::{HostName, ImageRef};
use crate::observed::{Container, Image, KeptImage};
use crate::plan::{KEEP, keep_folder};
use crate::problem::{Problem, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Every tag of the workspace.
pub(super) async fn list<E: Engine>(engine: &E, host: &HostName, what: &What) -> Result<Vec<Tag>> {
    Ok(engine.tags(&keep_folder(&what.workspace)).await.map_err(|error| failed(host, &error))?)
}

/// Tags with their images, and the images that were asked for to know these.
pub(super) async fn read<E: Engine>(
    engine: &E,
    host: &HostName,
    tags: Vec<Tag>,
    containers: &[Container],
) -> Result<(BTreeMap<String, KeptImage>, BTreeMap<String, Image>)> {
    let mut digests: BTreeMap<String, Vec<ImageRef>> = BTreeMap::new();
    for container in containers {
        let label = container.ours.as_ref().and_then(|ours| ImageRef::parse(&ours.image).ok());
        let known = digests.entry(container.image_id.clone()).or_default();
        known.extend(label.filter(|image| image.digest.is_some() && !known.contains(image)));
    }
    let known = |tag: &&Tag| digests.get(&tag.image_id).is_none_or(Vec::is_empty);
    let unknown: BTreeSet<String> = tags.iter().filter(known).map(|tag| tag.image_id.clone()).collect();
    let images = names(engine, host, &unknown).await?;
    for (id, image) in &images {
        let named = image.repo_digests.iter().filter_map(|name| ImageRef::parse(name).ok());
        digests.insert(id.clone(), named.filter(|image| image.name.host().as_str() != KEEP).collect());
    }
    let image = |tag: &Tag| KeptImage {
        image_id: tag.image_id.clone(),
        digests: digests.get(&tag.image_id).cloned().unwrap_or_default(),
    };
    Ok((tags.iter().map(|tag| (tag.name.clone(), image(tag))).collect(), images))
}

/// Images by id, with all their names; those that are gone are left out.
///
/// # Errors
/// Where the Engine fails.
pub async fn names<E: Engine>(
    engine: &E,
    host: &HostName,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, Image>> {
    let read = stream::iter(ids).map(|id| async move { engine.image(id).await.map(|found| (id, found)) });
    let read: Vec<_> = read.buffered(AT_ONCE).try_collect().await.map_err(|error| failed(host, &error))?;
    Ok(read.into_iter().filter_map(|(id, image)| Some((id.clone(), image?))).collect())
}

fn failed(host: &HostName, error: &EngineError) -> Problem {
    error.problem(format!("the kept images of host {host} cannot be read"))
}
