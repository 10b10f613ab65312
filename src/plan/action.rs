//! The closed set of steps: each one Engine call or one wait. Composite verbs are lowered to these by
//! the planner; execution makes no choices.

use crate::desired::container_file::field_of;
use crate::desired::secret_file::FOLDER;
use crate::desired::{ContainerFile, SecretFile};
use crate::name::{Digest, ImageRef, short_volume};
use crate::problem::Place;
use crate::state::{Segment, Text};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// A container that exists when the plan is made, or one that the plan creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Full id.
    Id(String),
    /// Created by the step with this id, on the same host.
    CreatedBy(u32),
}

/// One call or one wait.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// `POST /images/create` of `repo@sha256:…`.
    Pull {
        /// By digest.
        image: ImageRef,
        /// For which platform, `linux/arm64`; `None`: the host's.
        #[serde(skip_serializing_if = "Option::is_none")]
        platform: Option<String>,
        /// What the host is, `linux/amd64`, where a container is made from it that declares no platform: the
        /// image must be made for it, which is known when it is there.
        #[serde(skip_serializing_if = "Option::is_none")]
        runs_on: Option<String>,
    },
    /// `POST /images/{name}/tag`.
    Tag {
        /// What gets the tag: `repo@sha256:…` or an image id.
        source: String,
        /// The new name, `repo:tag`.
        name: String,
    },
    /// `DELETE /images/{name}` of a reference; never forced.
    Untag {
        /// The name that goes.
        name: String,
    },
    /// `DELETE /images/{name}` of an image of ours that nothing needs, by its digest; never forced. One that is in use
    /// by then stays.
    RemoveImage {
        /// `repo@sha256:…`.
        image: String,
    },
    /// `POST /containers/create`.
    Create(Box<Create>),
    /// `POST /networks/{network}/connect`.
    Connect {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Network name.
        network: String,
        /// `EndpointSettings` of the Engine API.
        endpoint: serde_json::Value,
    },
    /// `POST /networks/{network}/disconnect`.
    Disconnect {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Network name.
        network: String,
        /// Also where the network is gone.
        force: bool,
    },
    /// `POST /containers/{id}/start`.
    Start {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
    },
    /// `POST /containers/{id}/stop`; the signal is the container's own.
    Stop {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Seconds until it is killed; `None`: the container's own.
        timeout: Option<u32>,
    },
    /// `POST /containers/{id}/update`.
    Update {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Body with all declared live fields.
        body: serde_json::Value,
    },
    /// `POST /containers/{id}/rename`.
    Rename {
        /// Which container.
        container: Target,
        /// Its name now.
        from: String,
        /// Its name then.
        to: String,
    },
    /// `DELETE /containers/{id}`; never forced, anonymous volumes stay.
    Remove {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
    },
    /// Waits until it is healthy; without a health check until it has run for a while without a restart.
    AwaitHealthy {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Without a health check: seconds of running, not restarting, restart count 0, start time unchanged.
        monitor: u32,
        /// With a health check: seconds until it counts as failed.
        timeout: u32,
        /// No `start_timeout` is declared: if the container's own check needs more, that counts. Its image may not
        /// have been on the host when the plan was made.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        follows_check: bool,
        /// This Engine runs no health checks: pillarbox has them run while it waits.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        probes: bool,
        /// Where `start_timeout` is declared, or would be.
        #[serde(skip)]
        declared: Option<Place>,
    },
    /// Waits for a while.
    Delay {
        /// Seconds.
        seconds: u32,
        /// What for.
        why: String,
    },
    /// `POST /containers/{id}/exec` and its start; it must end with 0.
    Exec {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Program and arguments.
        command: Vec<String>,
    },
    /// `POST /containers/{id}/kill` with a signal.
    Signal {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Its name, `SIGUSR1`.
        signal: String,
    },
    /// `POST /volumes/create` of a volume that pillarbox makes for itself.
    CreateOwnVolume {
        /// Its name.
        name: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// In memory: what is in it is gone when no container mounts it.
        memory: bool,
    },
    /// `DELETE /volumes/{name}` of a volume that pillarbox made for itself.
    RemoveOwnVolume {
        /// Its name.
        name: String,
    },
    /// `PUT /containers/{id}/archive`: puts files into a volume through a container that is never started.
    PutFiles {
        /// The container through which they are put.
        container: Target,
        /// Which container that is, for people; also the name of the volume.
        name: String,
        /// For which container they are.
        service: String,
        /// By name; secrets are opened just before the call.
        #[serde(serialize_with = "masked_files")]
        files: BTreeMap<String, SecretFile>,
        /// Files of the container that are mounted from there, by their path in it.
        #[serde(serialize_with = "digests", skip_serializing_if = "BTreeMap::is_empty")]
        mounted: BTreeMap<String, ContainerFile>,
    },
    /// `PUT /containers/{id}/archive`: puts files into the container itself.
    WriteFiles {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// By their path in it; none has a secret in it.
        #[serde(serialize_with = "digests")]
        files: BTreeMap<String, ContainerFile>,
    },
    /// `POST /containers/{id}/start` while a `PUT …/archive` into its volume in memory is held open: before
    /// it runs nothing else keeps what is in there.
    StartFilled {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// The container through which files are put; it is never started.
        filler: Target,
        /// For which container they are.
        service: String,
        /// By name; secrets are opened just before the call.
        #[serde(serialize_with = "masked_files")]
        files: BTreeMap<String, SecretFile>,
    },
    /// `DELETE /containers/{id}` with its anonymous volumes: of a container that was no instance, or never ran.
    Discard {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
    },
    /// Waits until it has ended; it must end with 0. One that does not end in time is stopped.
    AwaitExit {
        /// Which container.
        container: Target,
        /// Which container, for people.
        name: String,
        /// Seconds within which it must end.
        timeout: u32,
        /// Seconds from the stop signal to its being killed; `None`: the container's own.
        stop_timeout: Option<u32>,
    },
    /// `POST /networks/create`.
    CreateNetwork {
        /// Its name.
        name: String,
        /// The Engine's create body, our labels in it.
        body: serde_json::Value,
    },
    /// `DELETE /networks/{id}`; refused while a running container is in it.
    RemoveNetwork {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// `POST /volumes/create`.
    CreateVolume {
        /// Its name.
        name: String,
        /// The Engine's create body, our labels in it.
        body: serde_json::Value,
    },
    /// `DELETE /volumes/{name}`, and its data; refused while a container uses it, running or not.
    RemoveVolume {
        /// Its name.
        name: String,
        /// When it was created: another one of this name is not meant.
        created_at: i64,
    },
    /// `DELETE /volumes/{name}` of an anonymous volume, and its data, after the last container that mounts it.
    RemoveAnonymousVolume {
        /// Its name: 64 hexadecimal digits.
        name: String,
        /// The container that had it last, for people.
        of: String,
    },
    /// `DELETE /volumes/{name}` of the record that a container was taken over, once it is gone.
    Forget {
        /// The container, for people.
        name: String,
        /// The volume.
        volume: String,
    },
}

