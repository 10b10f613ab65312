//! An Engine, as few calls as we need: those of [`crate::plan::Action`] and the reads that observing
//! needs.

mod address;
pub mod docker;
mod error;
mod jitter;
mod locate;
mod patience;
mod pause;
mod registry;
mod streams;

pub use address::Address;
pub use error::{EngineError, ErrorKind};
pub use jitter::between;
pub use locate::Folders;
pub use patience::{PATIENCE, Patience};
pub use pause::{Pause, Paused};
pub use streams::{
    Channel, Conversation, DETACH_KEYS, ExecRequest, ExecState, LogPart, Piece, Pieces, Process, Streams,
};

use crate::name::{ImageRef, RegistryHost};
use crate::observed::{Facts, FileStat, Holds, Image, Inspect, Platforms, RunState};
use crate::registry::AuthHeader;
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Result of an Engine call.
pub type EngineResult<T> = Result<T, EngineError>;

/// How far a pull is: bytes over all layers that are known so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PullProgress {
    /// Bytes downloaded.
    pub done: u64,
    /// Bytes known to be needed; grows while layers are announced.
    pub total: u64,
    /// Layers that are complete.
    pub layers_done: u32,
    /// Layers that are known.
    pub layers: u32,
}

/// What takes room on the disk of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes of all layers of images, each counted once.
    pub layers: u64,
    /// Images by id.
    pub images: BTreeMap<String, ImageSize>,
    /// Bytes that containers wrote into their own layer, by id.
    pub written: BTreeMap<String, u64>,
    /// Bytes in volumes, by name.
    pub volumes: BTreeMap<String, u64>,
}

/// What a container uses at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of one processor, in hundredths of a percent; `None` where its Engine does not say.
    pub cpu: Option<u64>,
    /// Bytes, without files that are cached and not in use.
    pub memory: u64,
    /// Bytes that it may use; what the host has where it has no limit.
    pub memory_limit: u64,
    /// Bytes that came over its networks since it was started; `None` where it has none of its own.
    pub received: Option<u64>,
    /// Bytes that it sent.
    pub sent: Option<u64>,
    /// How many processes and threads it has.
    pub processes: u64,
}

/// The room that an image takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageSize {
    /// Bytes of all its layers.
    pub all: u64,
    /// Of these, bytes of layers that other images have too; `None` where the Engine does not say.
    pub shared: Option<u64>,
}

impl ImageSize {
    /// Bytes of layers that no other image has, as far as that is known.
    pub fn own(&self) -> u64 {
        self.all.saturating_sub(self.shared.unwrap_or_default())
    }
}

/// A tag on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// `repository:tag`.
    pub name: String,
    /// Id of the image that it stands for.
    pub image_id: String,
}

/// A container as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Full id.
    pub id: String,
    /// Name without the leading `/`.
    pub name: String,
    /// Id of its image.
    pub image_id: String,
    /// Labels, its own and its image's.
    pub labels: BTreeMap<String, String>,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub status: String,
    /// Names of networks it is in, running or not.
    pub networks: BTreeSet<String>,
    /// The network that it was created in, or what else it was given for one: `bridge`, `container:…`.
    pub network_mode: String,
    /// Names of volumes it mounts.
    pub volumes: BTreeSet<String>,
    /// Ports and addresses that it has while it runs.
    pub holds: Holds,
}

/// A container in full.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Full id.
    pub id: String,
    /// Name without the leading `/`.
    pub name: String,
    /// Id of its image.
    pub image_id: String,
    /// Labels, its own and its image's.
    pub labels: BTreeMap<String, String>,
    /// How it is.
    pub state: RunState,
    /// Everything else.
    pub inspect: Inspect,
}

/// A network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created, as the Engine prints it.
    pub created_at: String,
    /// Everything that the Engine says of it.
    pub inspect: Inspect,
}

/// What a registry says of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its digest, of a list of manifests where it is one.
    pub digest: String,
    /// For which platforms it is.
    pub platforms: Platforms,
}

/// A volume.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its labels: those of its first creation.
    pub labels: BTreeMap<String, String>,
    /// When it was created, seconds since 1970 by the Engine's clock.
    pub created_at: i64,
    /// Everything that the Engine says of it.
    pub inspect: Inspect,
}

