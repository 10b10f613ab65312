//! An Engine in memory, for tests of planning and execution: it answers as a real one does, records
//! what it was asked, and fails where it is told to.
//!
//! Time is tokio's: under a paused clock (`#[tokio::test(start_paused = true)]`) waits cost nothing.

mod behaviour;
mod container;
mod image;
mod resource;
mod sharing;
mod streams;
mod volume;
mod world;

pub use behaviour::{Behaviour, Goes};
pub use volume::File;
pub use world::EPOCH;

use crate::engine::{
    CreateBody, Disk, Engine, EngineError, EngineResult, ErrorKind, Filling, Inspected, Manifest, Network,
    PullProgress, Summary, Tag, Usage, Volume,
};
use crate::name::{Digest, ImageRef, RegistryHost};
use crate::observed::{Facts, FileStat, Image, Platforms};
use crate::registry::AuthHeader;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use world::World;

/// The Engine; clones are the same Engine.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<World>>);

/// What becomes of a changing call that must fail.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is refused; nothing changes.
    Refused(EngineError),
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is not done, and the connection is lost from here on.
    HangUpBefore,
    /// It is done, its answer is lost, and so is the connection from here on.
    HangUpAfter,
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Fake {
    /// An Engine with nothing on it but the networks `bridge`, `host` and `none`.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(World::new())))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an image into its registry under a tag; the same behaviour under the same name without tag
    /// has the same digest only if `content` is the same.
    ///
    /// # Panics
    /// Where the reference is none.
    pub fn publish(&self, reference: &str, content: &str, behaviour: Behaviour) -> Digest {
        self.world().publish(&parse(reference), content, behaviour)
    }

    /// Puts an image on the host alone, as `docker build` does.
    ///
    /// # Panics
    /// Where the reference is none.
    pub fn build(&self, reference: &str, content: &str, behaviour: Behaviour) -> String {
        self.world().build(&parse(reference), content, behaviour)
    }

    /// Puts a published image on the host under its tag, as `docker pull repo:tag` does.
    ///
    /// # Panics
    /// Where the reference is none or was not published.
    pub fn preload(&self, reference: &str) {
        let mut world = self.world();
        let image = parse(reference);
        let pulled = world.pull(&image);
        assert!(pulled.is_ok(), "{reference} was not published");
    }

    /// From now on this registry gives nothing without this header. `None`: it is down.
    pub fn guard(&self, host: &RegistryHost, header: Option<&AuthHeader>) {
        let header = header.map(|header| header.reveal().to_owned());
        self.world().guards.insert(host.clone(), header);
    }

    /// This registry is open again.
    pub fn unguard(&self, host: &RegistryHost) {
        self.world().guards.remove(host);
    }

    /// From now on every image of a registry is for these platforms.
    pub fn made_for(&self, platforms: &[&str]) {
        self.world().platforms = Platforms::new(platforms.iter().map(|name| (*name).to_owned()));
    }

    /// Adds a network.
    pub fn add_network(&self, name: &str) {
        self.world().put_network(name, serde_json::json!({}));
    }

    /// Adds a foreign network from a body of the Engine's API.
    pub fn add_network_like(&self, body: serde_json::Value) {
        let name = body["Name"].as_str().unwrap_or_default().to_owned();
        self.world().put_network(&name, body);
    }

    /// Adds a foreign volume from a body of the Engine's API.
    pub fn add_volume(&self, body: &serde_json::Value) {
        self.world().volume(body);
    }

    /// Names of all networks, but for those that every Engine has.
    pub fn network_names(&self) -> Vec<String> {
        let world = self.world();
        let names = world.networks.keys().filter(|name| !matches!(name.as_str(), "bridge" | "host" | "none"));
        names.cloned().collect()
    }

    /// All volumes by name, each with a path that no other one ever has.
    pub fn volume_paths(&self) -> BTreeMap<String, String> {
        let path = |volume: &Volume| {
            let path = volume.inspect.compare("/Mountpoint").and_then(serde_json::Value::as_str);
            path.unwrap_or_default().to_owned()
        };
        self.world().volumes.values().map(|volume| (volume.name.clone(), path(volume))).collect()
    }

    /// Takes a network away, as `network prune` does.
    pub fn remove_network(&self, name: &str) {
        self.world().networks.remove(name);
    }

    /// Adds a foreign container from an image on the host, running or not; answers its id.
    ///
    /// # Panics
    /// Where that is not possible.
    pub fn add_container(&self, name: &str, body: serde_json::Value, running: bool) -> String {
        let mut world = self.world();
        let made = world.create(name, body).and_then(|id| {
            if running {
                world.start(&id)?;
            }
            Ok(id)
        });
        match made {
            Ok(id) => id,
            Err(error) => panic!("{name}: {}", error.message),
        }
    }

    /// Takes a container away by force, as another program would.
    pub fn kill_container(&self, name: &str) {
        let mut world = self.world();
        world.containers.retain(|container| container.name != name && container.id != name);
    }

    /// Stops a container as another program would.
    ///
    /// # Panics
    /// Where there is none of that name.
    pub fn stop_container(&self, name: &str) {
        let stopped = self.world().stop(name);
        assert!(stopped.is_ok(), "{name}");
    }

    /// What a container was created with, secrets and all; `None` if there is none.
    pub fn body(&self, name: &str) -> Option<serde_json::Value> {
        let world = self.world();
        world.find(name).ok().map(|at| world.containers[at].body.clone())
    }

    /// Files that a container sees at a folder, by name.
    pub fn files(&self, container: &str, folder: &str) -> BTreeMap<String, File> {
        self.world().files(container, folder)
    }

    /// The file that a container sees at a path.
    pub fn file(&self, container: &str, path: &str) -> Option<File> {
        self.world().file(container, path)
    }

    /// Writes a file in a container, as a person would who is in it.
    ///
    /// # Panics
    /// Where there is no container of that name.
    pub fn edit_file(&self, container: &str, path: &str, content: &str) {
        let mut world = self.world();
        let Ok(at) = world.find(container) else { panic!("{container}") };
        let (content, owner, time) = (content.as_bytes().to_vec(), (0, 0, 0o644), world::EPOCH);
        world.containers[at].layer.insert(path.to_owned(), File { content, owner, time });
    }

    /// The anonymous volumes that a container mounts, by their place.
    pub fn anonymous(&self, container: &str) -> BTreeMap<String, String> {
        let world = self.world();
        let Ok(at) = world.find(container) else { return BTreeMap::new() };
        let mounted = world.containers[at].mounted().into_iter().filter_map(|mount| {
            Some((mount["Destination"].as_str()?.to_owned(), mount["Name"].as_str()?.to_owned()))
        });
        mounted.filter(|(_, name)| crate::name::is_anonymous(name)).collect()
    }

    /// Names of all volumes.
    pub fn volume_names(&self) -> Vec<String> {
        self.world().volumes.keys().cloned().collect()
    }

    /// Takes a volume away as `volume prune` does, whatever mounts it.
    pub fn lose_volume(&self, name: &str) {
        let mut world = self.world();
        world.volumes.remove(name);
        world.contents.remove(name);
    }

    /// Which images were started, in order: of a container that ran to its end too.
    pub fn started(&self) -> Vec<String> {
        self.world().started.clone()
    }

    /// Containers that were started while another one ran on the same anonymous volume.
    pub fn doubled(&self) -> Vec<String> {
        self.world().doubled.clone()
    }

    /// Takes fields of its `HostConfig` away from a container, as an Engine does whose kernel lacks them.
    ///
    /// # Panics
    /// Where there is none of that name.
    pub fn discard(&self, name: &str, fields: &[&str]) {
        let mut world = self.world();
        let Ok(at) = world.find(name) else { panic!("{name}") };
        for field in fields {
            world.containers[at].body["HostConfig"][*field] = serde_json::Value::Null;
        }
    }

    /// Names of all containers with their status (`running`, `exited`, …), sorted.
    pub fn statuses(&self) -> BTreeMap<String, String> {
        let world = self.world();
        let containers = world.containers.iter();
        containers.map(|c| (c.name.clone(), world.run_state(c).status)).collect()
    }

    /// Ids of all containers.
    pub fn ids(&self) -> Vec<String> {
        self.world().containers.iter().map(|container| container.id.clone()).collect()
    }

    /// Tags and digests on the host, as an Engine prints them, sorted.
    pub fn image_names(&self) -> Vec<String> {
        self.world().image_names()
    }

    /// Changes what the Engine says of itself.
    pub fn set_facts(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.world().facts);
    }

    /// Lets the `n`-th changing call from now fail; counts from 1. Later faults stay as they are.
    pub fn fail(&self, n: usize, fault: Fault) {
        let mut world = self.world();
        let at = world.changes.len() + n;
        world.faults.insert(at, fault);
    }

    /// Lets every changing call with this word at its beginning (`start nginx`) fail.
    pub fn fail_calls(&self, beginning: &str, error: EngineError) {
        self.world().refusals.push((beginning.to_owned(), error));
    }

    /// Ends all faults, the lost connection too.
    pub fn heal(&self) {
        let mut world = self.world();
        world.faults.clear();
        world.refusals.clear();
        world.gone = false;
        (world.absence, world.back) = (None, None);
    }

    /// No call is answered from now on.
    pub fn hang_up(&self) {
        self.world().gone = true;
    }

    /// After `calls` more calls, reads too, it does not answer for so long, as while it is restarted.
    pub fn restart_after(&self, calls: usize, takes: Duration) {
        let mut world = self.world();
        world.absence = Some((world.calls.len() + calls, takes));
    }

    /// Changing calls so far, as `create nginx`, in order; those that failed too.
    pub fn changes(&self) -> Vec<String> {
        self.world().changes.clone()
    }

    /// From now on remembers how many containers of a service worked at least.
    pub fn watch(&self, service: &str) {
        let mut world = self.world();
        world.watched = Some((service.to_owned(), usize::MAX));
        world.look();
    }

    /// How many containers of the watched service worked at least after each call: running, not
    /// restarting or unhealthy, and found under the service's name in every network that has names.
    pub fn least(&self) -> usize {
        self.world().watched.as_ref().map_or(0, |(_, least)| *least)
    }

    /// All calls so far, reads too, in order.
    pub fn calls(&self) -> Vec<String> {
        self.world().calls.clone()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        let mut world = self.world();
        world.calls.clear();
        world.changes.clear();
        world.faults.clear();
    }

    /// Each call takes so long from here on.
    pub fn slow_down(&self, call: Duration) {
        self.world().call_takes = call;
    }

    async fn take_time(&self) {
        let time = self.world().call_takes;
        if time.is_zero() { tokio::task::yield_now().await } else { tokio::time::sleep(time).await }
    }

    async fn read<T>(&self, call: &str, answer: impl FnOnce(&World) -> EngineResult<T>) -> EngineResult<T> {
        self.take_time().await;
        let mut world = self.world();
        world.calls.push(call.to_owned());
        if world.is_away() {
            return Err(unreachable());
        }
        answer(&world)
    }

    async fn change<T>(
        &self,
        call: String,
        change: impl FnOnce(&mut World) -> EngineResult<T>,
    ) -> EngineResult<T> {
        self.take_time().await;
        let mut world = self.world();
        world.calls.push(call.clone());
        if world.is_away() {
            return Err(unreachable());
        }
        let refused = world.refusals.iter().find(|(beginning, _)| call.starts_with(beginning));
        let refused = refused.map(|(_, error)| error.clone());
        world.changes.push(call);
        let fault = world.changes.len();
        world.look();
        let done = match world.faults.remove(&fault) {
            Some(Fault::Refused(error)) => Err(error),
            Some(Fault::HangUpBefore) => {
                world.gone = true;
                Err(unreachable())
            }
            Some(Fault::AnswerLost) => change(&mut world).and(Err(unreachable())),
            Some(Fault::HangUpAfter) => {
                let done = change(&mut world).and(Err(unreachable()));
                world.gone = true;
                done
            }
            None => refused.map_or_else(|| change(&mut world), Err),
        };
        world.look();
        done
    }

    /// The name of a container for the record of calls; ids are random to a reader.
    fn called(&self, verb: &str, id: &str) -> String {
        let world = self.world();
        let name = world.find(id).map_or(id, |at| world.containers[at].name.as_str());
        format!("{verb} {name}")
    }
}

