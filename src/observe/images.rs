//! Images on a host, by the references that they are asked by.

use super::AT_ONCE;
use crate::engine::{Engine, EngineError};
use crate::name::{HostName, ImageRef};
use crate::observed::{Image, Resolution, ResolvedBy};
use crate::problem::{Problem, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Those that are there.
pub(super) async fn read<E: Engine>(
    engine: &E,
    host: &HostName,
    asked: BTreeSet<ImageRef>,
) -> Result<BTreeMap<ImageRef, Image>> {
    let looked = stream::iter(asked).map(|image| async move {
        let found = engine.image(&image.to_string()).await;
        found.map(|found| (image, found))
    });
    let looked: Vec<(ImageRef, Option<Image>)> =
        looked.buffered(AT_ONCE).try_collect().await.map_err(|error: EngineError| -> Problem {
            error.problem(format!("the images of host {host} cannot be read"))
        })?;
    Ok(looked.into_iter().filter_map(|(image, found)| Some((image, found?))).collect())
}

/// Looks for what references turned out to stand for; no call where an image that was read has the digest.
pub(super) async fn read_digests<E: Engine>(
    engine: &E,
    host: &HostName,
    resolved: &BTreeMap<ImageRef, Resolution>,
    images: &mut BTreeMap<ImageRef, Image>,
) -> Result<()> {
    let mut missing = BTreeSet::new();
    for (image, resolution) in resolved {
        // What is pinned was looked for already; an image id is no reference.
        if !matches!(resolution.by, ResolvedBy::Registry | ResolvedBy::Offline) {
            continue;
        }
        let pinned = image.by_digest(&resolution.digest);
        if images.contains_key(&pinned) {
            continue;
        }
        match images.get(image).filter(|found| has_digest(found, &pinned)).cloned() {
            Some(found) => drop(images.insert(pinned, found)),
            None => drop(missing.insert(pinned)),
        }
    }
    images.extend(read(engine, host, missing).await?);
    Ok(())
}

/// Whether an image was pulled as `repo@digest`; Engines print the repository in their own way.
pub(super) fn has_digest(image: &Image, wanted: &ImageRef) -> bool {
    image.repo_digests.iter().any(|text| ImageRef::parse(text).is_ok_and(|found| found == *wanted))
}
