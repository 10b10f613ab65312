//! Containers: all from one list, in full those that can matter.

use super::{AT_ONCE, What};
use crate::engine::{Engine, EngineError, Inspected, Summary};
use crate::name::{HostName, ImageRef};
use crate::observed::{Container, Found, Image, Inspect, Label, RunState, claim};
use crate::problem::{Problem, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All containers of a host; in full those that carry our workspace's label or have a wanted name.
pub(super) async fn read<E: Engine>(engine: &E, host: &HostName, what: &What) -> Result<Vec<Found>> {
    let failed = |error: EngineError| error.problem(format!("the containers of host {host} cannot be read"));
    let listed = engine.containers().await.map_err(failed)?;
    let (near, far): (Vec<Summary>, Vec<Summary>) = listed.into_iter().partition(|container| {
        what.names.contains(&container.name)
            || container.labels.get(Label::WORKSPACE).is_some_and(|name| name == what.workspace.as_str())
    });
    let inspected = stream::iter(near).map(|listed| async move { engine.container(&listed.id).await });
    // One that went since the list was made is left out.
    let inspected: Vec<Option<Inspected>> =
        inspected.buffered(AT_ONCE).try_collect().await.map_err(failed)?;
    Ok(inspected.into_iter().flatten().map(in_full).chain(far.into_iter().map(in_short)).collect())
}

/// Says which are ours; their images' labels are read where that was not done yet.
pub(super) async fn judge<E: Engine>(
    engine: &E,
    host: &HostName,
    what: &What,
    found: Vec<Found>,
    images: &BTreeMap<ImageRef, Image>,
) -> Result<Vec<Container>> {
    let mut labels: BTreeMap<String, BTreeMap<String, String>> =
        images.values().map(|image| (image.id.clone(), image.labels.clone())).collect();
    let ours = found.iter().filter(|found| found.labels.contains_key(Label::WORKSPACE));
    let unknown: BTreeSet<String> = ours
        .map(|found| found.container.image_id.clone())
        .filter(|id| !labels.contains_key(id) && !id.is_empty())
        .collect();
    let read =
        stream::iter(unknown).map(|id| async move { engine.image(&id).await.map(|found| (id, found)) });
    let read: Vec<(String, Option<Image>)> =
        read.buffered(AT_ONCE).try_collect().await.map_err(|error: EngineError| -> Problem {
            error.problem(format!("the images of containers on host {host} cannot be read"))
        })?;
    labels.extend(read.into_iter().filter_map(|(id, image)| Some((id, image?.labels))));
    Ok(claim(&what.workspace, found, &labels))
}

fn in_full(inspected: Inspected) -> Found {
    let Inspected { id, name, image_id, labels, state, inspect } = inspected;
    Found { container: Container { id, name, image_id, ours: None, impostor: false, state, inspect }, labels }
}

fn in_short(listed: Summary) -> Found {
    let Summary { id, name, image_id, labels, status } = listed;
    let state = RunState {
        running: matches!(status.as_str(), "running" | "paused" | "restarting"),
        restarting: status == "restarting",
        status,
        restart_count: 0,
        started_at: String::new(),
        finished_at: String::new(),
        created_at: String::new(),
        exit_code: 0,
        error: String::new(),
        health: None,
    };
    let inspect = Inspect::new(Value::Null);
    Found { container: Container { id, name, image_id, ours: None, impostor: false, state, inspect }, labels }
}