/// Repository of the tags that keep our images from being pruned; no registry can have this name
/// (RFC 6761).
pub const KEEP: &str = "pillarbox.invalid";

/// What follows the name of the container of a task that did not end in time and was stopped.
pub const STOPPED: &str = ".stopped";

/// Where a container through which a volume is filled mounts it; no image has such a folder.
pub const FILLED: &str = "/.pillarbox-secrets";

impl Action {
    /// The container that it acts on, but for one that it creates.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Pull { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::RemoveImage { .. }
            | Self::Create(_)
            | Self::CreateOwnVolume { .. }
            | Self::RemoveOwnVolume { .. }
            | Self::Delay { .. }
            | Self::CreateNetwork { .. }
            | Self::RemoveNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::RemoveVolume { .. }
            | Self::RemoveAnonymousVolume { .. }
            | Self::Forget { .. } => None,
            Self::Connect { container, .. }
            | Self::Disconnect { container, .. }
            | Self::Start { container, .. }
            | Self::Stop { container, .. }
            | Self::Update { container, .. }
            | Self::Rename { container, .. }
            | Self::Remove { container, .. }
            | Self::AwaitHealthy { container, .. }
            | Self::Exec { container, .. }
            | Self::Signal { container, .. }
            | Self::PutFiles { container, .. }
            | Self::WriteFiles { container, .. }
            | Self::StartFilled { container, .. }
            | Self::Discard { container, .. }
            | Self::AwaitExit { container, .. } => Some(container),
        }
    }

    /// Whether it only waits: no call that changes anything.
    pub fn waits(&self) -> bool {
        matches!(self, Self::AwaitHealthy { .. } | Self::AwaitExit { .. } | Self::Delay { .. })
    }

    /// The texts with secrets that it puts into files of a container, each with the field that it is in and the
    /// file, and whose they are.
    pub fn texts(&self) -> Option<(&str, Vec<FileText<'_>>)> {
        let (service, files, mounted) = match self {
            Self::PutFiles { service, files, mounted, .. } => (service, files, Some(mounted)),
            Self::StartFilled { service, files, .. } => (service, files, None),
            _ => return None,
        };
        let secrets = files.iter().map(|(name, file)| FileText {
            field: format!("secrets.{name}"),
            path: format!("{FOLDER}/{name}"),
            text: &file.value,
        });
        let mounted = mounted.into_iter().flatten().filter_map(|(path, file)| {
            let (field, text) = (field_of(path), file.sealed()?);
            Some(FileText { field, path: path.clone(), text })
        });
        Some((service, secrets.chain(mounted).collect()))
    }

    /// Whether it only brings an image to the host: done on all hosts before anything else is done
    /// anywhere, and not counted as a change.
    pub fn prepares(&self) -> bool {
        matches!(self, Self::Pull { .. })
    }
}

