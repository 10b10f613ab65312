//! A declaration: one state of a file, its expressions evaluated.

use super::Arg;
use crate::problem::Place;
use std::collections::{BTreeMap, BTreeSet};

/// One `[ID.FUNCTION.NAME]` of a state file.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The id by which other declarations name it.
    pub id: String,
    /// The desired state.
    pub function: Function,
    /// Its arguments by the key they were written with.
    pub args: BTreeMap<String, Arg>,
    /// The line of its header.
    pub place: Place,
    /// Arguments that could not be evaluated, which was reported: that they are missing is not a second
    /// error.
    pub unread: BTreeSet<String>,
}

/// The functions of declarations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// `image.pulled`.
    ImagePulled,
    /// `image.absent`.
    ImageAbsent,
    /// `container.installed`: it exists.
    ContainerInstalled,
    /// `container.running`.
    ContainerRunning,
    /// `container.stopped`: it exists and does not run.
    ContainerStopped,
    /// `container.absent`.
    ContainerAbsent,
    /// `service.deployed`: pulled, installed, running, and the old ones absent.
    ServiceDeployed,
    /// `task.ran`: a container that runs to its end, once for an image and a spec.
    TaskRan,
    /// `network.present`.
    NetworkPresent,
    /// `network.absent`.
    NetworkAbsent,
    /// `volume.present`.
    VolumePresent,
    /// `volume.absent`: its data is lost.
    VolumeAbsent,
}

impl Function {
    /// Every function by every name it is known by; its own name comes first.
    const NAMES: [(&'static str, Self); 35] = [
        ("image.pulled", Self::ImagePulled),
        ("image.absent", Self::ImageAbsent),
        ("container.installed", Self::ContainerInstalled),
        ("container.running", Self::ContainerRunning),
        ("container.stopped", Self::ContainerStopped),
        ("container.absent", Self::ContainerAbsent),
        ("service.deployed", Self::ServiceDeployed),
        ("task.ran", Self::TaskRan),
        ("docker.pulled", Self::ImagePulled),
        ("docker.installed", Self::ContainerInstalled),
        ("docker.running", Self::ContainerRunning),
        ("docker.stopped", Self::ContainerStopped),
        ("docker.absent", Self::ContainerAbsent),
        ("network.present", Self::NetworkPresent),
        ("network.absent", Self::NetworkAbsent),
        ("volume.present", Self::VolumePresent),
        ("volume.absent", Self::VolumeAbsent),
        ("docker_container.running", Self::ContainerRunning),
        ("docker_container.stopped", Self::ContainerStopped),
        ("docker_container.absent", Self::ContainerAbsent),
        ("docker_image.present", Self::ImagePulled),
        ("docker_image.absent", Self::ImageAbsent),
        ("docker_network.present", Self::NetworkPresent),
        ("docker_network.absent", Self::NetworkAbsent),
        ("docker_volume.present", Self::VolumePresent),
        ("docker_volume.absent", Self::VolumeAbsent),
        ("dockerng.running", Self::ContainerRunning),
        ("dockerng.stopped", Self::ContainerStopped),
        ("dockerng.absent", Self::ContainerAbsent),
        ("dockerng.image_present", Self::ImagePulled),
        ("dockerng.image_absent", Self::ImageAbsent),
        ("dockerng.network_present", Self::NetworkPresent),
        ("dockerng.network_absent", Self::NetworkAbsent),
        ("dockerng.volume_present", Self::VolumePresent),
        ("dockerng.volume_absent", Self::VolumeAbsent),
    ];

    /// Reads `container.running`, or an alias of it; `None` for an unknown word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, function)| *function)
    }

    /// Every name that is understood.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(name, _)| *name)
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
}