fn parse(reference: &str) -> ImageRef {
    match ImageRef::parse(reference) {
        Ok(image) => image,
        Err(problems) => panic!("{problems}"),
    }
}

fn unreachable() -> EngineError {
    EngineError::new(ErrorKind::Unreachable, 0, "connection lost")
}

impl Engine for Fake {
    async fn facts(&self) -> EngineResult<Facts> {
        self.read("facts", |world| Ok(world.facts.clone())).await
    }

    async fn now(&self) -> EngineResult<i64> {
        self.read("now", |world| Ok(world.now())).await
    }

    async fn containers(&self) -> EngineResult<Vec<Summary>> {
        self.read("containers", |world| Ok(world.list())).await
    }

    async fn container(&self, id: &str) -> EngineResult<Option<Inspected>> {
        let call = self.called("inspect", id);
        self.read(&call, |world| Ok(world.find(id).ok().map(|at| world.inspect(at)))).await
    }

    async fn image(&self, reference: &str) -> EngineResult<Option<Image>> {
        self.read(&format!("image {reference}"), |world| Ok(world.image(reference).map(|held| held.seen())))
            .await
    }

    async fn disk(&self) -> EngineResult<Disk> {
        self.read("disk", |_| Ok(Disk::default())).await
    }

    async fn usage(&self, id: &str) -> EngineResult<Option<Usage>> {
        self.read(&format!("usage {id}"), |world| Ok(world.find(id).ok().map(|_| Usage::default()))).await
    }

