//! The desired state of a host: the result of compiling, and one of the two inputs of the planner.

mod body;
mod compare;
pub mod container_file;
pub(crate) mod fields;
mod file_owner;
mod json;
pub(crate) mod network;
mod option;
mod published;
pub(crate) mod read;
mod requisites;
mod resource;
pub mod secret_file;
mod shares;
mod spec;
mod task;
mod uses;
pub(crate) mod volume;

pub use container_file::{ContainerFile, OnChange};
pub(crate) use option::NEWEST_API;
pub use requisites::{Reaction, Requisites, Watch};
pub use resource::DesiredResource;
pub use secret_file::{SecretFile, Store};
pub use shares::Share;
pub use spec::{Fingerprint, Spec};
pub use task::{DesiredTask, On};

use crate::name::{ContainerName, HostName, ImageRef, Owner};
use crate::pillar::gate::Hold;
use crate::problem::Place;
use crate::state::SecretRef;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The desired state of one host.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The workspace that manages it.
    pub workspace: Owner,
    /// The host.
    pub host: HostName,
    /// In the order of execution: `order`, then `require`.
    pub items: Vec<Item>,
    /// Notes for the user, without consequence ("the requisite on pip … was ignored").
    pub notes: Vec<String>,
    /// More is declared than these items, so a resource that is not among them is not known to be undeclared.
    pub partial: bool,
}

impl Desired {
    /// Every secret that a container is given.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let containers = self.items.iter().filter_map(|item| item.want.container());
        containers.flat_map(|want| want.spec.texts()).flat_map(|(_, text)| text.secrets())
    }
}

/// One desired resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name in plans.
    pub address: Address,
    /// Its desired state.
    pub want: DesiredState,
    /// Ids of the declarations it was merged from, with their places.
    pub declared: Vec<(String, Place)>,
    /// What must be done before, each an address of this host.
    pub needs: Vec<Address>,
    /// The gate that says from which image it is made, if one does.
    pub gate: Option<Gated>,
    /// How it reacts to others.
    pub requisites: Requisites,
}

/// The gate of a desired resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gated {
    /// Its application.
    pub app: String,
    /// Whether nothing is changed, and why.
    pub hold: Option<Hold>,
}

impl Item {
    /// The service that it is of; a container of its own is its own service.
    pub fn service(&self) -> Option<&ContainerName> {
        match &self.want {
            DesiredState::Container(want) => Some(want.service()),
            DesiredState::Surplus { service, .. } => Some(service),
            _ => None,
        }
    }

    /// Why nothing is changed about it, if that is so.
    pub fn hold(&self) -> Option<(&str, &Hold)> {
        let gate = self.gate.as_ref()?;
        Some((&gate.app, gate.hold.as_ref()?))
    }
}

/// The address of a resource on a host, printed as `container nginx`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The kind of resource.
    pub kind: Kind,
    /// Its name, unique within the kind.
    pub name: String,
}

/// Kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An image reference.
    Image,
    /// A container.
    Container,
    /// A service: its containers beyond the declared ones.
    Service,
    /// A task.
    Task,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// A declaration without a resource on this host.
    State,
    /// The record that a container was adopted.
    Adoption,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Image => "image",
            Kind::Container => "container",
            Kind::Service => "service",
            Kind::Task => "task",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::State => "state",
            Kind::Adoption => "adoption",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// The desired state of a resource.
#[derive(Clone, Debug, PartialEq)]
pub enum DesiredState {
    /// The image is on the host, under its tag.
    ImagePulled {
        /// Which image.
        image: ImageRef,
        /// Ask the registry even if the tag is on the host already.
        force: bool,
    },
    /// The tag is not on the host.
    ImageAbsent {
        /// Which image.
        image: ImageRef,
    },
    /// The container as described.
    Container(Box<DesiredContainer>),
    /// No managed container of this name.
    ContainerAbsent {
        /// Its name.
        name: ContainerName,
        /// Seconds to wait after the stop signal; `None`: what the container says.
        stop_timeout: Option<u32>,
    },
    /// No containers of this service except those with these names.
    Surplus {
        /// The service.
        service: ContainerName,
        /// Names of the containers that it has.
        keep: BTreeSet<ContainerName>,
        /// Seconds to wait after the stop signal; `None`: what the container says.
        stop_timeout: Option<u32>,
    },
    /// The task has run with this image and these options.
    Task(Box<DesiredTask>),
    /// The network as described.
    Network(Box<DesiredResource>),
    /// No managed network of this name.
    NetworkAbsent {
        /// Its name.
        name: String,
    },
    /// The volume as described.
    Volume(Box<DesiredResource>),
    /// No managed volume of this name; its data is lost.
    VolumeAbsent {
        /// Its name.
        name: String,
    },
    /// Nothing: `unless` or `onlyif` leaves the declaration out on this host.
    LeftOut {
        /// Which argument, and its line: `onlyif, states/api.toml:7`.
        why: String,
    },
}

