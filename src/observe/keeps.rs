//! The tags that keep images for rollbacks: one list, and an inspect for each image that no container of
//! ours is made from.

use super::{AT_ONCE, What};
use crate::engine::{Engine, EngineError, Tag};
use crate::name::{HostName, ImageRef};
use crate::observed::Container;
use crate::plan::{KEEP, keep_folder};
use crate::problem::{Problem, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Every tag of the workspace with the digests of its image; nothing where no service is declared.
pub(super) async fn read<E: Engine>(
    engine: &E,
    host: &HostName,
    what: &What,
    containers: &[Container],
) -> Result<BTreeMap<String, Vec<ImageRef>>> {
    if !what.keeps {
        return Ok(BTreeMap::new());
    }
    let failed = |error: EngineError| -> Problem {
        error.problem(format!("the kept images of host {host} cannot be read"))
    };
    let tags = engine.tags(&keep_folder(&what.workspace)).await;
    let tags: Vec<Tag> = tags.map_err(failed)?;
    let mut digests: BTreeMap<String, Vec<ImageRef>> = BTreeMap::new();
    for container in containers {
        let label = container.ours.as_ref().and_then(|ours| ImageRef::parse(&ours.image).ok());
        let known = digests.entry(container.image_id.clone()).or_default();
        known.extend(label.filter(|image| image.digest.is_some() && !known.contains(image)));
    }
    let known = |tag: &&Tag| digests.get(&tag.image_id).is_none_or(Vec::is_empty);
    let unknown: BTreeSet<String> = tags.iter().filter(known).map(|tag| tag.image_id.clone()).collect();
    let read =
        stream::iter(unknown).map(|id| async move { engine.image(&id).await.map(|found| (id, found)) });
    let read: Vec<_> = read.buffered(AT_ONCE).try_collect().await.map_err(failed)?;
    for (id, found) in read {
        let names = found.map(|image| image.repo_digests).unwrap_or_default();
        let named = names.iter().filter_map(|name| ImageRef::parse(name).ok());
        digests.insert(id, named.filter(|image| image.name.host().as_str() != KEEP).collect());
    }
    let of = |tag: &Tag| digests.get(&tag.image_id).cloned().unwrap_or_default();
    Ok(tags.iter().map(|tag| (tag.name.clone(), of(tag))).collect())
}