    async fn tags(&self, folder: &str) -> EngineResult<Vec<Tag>> {
        self.read("tags", |world| Ok(world.tags_below(folder))).await
    }

    async fn resolve(&self, image: &ImageRef, auth: Option<&AuthHeader>) -> EngineResult<Manifest> {
        self.read(&format!("resolve {image}"), |world| {
            world.admit(image, auth)?;
            let digest = world.published(image)?.digest.to_string();
            Ok(Manifest { digest, platforms: world.platforms.clone() })
        })
        .await
    }

    async fn login(&self, registry: &RegistryHost, auth: &AuthHeader) -> EngineResult<()> {
        self.read(&format!("login {registry}"), |world| world.admit_to(registry, "/v2/", Some(auth))).await
    }

    async fn pull(
        &self,
        image: &ImageRef,
        platform: Option<&str>,
        auth: Option<&AuthHeader>,
        progress: &dyn Fn(PullProgress),
    ) -> EngineResult<()> {
        progress(PullProgress { done: 0, total: 100, layers_done: 0, layers: 1 });
        let wanted = platform.map(|platform| format!(" for {platform}")).unwrap_or_default();
        self.change(format!("pull {image}{wanted}"), |world| {
            world.admit(image, auth)?;
            world.pull_for(image, platform)
        })
        .await?;
        progress(PullProgress { done: 100, total: 100, layers_done: 1, layers: 1 });
        Ok(())
    }

