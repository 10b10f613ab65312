//! What is to become of each resource: one type for each kind of resource.

use super::absence::Absence;
use super::container::ContainerDecision;
use super::image::ImageDecision;
use super::resource::ResourceDecision;
use super::task::TaskRun;
use crate::desired::{Address, Item};
use crate::observed::Stop;
use crate::pillar::gate::Hold;
use crate::problem::{Problems, Result};

/// One resource, what must be done before it, and what is to become of it.
pub(in crate::planner) struct Decided<'a> {
    pub(in crate::planner) address: Address,
    pub(in crate::planner) needs: Vec<Address>,
    pub(in crate::planner) decision: Decision<'a>,
}

/// What is to become of one resource.
pub(in crate::planner) enum Decision<'a> {
    Container(Box<ContainerDecision<'a>>),
    Absent(Absence<'a>),
    Image(ImageDecision<'a>),
    Task(Box<TaskRun<'a>>),
    Resource(ResourceDecision<'a>),
    /// It would be changed, but none of the resources that it waits for is.
    Waits(&'a Item),
    /// It is left out on this host, for this reason.
    LeftOut(&'a str),
    /// It is held back.
    Held(HeldDecision<'a>),
}

/// A resource that is not changed, whatever is declared.
pub(in crate::planner) struct HeldDecision<'a> {
    pub(in crate::planner) by: HeldBy<'a>,
    /// What would be done otherwise, or why that cannot be said.
    pub(in crate::planner) otherwise: Result<Box<Decision<'a>>>,
}

/// What holds it.
pub(in crate::planner) enum HeldBy<'a> {
    /// The gate of an application.
    Gate { app: &'a str, hold: &'a Hold },
    /// The service was stopped by request.
    Stopped(&'a Stop),
    /// Its image cannot be had, for these reasons.
    Image(Problems),
    /// A resource that it requires waits.
    Needs(Address),
}

impl<'a> Decision<'a> {
    /// Whether the resource is created or recreated.
    pub(in crate::planner) fn makes(&self) -> bool {
        match self {
            Self::Container(container) => container.makes(),
            Self::Resource(resource) => resource.makes(),
            Self::Image(ImageDecision::Pulled { absent, tag, .. }) => *absent || *tag,
            Self::Task(task) => !task.is_known(),
            _ => false,
        }
    }

    /// Whether anything is done about it.
    pub(in crate::planner) fn changes(&self) -> bool {
        match self {
            Self::Container(container) => container.changes(),
            Self::Absent(absence) => !absence.instances.is_empty(),
            Self::Image(ImageDecision::Untagged { .. }) => true,
            Self::Resource(resource) => resource.changes(),
            _ => self.makes(),
        }
    }

    /// Whether the resource is there already, for those of which there is one.
    pub(in crate::planner) fn is_there(&self) -> bool {
        match self {
            Self::Resource(resource) => resource.is_there(),
            Self::Image(ImageDecision::Pulled { absent, .. }) => !absent,
            _ => true,
        }
    }

    /// Whether files of secrets are put into a container for it.
    pub(in crate::planner) fn has_files(&self) -> bool {
        match self {
            Self::Container(container) => container.desired.spec.has_volume(),
            Self::Task(task) => task.is_created() && task.desired.container.spec.has_volume(),
            _ => false,
        }
    }

    pub(in crate::planner) fn container(&self) -> Option<&ContainerDecision<'a>> {
        match self {
            Self::Container(container) => Some(container),
            _ => None,
        }
    }
}
