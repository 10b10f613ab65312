//! What becomes of the data in anonymous volumes.
//!
//! A new container mounts those of its predecessor at the same places. One goes with the last container
//! that mounts it, if that was an attempt or was kept for a rollback; what the container had that ran last
//! is never removed.

use super::choice::Choice;
use super::instances::Instances;
use crate::desired::DesiredContainer;
use crate::desired::secret_file::FOLDER;
use crate::observed::{Anonymous, Container};
use crate::planner::context::PlanContext;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the anonymous volumes of one container of a service, or of those that go.
#[derive(Debug, Default)]
pub(in crate::planner) struct Data<'a> {
    /// What the new container mounts of its predecessor.
    pub(in crate::planner) handed: Vec<Anonymous>,
    /// What a predecessor has and the container in its place has not.
    pub(in crate::planner) left: Vec<(Anonymous, &'a Container)>,
    /// Volumes that go, each with all containers that mount it: it goes after the last of them.
    pub(in crate::planner) going: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Data<'a> {
    /// Of a container that is wanted; `before` ran last, the first of them counts.
    pub(in crate::planner) fn handed(
        context: &PlanContext<'a>,
        desired: &DesiredContainer,
        new_image: Option<&[String]>,
        choice: &Choice<'a>,
        before: &[&'a Container],
    ) -> Self {
        let mut data = Self::default();
        let mut places = BTreeSet::new();
        let had = |ours: &&'a Container| own(context, ours).into_iter().zip(std::iter::repeat(*ours));
        let all = before.iter().filter(|ours| !choice.is(ours)).flat_map(had);
        let all: Vec<(Anonymous, &Container)> =
            all.filter(|(one, _)| places.insert(one.path.clone())).collect();
        match choice {
            Choice::New { .. } => {
                let mut taken = mounted(&desired.spec.create_body());
                if !desired.spec.secrets.is_empty() {
                    taken.insert(FOLDER.to_owned());
                }
                let unnamed = unnamed(desired);
                let comes_along = |one: &Anonymous, ours: &Container| {
                    let image = || new_image.is_some_and(|paths| paths.contains(&one.path));
                    !taken.contains(&one.path)
                        && (unnamed.contains(&one.path) || image() || !was_declared(context, ours, &one.path))
                };
                for (one, ours) in all {
                    match comes_along(&one, ours) {
                        true => data.handed.push(one),
                        false => data.left.push((one, ours)),
                    }
                }
            }
            Choice::Existing(chosen) => {
                let has: BTreeSet<String> = chosen.anonymous().into_iter().map(|one| one.volume).collect();
                data.left = all.into_iter().filter(|(one, _)| !has.contains(&one.volume)).collect();
            }
        }
        data
    }

    /// Of containers that go, with nothing in their place.
    pub(in crate::planner) fn left(context: &PlanContext<'a>, instances: &Instances<'a>) -> Self {
        // Without a holder it is not known which of them ran last.
        let last: Vec<&Container> = match instances.holder {
            Some(holder) => vec![holder],
            None => instances.everything().collect(),
        };
        let left = last.iter().flat_map(|ours| own(context, ours).into_iter().zip(std::iter::repeat(*ours)));
        let mut seen = BTreeSet::new();
        let left: Vec<_> = left.filter(|(one, _)| seen.insert(one.volume.clone())).collect();
        Self { left, ..Self::default() }.and_going(context, instances.everything())
    }

    /// With what goes with these containers.
    pub(in crate::planner) fn and_going(
        mut self,
        context: &PlanContext<'a>,
        gone: impl Iterator<Item = &'a Container>,
    ) -> Self {
        let gone: Vec<&Container> = gone.collect();
        let ids: BTreeSet<&str> = gone.iter().map(|ours| ours.id.as_str()).collect();
        let stays: BTreeSet<&String> =
            self.handed.iter().chain(self.left.iter().map(|(one, _)| one)).map(|one| &one.volume).collect();
        let mut going = BTreeMap::new();
        for one in gone.iter().flat_map(|ours| own(context, ours)).filter(|one| !stays.contains(&one.volume))
        {
            let users = context.mounting(&one.volume);
            if users.iter().all(|user| ids.contains(user.as_str())) {
                going.insert(one.volume, users);
            }
        }
        self.going = going;
        self
    }

    /// The first place that the container in question and one that runs beside it would both write to.
    pub(in crate::planner) fn in_common(
        &self,
        choice: &Choice<'_>,
        running: &[&Container],
        shared: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let beside: BTreeSet<String> =
            running.iter().flat_map(|ours| ours.anonymous()).map(|one| one.volume).collect();
        let own = match choice {
            Choice::New { .. } => self.handed.clone(),
            Choice::Existing(chosen) => chosen.anonymous(),
        };
        let mut both = own.into_iter().filter(|one| one.writable && beside.contains(&one.volume));
        both.find(|one| !shared(&one.path)).map(|one| one.path)
    }
}

/// The anonymous volumes of a container, without those that it has of another one (`volumes_from`); none
/// where that cannot be told.
pub(in crate::planner) fn own(context: &PlanContext<'_>, container: &Container) -> Vec<Anonymous> {
    let mut others = BTreeSet::new();
    for from in container.volumes_from() {
        let found = context.named(from).or_else(|| context.by_id(from));
        let Some(other) = found.filter(|other| other.inspect.compare("/Mounts").is_some()) else {
            return Vec::new();
        };
        others.extend(other.anonymous().into_iter().map(|one| one.volume));
    }
    container.anonymous().into_iter().filter(|one| !others.contains(&one.volume)).collect()
}

/// Whether a place was a volume because a state said so, and not because of an image.
fn was_declared(context: &PlanContext<'_>, container: &Container, path: &str) -> bool {
    let volumes = container.inspect.compare("/Config/Volumes").and_then(Value::as_object);
    let said = volumes.into_iter().flatten().any(|(place, _)| place.trim_end_matches('/') == path);
    let image = context.image(&container.image_id);
    said && image.is_some_and(|image| !image.volumes.iter().any(|place| place.trim_end_matches('/') == path))
}

/// Where anonymous volumes are declared.
fn unnamed(desired: &DesiredContainer) -> BTreeSet<String> {
    let body = desired.spec.create_body();
    let bare = body["Volumes"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
    let mounts = body["HostConfig"]["Mounts"].as_array().into_iter().flatten();
    let mounts = mounts.filter(|mount| nameless(mount)).filter_map(|mount| mount["Target"].as_str());
    bare.chain(mounts.map(str::to_owned)).map(|path| path.trim_end_matches('/').to_owned()).collect()
}

/// A mount of a volume that has no name.
fn nameless(mount: &Value) -> bool {
    mount["Type"] == "volume" && mount["Source"].as_str().unwrap_or_default().is_empty()
}

/// Where a create body mounts something that is no anonymous volume.
fn mounted(body: &Value) -> BTreeSet<String> {
    let host = &body["HostConfig"];
    let mounts = host["Mounts"].as_array().into_iter().flatten().filter(|mount| !nameless(mount));
    let mounts = mounts.filter_map(|mount| mount["Target"].as_str().map(str::to_owned));
    let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let binds = binds.filter_map(|bind| bind.split(':').nth(1).map(str::to_owned));
    let tmpfs = host["Tmpfs"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
    mounts.chain(binds).chain(tmpfs).map(|path| path.trim_end_matches('/').to_owned()).collect()
}