    async fn tag(&self, source: &str, name: &str) -> EngineResult<()> {
        self.change(format!("tag {name}"), |world| world.tag(source, name)).await
    }

    async fn untag(&self, name: &str) -> EngineResult<()> {
        self.change(format!("untag {name}"), |world| world.untag(name)).await
    }

    async fn create(&self, name: &str, body: CreateBody) -> EngineResult<(String, Vec<String>)> {
        self.change(format!("create {name}"), |world| Ok((world.create(name, body.body)?, Vec::new()))).await
    }

    async fn connect(&self, id: &str, network: &str, endpoint: &serde_json::Value) -> EngineResult<()> {
        let call = format!("{} {network}", self.called("connect", id));
        self.change(call, |world| world.connect(id, network, endpoint)).await
    }

    async fn disconnect(&self, id: &str, network: &str, force: bool) -> EngineResult<()> {
        let call = format!("{} {network}", self.called("disconnect", id));
        self.change(call, |world| world.disconnect(id, network, force)).await
    }

    async fn start(&self, id: &str) -> EngineResult<()> {
        self.change(self.called("start", id), |world| world.start(id)).await
    }

    async fn stop(&self, id: &str, timeout: Option<u32>) -> EngineResult<()> {
        let ignores = self.world().ignores_stop(id);
        if ignores {
            let seconds = u64::from(timeout.unwrap_or(10));
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        }
        self.change(self.called("stop", id), |world| world.stop(id)).await
    }

    async fn update(&self, id: &str, body: &serde_json::Value) -> EngineResult<Vec<String>> {
        self.change(self.called("update", id), |world| {
            if !world.facts.can_update {
                return Err(EngineError::new(ErrorKind::NotFound, 404, "Not Found"));
            }
            world.update(id, body)
        })
        .await
    }

    async fn exec(&self, id: &str, command: &[String], limit: std::time::Duration) -> EngineResult<i64> {
        let call = format!("{} {}", self.called("exec", id), command.join(" "));
        if command.first().is_some_and(|word| word == "sleep") {
            tokio::time::sleep(limit).await;
            return Err(EngineError::new(ErrorKind::Other, 200, "it did not end in time"));
        }
        self.change(call, |world| {
            world.runs(id).map(|()| i64::from(command.iter().any(|word| word == "false")))
        })
        .await
    }

