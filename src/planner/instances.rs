//! The containers of one service, told apart by their names.

use super::world::World;
use crate::name::ContainerName;
use crate::observed::{Container, Standing};
use std::collections::BTreeSet;

/// Ours of one service on one host.
#[derive(Clone, Debug)]
pub(super) struct Instances<'a> {
    /// It holds the plain name: it is committed.
    pub(super) holder: Option<&'a Container>,
    /// Attempts, and kept ones that are on their way back, the lowest generation first.
    pub(super) others: Vec<&'a Container>,
    /// Predecessors that are kept for a rollback, the lowest generation first.
    pub(super) kept: Vec<&'a Container>,
}

impl<'a> Instances<'a> {
    /// All of a service.
    pub(super) fn of(world: &World<'a>, service: &str) -> Self {
        Self::among(world, service, service, |_| true)
    }

    /// Those of one container of a service, which has this plain name.
    pub(super) fn of_slot(world: &World<'a>, service: &str, name: &str) -> Self {
        Self::among(world, service, name, |ours| slot(ours) == name)
    }

    /// Those of a service that are none of its containers' any more.
    pub(super) fn but(world: &World<'a>, service: &str, keep: &BTreeSet<ContainerName>) -> Self {
        Self::among(world, service, service, |ours| !keep.iter().any(|name| name.as_str() == slot(ours)))
    }

    fn among(world: &World<'a>, service: &str, name: &str, wanted: impl Fn(&Container) -> bool) -> Self {
        let of_service = world.ours().filter(|(_, labels)| labels.service == service);
        let mut all: Vec<&Container> = of_service.map(|(ours, _)| ours).filter(|ours| wanted(ours)).collect();
        all.sort_by_key(|container| (generation(container), container.id.clone()));
        let (holder, others) = all.into_iter().partition::<Vec<_>, _>(|container| container.name == name);
        let (kept, others) = others.into_iter().partition(|other| other.standing() == Standing::Kept);
        Self { holder: holder.first().copied(), others, kept }
    }

    /// All of them, those that are kept too.
    pub(super) fn everything(&self) -> impl Iterator<Item = &'a Container> + '_ {
        self.all().chain(self.kept.iter().copied())
    }

    /// All but those that are kept.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Container> + '_ {
        self.holder.iter().chain(&self.others).copied()
    }

    /// Whether there is none but those that are kept.
    pub(super) fn is_empty(&self) -> bool {
        self.holder.is_none() && self.others.is_empty()
    }

    /// The highest generation that there is, 0 if there is none.
    pub(super) fn highest(&self) -> u64 {
        self.everything().map(generation).max().unwrap_or(0)
    }
}

/// See [`Container::slot`].
pub(super) fn slot(container: &Container) -> &str {
    container.slot()
}

/// See [`Container::generation`].
pub(super) fn generation(container: &Container) -> u64 {
    container.generation()
}

/// A process of it runs or is about to; also while it is paused.
pub(super) fn runs(container: &Container) -> bool {
    container.state.running || container.state.restarting
}

/// It runs and nothing speaks against it.
pub(super) fn works(container: &Container) -> bool {
    use crate::observed::Health;
    container.state.running
        && !container.state.restarting
        && container.state.status != "paused"
        && container.state.health != Some(Health::Unhealthy)
}