impl fmt::Display for Action {
    /// Verb and thing: `stop nginx`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull { image, platform: Some(platform), .. } => write!(f, "pull {image} for {platform}"),
            Self::Pull { image, platform: None, .. } => write!(f, "pull {image}"),
            Self::Tag { name, .. } => write!(f, "tag {name}"),
            Self::Untag { name } => write!(f, "untag {name}"),
            Self::RemoveImage { image } => write!(f, "remove image {image}"),
            Self::Create(create) => write!(f, "create {}", create.name),
            Self::Connect { name, network, .. } => write!(f, "connect {name} to {network}"),
            Self::Disconnect { name, network, .. } => write!(f, "disconnect {name} from {network}"),
            Self::Start { name, .. } => write!(f, "start {name}"),
            Self::Stop { name, .. } => write!(f, "stop {name}"),
            Self::Update { name, .. } => write!(f, "update {name}"),
            Self::Rename { from, to, .. } => write!(f, "rename {from} to {to}"),
            Self::Remove { name, .. } => write!(f, "remove {name}"),
            Self::AwaitHealthy { name, .. } => write!(f, "await {name}"),
            Self::Delay { seconds, .. } => write!(f, "wait {seconds} s"),
            Self::Exec { name, command, .. } => write!(f, "run {} in {name}", command.join(" ")),
            Self::Signal { name, signal, .. } => write!(f, "send {signal} to {name}"),
            Self::CreateOwnVolume { name, .. } => write!(f, "create volume {name}"),
            Self::RemoveOwnVolume { name } => write!(f, "remove volume {name}"),
            Self::PutFiles { name, files, .. } => {
                let what = if files.is_empty() { "files" } else { "secrets" };
                write!(f, "put {what} into volume {name}")
            }
            Self::WriteFiles { name, files, .. } => match files.keys().next() {
                Some(only) if files.len() == 1 => write!(f, "write {only} in {name}"),
                _ => write!(f, "write {} files in {name}", files.len()),
            },
            Self::StartFilled { name, .. } => write!(f, "start {name} with its secrets in memory"),
            Self::Discard { name, .. } => write!(f, "remove {name}"),
            Self::AwaitExit { name, .. } => write!(f, "await the end of {name}"),
            Self::CreateNetwork { name, .. } => write!(f, "create network {name}"),
            Self::RemoveNetwork { name, .. } => write!(f, "remove network {name}"),
            Self::CreateVolume { name, .. } => write!(f, "create volume {name}"),
            Self::RemoveVolume { name, .. } => write!(f, "remove volume {name} and its data"),
            Self::RemoveAnonymousVolume { name, of } => {
                write!(f, "remove anonymous volume {} of {of} and its data", short_volume(name))
            }
            Self::Forget { name, .. } => write!(f, "forget that {name} was adopted"),
        }
    }
}