    async fn probe(&self, id: &str, _: Duration) -> EngineResult<()> {
        let call = self.called("probe", id);
        self.read(&call, |_| Ok(())).await?;
        let mut world = self.world();
        if let Ok(at) = world.find(id) {
            world.containers[at].probed = true;
        }
        Ok(())
    }

    async fn signal(&self, id: &str, signal: &str) -> EngineResult<()> {
        let call = format!("{} {signal}", self.called("signal", id));
        self.change(call, |world| world.runs(id)).await
    }

    async fn rename(&self, id: &str, name: &str) -> EngineResult<()> {
        let call = format!("{} {name}", self.called("rename", id));
        self.change(call, |world| world.rename(id, name)).await
    }

    async fn remove(&self, id: &str) -> EngineResult<()> {
        self.change(self.called("remove", id), |world| world.remove(id)).await
    }

    async fn log_tail(&self, id: &str, lines: u32) -> EngineResult<Vec<String>> {
        let call = self.called("log", id);
        self.read(&call, |world| world.log(id, lines)).await
    }

    async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> EngineResult<Volume> {
        self.change(format!("create-volume {name}"), |world| {
            Ok(world.volume(&serde_json::json!({ "Name": name, "Labels": labels })))
        })
        .await
    }

    async fn volumes(&self, label: &str, value: &str) -> EngineResult<Vec<Volume>> {
        self.read("volumes", |world| {
            let all = world.volumes.values();
            Ok(all.filter(|v| v.labels.get(label).is_some_and(|v| v == value)).cloned().collect())
        })
        .await
    }

    async fn volumes_at(&self, label: &str, value: &str) -> EngineResult<(Vec<Volume>, i64)> {
        let listed = self.volumes(label, value).await?;
        Ok((listed, self.world().now()))
    }

    async fn remove_volume(&self, name: &str) -> EngineResult<()> {
        self.change(format!("remove-volume {name}"), |world| world.remove_volume(name)).await
    }

    async fn volume(&self, name: &str) -> EngineResult<Option<Volume>> {
        self.read(&format!("volume {name}"), |world| Ok(world.volumes.get(name).cloned())).await
    }

    async fn make_volume(&self, body: &serde_json::Value) -> EngineResult<Volume> {
        let name = body["Name"].as_str().unwrap_or_default();
        self.change(format!("create-volume {name}"), |world| Ok(world.volume(body))).await
    }

    async fn networks(&self) -> EngineResult<Vec<Network>> {
        self.read("networks", |world| Ok(world.seen_networks())).await
    }

    async fn network(&self, id: &str) -> EngineResult<Option<Network>> {
        self.read(&format!("network {id}"), |world| Ok(world.seen_network(id))).await
    }

    async fn create_network(&self, body: &serde_json::Value) -> EngineResult<()> {
        let name = body["Name"].as_str().unwrap_or_default();
        self.change(format!("create-network {name}"), |world| world.create_network(body)).await
    }

    async fn remove_network(&self, id: &str) -> EngineResult<()> {
        let name = self.world().seen_network(id).map_or_else(|| id.to_owned(), |network| network.name);
        self.change(format!("remove-network {name}"), |world| world.remove_network(id)).await
    }

    async fn put_files(&self, id: &str, folder: &str, archive: &Secret) -> EngineResult<()> {
        let call = format!("{} {folder}", self.called("put", id));
        self.change(call, |world| world.put_files(id, folder, archive.reveal())).await
    }

    async fn file(&self, id: &str, path: &str) -> EngineResult<Option<Secret>> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let found = self.files(id, folder).remove(name);
        let found = found.or_else(|| self.world().file(id, path));
        Ok(found.map(|file| Secret::new(file.content)))
    }

    async fn stat_file(&self, id: &str, path: &str) -> EngineResult<Option<FileStat>> {
        self.read(&format!("stat {path}"), |world| {
            let file = world.file(id, path);
            Ok(file.map(|file| FileStat {
                is_regular: true,
                size: file.content.len() as u64,
                time: file.time,
            }))
        })
        .await
    }

    async fn start_filled(&self, id: &str, filling: Filling<'_>) -> EngineResult<()> {
        self.change(self.called("start", id), |world| {
            world.start_filled(id, filling.filler, filling.folder, filling.archive.reveal())
        })
        .await
    }

    async fn remove_with_volumes(&self, id: &str) -> EngineResult<()> {
        self.change(self.called("discard", id), |world| world.remove_with_volumes(id)).await
    }
}

#[cfg(test)]
mod tests;
