//! What a host looks like: read once before planning, the other half of what the planner sees.

mod anonymous;
mod clear_env;
mod compose;
mod file;
mod first_network;
mod fitting;
mod health_check;
mod helper_container;
mod holds;
mod instance_role;
mod label;
mod own_volumes;
mod ownership;
mod platforms;
mod record;
mod resource;
mod stop;

pub use crate::inspect::{Inspect, Private};
pub use anonymous::Anonymous;
pub use compose::ComposeLabels;
pub use file::{FileStat, SeenFile};
pub(crate) use first_network::is_user_defined;
pub use health_check::HealthCheck;
pub use helper_container::HelperContainer;
pub use holds::{Holds, HostPort};
pub use instance_role::{InstanceRole, instance, slot_of};
pub use label::{Label, Ownership, namesake};
pub use own_volumes::{OwnVolumes, Ran};
pub use ownership::{Found, with_ownership};
pub use platforms::Platforms;
pub use record::Record;
pub use resource::{Made, Network, User, Volume};
pub use stop::Stop;

use crate::name::{Digest, HostName, ImageRef};
use crate::problem::Problems;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One host as it was when it was read. Containers are read before images, images before digests:
/// a container seen here had its image on the host.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The host.
    pub host: HostName,
    /// What the Engine says of itself.
    pub facts: Facts,
    /// All containers, running or not, ours or not.
    pub containers: Vec<Container>,
    /// Images that were asked for, by the reference they were asked by; absent ones are not here.
    pub images: BTreeMap<ImageRef, Image>,
    /// What the references that are wanted stand for.
    pub resolved: BTreeMap<ImageRef, Resolution>,
    /// Wanted references of which their registry does not say what they stand for, and why.
    pub unresolved: BTreeMap<ImageRef, Problems>,
    /// Volumes that hold secrets of ours, and those that remember tasks.
    pub own_volumes: OwnVolumes,
    /// Networks that are ours or have a wanted name.
    pub networks: Vec<Network>,
    /// Names and ids of all networks. `None` in a swarm: a worker lists a network of the swarm only once it uses it.
    pub network_names: Option<BTreeSet<String>>,
    /// Volumes that are ours or have a wanted name.
    pub volumes: Vec<Volume>,
    /// Anonymous volumes that containers mount, each with the ids of those; of whomever they are.
    pub anonymous: BTreeMap<String, BTreeSet<String>>,
    /// Containers that were taken over, by id; also those that are gone.
    pub adopted: BTreeMap<String, Record>,
    /// Tags that keep images of this workspace (`pillarbox.invalid/…`), each with its image.
    pub keeps: BTreeMap<String, KeptImage>,
    /// Images of such tags of which all names are known, by id. Most are not asked for: only a plan that could
    /// remove an image needs them.
    pub kept_images: BTreeMap<String, Image>,
    /// Declared files of containers that were looked at, by id, by path.
    pub files: BTreeMap<String, BTreeMap<String, SeenFile>>,
}

/// The image that a tag of ours keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptImage {
    /// Its id.
    pub image_id: String,
    /// The digests that it goes by.
    pub digests: Vec<ImageRef>,
}

/// What a host says of itself; `grains` is an alias in states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The Engine's own id (`/info` ID); `podman` for Podman, which has none.
    pub engine_id: String,
    /// Version of the Engine, `20.10.24`.
    pub engine_version: String,
    /// API version spoken with it, `1.41`.
    pub api_version: String,
    /// `linux`.
    pub os: String,
    /// As images name it: `amd64`, `arm64`.
    pub arch: String,
    /// Number of processors.
    pub cpus: u32,
    /// Bytes of memory.
    pub memory: u64,
    /// The machine's host name.
    pub hostname: String,
    /// The Engine's labels.
    pub labels: BTreeMap<String, String>,
    /// Whether limits and restart policy of a container can be changed; Podman before 5.1 has no such call.
    pub can_update: bool,
    /// Whether health checks are run; Podman leaves that to systemd.
    pub runs_health_checks: bool,
    /// Whether a user without root runs it.
    #[serde(default)]
    pub rootless: bool,
}

impl Facts {
    /// Whether it is Podman.
    pub fn is_podman(&self) -> bool {
        self.engine_id == Self::PODMAN
    }

    /// Whether a volume in memory keeps what is put into it before a container starts. Podman 4.3.1 loses it;
    /// 5.4.2 is the oldest that was seen to keep it.
    pub fn can_fill_memory(&self) -> bool {
        let mut numbers = self.engine_version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
        !self.is_podman()
            || (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) >= (5, 4)
    }

