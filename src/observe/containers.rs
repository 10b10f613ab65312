//! Containers: all from one list, in full those that can matter.

use super::{AT_ONCE, What};
use crate::engine::{Engine, EngineError, Inspected, Summary};
use crate::name::{HostName, ImageRef};
use crate::observed::{
    ComposeLabels, Container, Found, Holds, Image, Inspect, Label, Record, RunState, User, is_user_defined,
    with_ownership,
};
use crate::problem::{Problem, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a container uses by name, as the list of all containers says.
pub(super) struct Uses {
    pub(super) user: User,
    pub(super) networks: BTreeSet<String>,
    pub(super) volumes: BTreeSet<String>,
}

impl Uses {
    fn of(listed: &Summary) -> Self {
        let running = matches!(listed.status.as_str(), "running" | "paused" | "restarting");
        let user = User { id: listed.id.clone(), name: listed.name.clone(), running };
        // Without the network that it was created in it does not start again.
        let first = Some(&listed.network_mode).filter(|mode| is_user_defined(mode));
        let networks = listed.networks.iter().chain(first).cloned().collect();
        Self { user, networks, volumes: listed.volumes.clone() }
    }
}

/// All containers of a host.
pub(super) async fn list<E: Engine>(engine: &E, host: &HostName) -> Result<Vec<Summary>> {
    Ok(engine.containers().await.map_err(|error| failed(host, &error))?)
}

/// In full those that carry our workspace's label, were taken over, or have a wanted name; and what each
/// of all uses.
pub(super) async fn read<E: Engine>(
    engine: &E,
    host: &HostName,
    what: &What,
    listed: Vec<Summary>,
    adopted: &BTreeMap<String, Record>,
) -> Result<(Vec<Found>, Vec<Uses>)> {
    let uses = listed.iter().map(Uses::of).collect();
    let (near, far): (Vec<Summary>, Vec<Summary>) = listed.into_iter().partition(|container| {
        what.names.contains(&container.name)
            || adopted.contains_key(&container.id)
            || container.labels.get(Label::WORKSPACE).is_some_and(|name| name == what.workspace.name.as_str())
    });
    let mut holds: BTreeMap<String, Holds> =
        near.iter().map(|listed| (listed.id.clone(), listed.holds.clone())).collect();
    let inspected = stream::iter(near).map(|listed| async move { engine.container(&listed.id).await });
    // One that went since the list was made is left out.
    let inspected: Vec<Option<Inspected>> =
        inspected.buffered(AT_ONCE).try_collect().await.map_err(|error| failed(host, &error))?;
    let near = inspected.into_iter().flatten().map(|one| {
        let holds = holds.remove(&one.id).unwrap_or_default();
        in_full(one, holds)
    });
    let found = near.chain(far.into_iter().map(in_short));
    Ok((found.collect(), uses))
}

fn failed(host: &HostName, error: &EngineError) -> Problem {
    error.problem(format!("the containers of host {host} cannot be read"))
}

/// Says which are ours; their images' labels are read where that was not done yet.
pub(super) async fn judge<E: Engine>(
    engine: &E,
    host: &HostName,
    what: &What,
    found: Vec<Found>,
    images: &BTreeMap<ImageRef, Image>,
    adopted: &BTreeMap<String, Record>,
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
    Ok(with_ownership(&what.workspace, found, &labels, adopted))
}

/// A container by itself; whose it is is not said.
pub fn alone(inspected: Inspected) -> Container {
    in_full(inspected, Holds::default()).container
}

fn in_full(inspected: Inspected, holds: Holds) -> Found {
    let Inspected { id, name, image_id, labels, state, inspect } = inspected;
    let compose = ComposeLabels::read(&labels);
    let (ours, impostor, renamed, helper) = (None, false, None, None);
    Found {
        container: Container {
            id,
            name,
            image_id,
            ours,
            impostor,
            renamed,
            helper,
            compose,
            state,
            holds,
            inspect,
        },
        labels,
    }
}

pub(super) fn in_short(listed: Summary) -> Found {
    let Summary { id, name, image_id, labels, status, holds, .. } = listed;
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
    in_full(Inspected { id, name, image_id, labels, state, inspect }, holds)
}