impl DesiredState {
    /// The container that is created for it, if there is one; also that of a task.
    pub fn container(&self) -> Option<&DesiredContainer> {
        match self {
            Self::Container(want) => Some(want),
            Self::Task(task) => Some(&task.container),
            _ => None,
        }
    }
}

/// A desired container.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredContainer {
    /// Its plain name.
    pub name: ContainerName,
    /// Whether it runs.
    pub run: Run,
    /// The image it is created from.
    pub image: ImageRef,
    /// Whether a registry is asked for the image.
    pub pull: PullPolicy,
    /// Its options.
    pub spec: Spec,
    /// Seconds to wait after the stop signal; `None`: what the container says (10).
    pub stop_timeout: Option<u32>,
    /// Without a health check: seconds it must stay up to count as started.
    pub monitor: u32,
    /// With a health check: seconds within which it must become healthy; `None`: what the check needs.
    pub start_timeout: Option<u32>,
    /// Pillar values and lines behind each field, by field name (`image`, `env.LOG`, `memory`).
    pub sources: BTreeMap<String, Vec<Place>>,
    /// Its service, and how it is replaced; `None` for a container of its own,
    /// which is replaced stop-first.
    pub replica: Option<Replica>,
}

impl DesiredContainer {
    /// How many generations are kept beside the running one. None if the policy of a container that always
    /// starts with its host cannot be changed: two generations would run after a reboot.
    pub fn retain(&self, can_update: bool) -> u32 {
        let stays_down = can_update || self.spec.restart_policy()["Name"] != "always";
        self.replica.as_ref().filter(|_| stays_down).map_or(0, |replica| replica.retain)
    }

    /// Of how many versions beside the running one the image stays; whether its Engine can keep containers does
    /// not matter to that.
    pub fn images(&self) -> u32 {
        self.replica.as_ref().map_or(0, |replica| replica.images)
    }

    /// The service that it belongs to; a container of its own is its own service.
    pub fn service(&self) -> &ContainerName {
        self.replica.as_ref().map_or(&self.name, |replica| &replica.service)
    }

    /// The name that it shares with the others of its service in every network.
    pub fn alias(&self) -> &str {
        let alias = self.replica.as_ref().and_then(|replica| replica.alias.as_deref());
        alias.unwrap_or(self.service().as_str())
    }
}

/// How one container of a service is replaced. No part of it is in a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The service.
    pub service: ContainerName,
    /// `alias`: the name by which its containers are found in their networks; the service's if `None`.
    pub alias: Option<String>,
    /// Which of the two containers runs first.
    pub order: Order,
    /// Paths of writable volumes that two containers may have at the same time.
    pub shared: BTreeSet<String>,
    /// Seconds from the moment the new container is in its networks under the service's name to the stop of
    /// the old one, for clients to learn the new address.
    pub drain: u32,
    /// What is done in the old one before it is stopped, so that a load balancer removes it.
    pub before_stop: Option<BeforeStop>,
    /// How many generations are kept beside the one that runs.
    pub retain: u32,
    /// `images.keep`: of how many versions beside the one that runs the image stays on the host, with or without a
    /// container; [`Replica::ALL`] is no limit.
    pub images: u32,
    /// The generation that a rollback asks for; no declaration says this.
    pub back: Option<RollbackTarget>,
}

impl Replica {
    /// Every image stays.
    pub const ALL: u32 = u32::MAX;
}

/// The generation that a rollback starts again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackTarget {
    /// Its number.
    pub generation: u64,
    /// Id of its container, which is started again; `None`: a new one is made from its image.
    pub container: Option<String>,
}

/// Which container runs first when one is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The new one beside the old one, if that is possible.
    StartFirst,
    /// The old one stops first.
    StopFirst,
}

/// What is done in a container before it is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeforeStop {
    /// A command in it, which must end with 0.
    Exec(Vec<String>),
    /// A signal to its first process.
    Signal(String),
}

/// Whether a desired container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It exists; whether it runs is not changed (only `container.installed`).
    Created,
    /// It runs.
    Running,
    /// It exists and does not run.
    Stopped,
}

/// Where an image may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// From its registry, unless this very digest is on the host.
    Missing,
    /// Only from the host; identity is the image's id.
    Never,
}