    /// What it is, with its version: `Engine 20.10.24`, `Podman 4.3.1 without root`.
    pub fn engine(&self) -> String {
        let name = if self.is_podman() { "Podman" } else { "Engine" };
        let without = if self.rootless { " without root" } else { "" };
        format!("{name} {}{without}", crate::problem::escaped(&self.engine_version))
    }

    /// The id of Podman, which has none.
    pub const PODMAN: &str = "podman";
}

/// A container as it was found.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its full id.
    pub id: String,
    /// Its name without the leading `/`.
    pub name: String,
    /// Id of the image it was made from.
    pub image_id: String,
    /// What our labels say, if they are there and truly its own (see [`Ownership`]).
    pub ours: Option<Ownership>,
    /// It carries labels of this workspace, but they came with its image, are those of another, older
    /// container, or are not complete: reported, never touched.
    pub impostor: bool,
    /// It is ours by its labels or its record, but has a name that we do not give: it was renamed by hand.
    pub renamed: Option<Ownership>,
    /// It is ours and no instance of anything: what it is for.
    pub helper: Option<HelperContainer>,
    /// What Docker Compose wrote on it, if that made it.
    pub compose: Option<ComposeLabels>,
    /// How it is.
    pub state: RunState,
    /// Ports and addresses that it has while it runs.
    pub holds: Holds,
    /// Everything else the Engine says of it; `null` where it is neither ours nor has a wanted name.
    pub inspect: Inspect,
}

/// The run state of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub status: String,
    /// A process runs; also true between two crashes of a crash loop.
    pub running: bool,
    /// It is waiting to be restarted.
    pub restarting: bool,
    /// How often the Engine restarted it.
    pub restart_count: i64,
    /// When it started, as the Engine prints it; `0001-01-01T00:00:00Z` if never.
    pub started_at: String,
    /// When it last ended, as the Engine prints it; `0001-01-01T00:00:00Z` if never.
    pub finished_at: String,
    /// When it was created, as the Engine prints it.
    pub created_at: String,
    /// Exit code of its last run.
    pub exit_code: i64,
    /// The Engine's own words on why it could not start; may be empty.
    pub error: String,
    /// Result of its health check, if it has one.
    pub health: Option<Health>,
}

/// What a health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Not known yet.
    Starting,
    /// It passes.
    Healthy,
    /// It fails.
    Unhealthy,
}

/// An image on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id, `sha256:…`.
    pub id: String,
    /// `repo@sha256:…` names it was pulled by.
    pub repo_digests: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `repo:tag` names it has on the host.
    pub repo_tags: Vec<String>,
    /// Paths it declares as volumes.
    pub volumes: Vec<String>,
    /// Its health check, if it has one.
    pub health_check: Option<HealthCheck>,
    /// What it is made for, `linux/arm64`, `linux/arm/v7`; `None` where the Engine does not say.
    pub platform: Option<String>,
}

/// What a wanted reference stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// `sha256:…` as its registry names it; for [`ResolvedBy::ImageId`] the image's id.
    pub digest: Digest,
    /// Who said so.
    pub by: ResolvedBy,
    /// For which platforms it is, where that is known.
    pub platforms: Platforms,
}

/// Who said what a reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedBy {
    /// The reference has a digest.
    Pinned,
    /// Its registry, asked through this or another host.
    Registry,
    /// `pull = "never"`: the image on the host.
    ImageId,
    /// `--offline`: what runs or lies there now. Marked `?`; such a plan cannot be stored.
    Offline,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(engine_id: &str, version: &str) -> Facts {
        Facts {
            engine_id: engine_id.to_owned(),
            engine_version: version.to_owned(),
            api_version: "1.41".to_owned(),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            cpus: 1,
            memory: 1,
            hostname: "h".to_owned(),
            labels: BTreeMap::new(),
            can_update: true,
            runs_health_checks: true,
            rootless: false,
        }
    }

    #[test]
    fn podman_before_5_4_loses_what_is_put_into_memory() {
        for (id, version, can) in [
            ("ID", "20.10.24", true),
            (Facts::PODMAN, "4.3.1", false),
            (Facts::PODMAN, "5.3.2", false),
            (Facts::PODMAN, "5.4.2", true),
            (Facts::PODMAN, "6.1.1", true),
            (Facts::PODMAN, "", false),
        ] {
            assert_eq!(facts(id, version).can_fill_memory(), can, "{id} {version}");
        }
    }

    #[test]
    fn an_engine_says_what_it_is() {
        assert_eq!(facts("ID", "20.10.24").engine(), "Engine 20.10.24");
        let rootless = Facts { rootless: true, ..facts(Facts::PODMAN, "5.4.2") };
        assert_eq!(rootless.engine(), "Podman 5.4.2 without root");
    }
}
