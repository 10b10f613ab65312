//! The containers of one service, told apart by their names.

use super::world::World;
use crate::observed::Container;

/// Ours of one service on one host.
#[derive(Clone, Debug)]
pub(super) struct Instances<'a> {
    /// It holds the plain name: it is committed.
    pub(super) holder: Option<&'a Container>,
    /// Attempts and parked predecessors, the lowest generation first.
    pub(super) others: Vec<&'a Container>,
}

impl<'a> Instances<'a> {
    /// Those of a service.
    pub(super) fn of(world: &World<'a>, service: &str) -> Self {
        let mut all: Vec<&Container> =
            world.ours().filter(|(_, labels)| labels.service == service).map(|(ours, _)| ours).collect();
        all.sort_by_key(|container| (generation(container), container.id.clone()));
        let (holder, others) = all.into_iter().partition::<Vec<_>, _>(|container| container.name == service);
        Self { holder: holder.first().copied(), others }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Container> + '_ {
        self.holder.iter().chain(&self.others).copied()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.holder.is_none() && self.others.is_empty()
    }

    /// The highest generation that there is, 0 if there is none.
    pub(super) fn highest(&self) -> u64 {
        self.all().map(generation).max().unwrap_or(0)
    }
}

/// The generation on its label.
pub(super) fn generation(container: &Container) -> u64 {
    container.ours.as_ref().map_or(0, |ours| ours.generation)
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
