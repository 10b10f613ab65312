//! The containers of one service, told apart by their names.

use crate::name::ContainerName;
use crate::observed::{Container, InstanceRole};
use crate::planner::context::PlanContext;
use std::collections::BTreeSet;

/// Ours of one service on one host.
#[derive(Clone, Debug)]
pub(in crate::planner) struct Instances<'a> {
    /// It holds the plain name: it is committed.
    pub(in crate::planner) holder: Option<&'a Container>,
    /// Attempts, and kept ones that are returning, the lowest generation first.
    pub(in crate::planner) others: Vec<&'a Container>,
    /// Predecessors that are kept for a rollback, the lowest generation first.
    pub(in crate::planner) kept: Vec<&'a Container>,
}

impl<'a> Instances<'a> {
    /// All of a service.
    pub(in crate::planner) fn of(context: &PlanContext<'a>, service: &str) -> Self {
        Self::among(context.of_service(service).map(|(ours, _)| ours), service)
    }

    /// Those of one container of a service, which has this plain name.
    pub(in crate::planner) fn of_slot(context: &PlanContext<'a>, service: &str, name: &str) -> Self {
        let of_slot = context.of_slot(name).filter(|(_, labels)| labels.service == service);
        Self::among(of_slot.map(|(ours, _)| ours), name)
    }

    /// Those of a service that are none of its containers' any more.
    pub(in crate::planner) fn but(
        context: &PlanContext<'a>,
        service: &str,
        keep: &BTreeSet<ContainerName>,
    ) -> Self {
        let keep: BTreeSet<&str> = keep.iter().map(ContainerName::as_str).collect();
        let of_service = context.of_service(service).map(|(ours, _)| ours);
        Self::among(of_service.filter(|ours| !keep.contains(slot(ours))), service)
    }

    fn among(ours: impl Iterator<Item = &'a Container>, name: &str) -> Self {
        let mut all: Vec<&Container> = ours.collect();
        all.sort_by_key(|container| (generation(container), container.id.clone()));
        let (holder, others) = all.into_iter().partition::<Vec<_>, _>(|container| container.name == name);
        let (kept, others) = others.into_iter().partition(|other| other.role() == InstanceRole::Kept);
        Self { holder: holder.first().copied(), others, kept }
    }

    /// All of them, those that are kept too.
    pub(in crate::planner) fn everything(&self) -> impl Iterator<Item = &'a Container> + '_ {
        self.all().chain(self.kept.iter().copied())
    }

    /// All but those that are kept.
    pub(in crate::planner) fn all(&self) -> impl Iterator<Item = &'a Container> + '_ {
        self.holder.iter().chain(&self.others).copied()
    }

    /// Whether there is none but those that are kept.
    pub(in crate::planner) fn is_empty(&self) -> bool {
        self.holder.is_none() && self.others.is_empty()
    }

    /// The highest generation that there is, 0 if there is none.
    pub(in crate::planner) fn highest(&self) -> u64 {
        self.everything().map(generation).max().unwrap_or(0)
    }
}

/// See [`Container::slot`].
pub(in crate::planner) fn slot(container: &Container) -> &str {
    container.slot()
}

/// See [`Container::generation`].
pub(in crate::planner) fn generation(container: &Container) -> u64 {
    container.generation()
}

/// A process of it runs or is about to; also while it is paused.
pub(in crate::planner) fn runs(container: &Container) -> bool {
    container.state.running || container.state.restarting
}

/// It runs and nothing speaks against it.
pub(in crate::planner) fn works(container: &Container) -> bool {
    use crate::observed::Health;
    container.state.running
        && !container.state.restarting
        && container.state.status != "paused"
        && container.state.health != Some(Health::Unhealthy)
}