impl Create {
    /// Its image by the name that is looked for on the host: `repo@sha256:…`, or an image id.
    pub fn on_host(&self) -> String {
        match (&self.digest, ImageRef::parse(&self.image)) {
            (Some(digest), Ok(image)) => image.by_digest(digest).to_string(),
            _ => self.image.clone(),
        }
    }
}

/// A container to be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Create {
    /// The name it is created under.
    pub name: String,
    /// The container's plain name.
    pub service: String,
    /// What it is created from: `repo:1.9.0@sha256:…`, or an image id.
    pub image: String,
    /// The credential's image, if a pull belongs to it; for the receiver of a refusal.
    pub digest: Option<Digest>,
    /// The Engine's create body without `Env` and `Image`, and with `Platform`, which the API wants in the
    /// query; holds no secret. Names one network at most in `NetworkingConfig` (below API 1.44 an Engine
    /// refuses two); others are connected after.
    pub body: serde_json::Value,
    /// Environment; secrets are opened just before the call.
    #[serde(serialize_with = "masked")]
    pub env: BTreeMap<String, Text>,
    /// Files that it mounts, one by one, out of a volume that pillarbox made: by their path in it. Where that
    /// volume lies the Engine says.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mounted: BTreeMap<String, MountedFile>,
}

/// A file in a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MountedFile {
    /// The volume.
    pub volume: String,
    /// Its path there.
    pub file: String,
}

/// A text that is put into a file.
#[derive(Clone, Debug)]
pub struct FileText<'a> {
    /// As it is declared: `secrets.NAME`, `files.PATH`.
    pub field: String,
    /// Where it is in the container.
    pub path: String,
    /// May hold secrets.
    pub text: &'a Text,
}

/// The path in its volume of a file that is mounted: one folder, apart from secrets that have names.
pub fn mounted_as(path: &str) -> String {
    let digest = Sha256::digest(path.as_bytes());
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!(".files/{digits}")
}

/// What must still be so just before a step, else the plan is stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// This container is there under this name, and runs or does not.
    Container {
        /// Full id.
        id: String,
        /// Its name.
        name: String,
        /// Whether it runs; `None`: either.
        running: Option<bool>,
    },
    /// No container has this name.
    NameFree {
        /// Container name.
        name: String,
    },
    /// The image is on the host (by digest or id), as it must be before a create.
    Image {
        /// `repo@sha256:…` or id.
        image: String,
    },
    /// This network is there.
    Network {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// No network has this name.
    NetworkFree {
        /// Network name.
        name: String,
    },
    /// This volume is there.
    Volume {
        /// Its name.
        name: String,
        /// When it was created, seconds since 1970.
        created_at: i64,
    },
    /// No volume has this name.
    VolumeFree {
        /// Volume name.
        name: String,
    },
}

/// A stored text: clear parts as they are, secrets by place, id and encoders.
fn masked<S: Serializer>(env: &BTreeMap<String, Text>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(env.iter().map(|(name, text)| (name, stored(text))))
}

/// Files as they are stored: see [`masked`].
fn masked_files<S: Serializer>(files: &BTreeMap<String, SecretFile>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(files.iter().map(|(name, file)| (name, file.shown(stored(&file.value)))))
}

/// Files by their digests; of one with secrets what [`masked`] stores.
fn digests<S: Serializer>(files: &BTreeMap<String, ContainerFile>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(files.iter().map(|(path, file)| {
        let mut shown = file.shown();
        if let Some(text) = file.sealed() {
            shown["value"] = stored(text);
        }
        (path, shown)
    }))
}

fn stored(text: &Text) -> serde_json::Value {
    if let Some(clear) = text.as_clear() {
        return clear.into();
    }
    let part = |segment: &Segment| match segment {
        Segment::Clear(text) => serde_json::json!(text),
        Segment::Secret(secret) => serde_json::json!({
            "sealed": secret.origin.key.to_string(),
            "file": secret.origin.file,
            "id": secret.id,
            "encoders": secret.encoders,
        }),
    };
    text.segments().iter().map(part).collect()
}