/// The calls. Ids and names are interchangeable where the Engine takes either.
#[expect(async_fn_in_trait, reason = "one thread waits for Engines; no future crosses threads")]
pub trait Engine {
    /// What the Engine says of itself.
    async fn facts(&self) -> EngineResult<Facts>;
    /// Seconds since 1970 by the Engine's clock, from the `Date` of a fresh answer.
    async fn now(&self) -> EngineResult<i64>;
    /// All containers, running or not.
    async fn containers(&self) -> EngineResult<Vec<Summary>>;
    /// One container; `None` if there is none of that id or name.
    async fn container(&self, id: &str) -> EngineResult<Option<Inspected>>;
    /// One image by reference or id; `None` if it is not on the host.
    async fn image(&self, reference: &str) -> EngineResult<Option<Image>>;
    /// Tags in the repositories `folder/NAME`, of one part below the folder.
    async fn tags(&self, folder: &str) -> EngineResult<Vec<Tag>>;
    /// What takes room on its disk.
    async fn disk(&self) -> EngineResult<Disk>;
    /// What a running container uses; `None` where there is none.
    async fn usage(&self, id: &str) -> EngineResult<Option<Usage>>;
    /// What the registry says of a reference, asked from the host.
    async fn resolve(&self, image: &ImageRef, auth: Option<&AuthHeader>) -> EngineResult<Manifest>;
    /// Shows a credential to the registry that it is for, from the host; the Engine keeps nothing of it.
    async fn login(&self, registry: &RegistryHost, auth: &AuthHeader) -> EngineResult<()>;
    /// Pulls, for the host's platform or another one; every error in the stream is an error.
    async fn pull(
        &self,
        image: &ImageRef,
        platform: Option<&str>,
        auth: Option<&AuthHeader>,
        progress: &dyn Fn(PullProgress),
    ) -> EngineResult<()>;
    /// Gives an image one more name.
    async fn tag(&self, source: &str, name: &str) -> EngineResult<()>;
    /// Takes a name off an image, and the image away with its last name; never forced.
    async fn untag(&self, name: &str) -> EngineResult<()>;
    /// Creates a container; answers its id and the Engine's warnings.
    async fn create(&self, name: &str, body: CreateBody) -> EngineResult<(String, Vec<String>)>;
    /// Joins a network.
    async fn connect(&self, id: &str, network: &str, endpoint: &serde_json::Value) -> EngineResult<()>;
    /// Leaves a network.
    async fn disconnect(&self, id: &str, network: &str, force: bool) -> EngineResult<()>;
    /// Starts; fine if it runs already.
    async fn start(&self, id: &str) -> EngineResult<()>;
    /// Stops with its own signal, kills after `timeout` seconds; fine if it does not run.
    async fn stop(&self, id: &str, timeout: Option<u32>) -> EngineResult<()>;
    /// Changes live fields; answers warnings, each of which means that a value was discarded.
    async fn update(&self, id: &str, body: &serde_json::Value) -> EngineResult<Vec<String>>;
    /// Runs a command in a running container to its end, for `limit` at most; answers its exit code.
    async fn exec(&self, id: &str, command: &[String], limit: Duration) -> EngineResult<i64>;
    /// Runs a container's health check once, for `limit` at most; the result is in its state. For Engines that do
    /// not run it themselves.
    async fn probe(&self, id: &str, limit: Duration) -> EngineResult<()>;
    /// Sends a signal to its first process.
    async fn signal(&self, id: &str, signal: &str) -> EngineResult<()>;
    /// Renames.
    async fn rename(&self, id: &str, name: &str) -> EngineResult<()>;
    /// Removes a container that does not run; its volumes stay.
    async fn remove(&self, id: &str) -> EngineResult<()>;
    /// The last lines of its log, both streams, raw.
    async fn log_tail(&self, id: &str, lines: u32) -> EngineResult<Vec<String>>;
    /// Creates a volume, or answers the one that is there with its first labels.
    async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> EngineResult<Volume>;
    /// Volumes that have a label with this value.
    async fn volumes(&self, label: &str, value: &str) -> EngineResult<Vec<Volume>>;
    /// The same, with seconds since 1970 by the Engine's clock when it had listed them, all in one call.
    async fn volumes_at(&self, label: &str, value: &str) -> EngineResult<(Vec<Volume>, i64)>;
    /// Removes a volume; fine if it is not there.
    async fn remove_volume(&self, name: &str) -> EngineResult<()>;
    /// Unpacks an archive (tar) into a folder of a container, which need not run.
    async fn put_files(&self, id: &str, folder: &str, archive: &Secret) -> EngineResult<()>;
    /// What is in a regular file of a container, which need not run; `None` if it has none of that path. It may be
    /// a secret.
    async fn file(&self, id: &str, path: &str) -> EngineResult<Option<Secret>>;
    /// `HEAD /containers/{id}/archive`: what is at a path of it; `None` if nothing is.
    async fn stat_file(&self, id: &str, path: &str) -> EngineResult<Option<FileStat>>;
    /// Starts a container whose volume in memory is filled through another one meanwhile.
    async fn start_filled(&self, id: &str, filling: Filling<'_>) -> EngineResult<()>;
    /// Removes a container that does not run, and its volumes that have no name.
    async fn remove_with_volumes(&self, id: &str) -> EngineResult<()>;
    /// One volume; `None` if there is none of that name.
    async fn volume(&self, name: &str) -> EngineResult<Option<Volume>>;
    /// Creates a volume from a whole body, or answers the one that is there, whatever it is.
    async fn make_volume(&self, body: &serde_json::Value) -> EngineResult<Volume>;
    /// All networks.
    async fn networks(&self) -> EngineResult<Vec<Network>>;
    /// One network by id or name; `None` if there is none.
    async fn network(&self, id: &str) -> EngineResult<Option<Network>>;
    /// Creates a network; refused where the name is taken.
    async fn create_network(&self, body: &serde_json::Value) -> EngineResult<()>;
    /// Removes a network that no running container is in.
    async fn remove_network(&self, id: &str) -> EngineResult<()>;
}

/// How a volume in memory is filled while a container starts that mounts it.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// A container that mounts it too, and does not run.
    pub filler: &'a str,
    /// Where that one mounts it.
    pub folder: &'a str,
    /// What is put there (tar).
    pub archive: &'a Secret,
    /// The last file in it as the started container sees it, an absolute path.
    pub last: &'a str,
    /// Bytes of that file.
    pub size: u64,
}

/// A create body with its secrets opened, and `Platform` where one is declared. `Debug` is fixed text.
pub struct CreateBody {
    /// The body.
    pub body: serde_json::Value,
    /// Whether secrets are in it: then an Engine's words about it are not shown as they are.
    pub has_secrets: bool,
}

impl CreateBody {
    /// One in which everything is clear.
    pub fn clear(body: serde_json::Value) -> Self {
        Self { body, has_secrets: false }
    }
}

impl std::fmt::Debug for CreateBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[create body]")
    }
}
