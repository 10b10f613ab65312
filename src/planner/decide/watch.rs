//! What a container does because of what it watches.
//!
//! Whether a reaction is pending is seen from the host, so that what an apply that was cut off did not do is
//! done by the next one: a container that is older than what it watches is replaced, and one that has run since
//! before that was made is started again. So it is too where this plan makes what is watched. A signal
//! leaves nothing on the container that says it was sent: it is sent by the plan that makes the thing, once.
//! Times are the Engine's own, all of one host.

use crate::desired::{Address, Kind, Reaction, Watch};
use crate::observed::Container;
use crate::planner::context::PlanContext;
use jiff::Timestamp;

/// One `watch` as this plan sees it.
#[derive(Clone)]
pub(in crate::planner) struct PendingReaction<'a> {
    pub(in crate::planner) watch: &'a Watch,
    /// This plan makes one of its things, for the first time or anew.
    moved: bool,
    /// When the latest of its things was made.
    newest: Option<Timestamp>,
}

impl<'a> PendingReaction<'a> {
    /// Of a watch; `made` says which things this plan makes.
    pub(in crate::planner) fn of(
        context: &PlanContext<'a>,
        watch: &'a Watch,
        made: impl Fn(&Address) -> bool,
    ) -> Self {
        Self { watch, moved: watch.things.iter().any(made), newest: newest(context, &watch.things) }
    }

    /// Whether it is pending by what is as it is since then.
    fn by(&self, since: Option<Timestamp>) -> bool {
        self.moved || matches!((self.newest, since), (Some(newest), Some(since)) if since < newest)
    }

    /// Whether a container has to be replaced.
    pub(in crate::planner) fn replaces(&self, container: &Container) -> bool {
        self.watch.reaction == Reaction::Replace && self.by(created(container))
    }

    /// What a container that runs and stays has to do.
    pub(in crate::planner) fn asks(&self, container: &Container) -> Option<&Reaction> {
        let asks = match self.watch.reaction {
            Reaction::Replace => false,
            Reaction::Restart => self.by(moment(&container.state.started_at)),
            Reaction::Signal(_) => self.moved,
        };
        asks.then_some(&self.watch.reaction)
    }
}

/// When the latest of some things was made, as far as that can be seen.
pub(in crate::planner) fn newest(context: &PlanContext<'_>, things: &[Address]) -> Option<Timestamp> {
    things.iter().filter_map(|thing| made_at(context, thing)).max()
}

fn made_at(context: &PlanContext<'_>, thing: &Address) -> Option<Timestamp> {
    match thing.kind {
        Kind::Container => {
            let holder =
                context.named(&thing.name).filter(|holder| holder.ours.is_some() && !holder.impostor);
            created(holder?)
        }
        Kind::Network => moment(&context.any_network(&thing.name)?.created_at),
        Kind::Volume => {
            let found = context.volume(&thing.name)?;
            Timestamp::from_second(found.created_at).ok()
        }
        // What remembers that a task ran is made again where it was pruned: that is not when it ran.
        Kind::Image | Kind::Service | Kind::State | Kind::Task | Kind::Adoption => None,
    }
}

/// When a container was created.
pub(in crate::planner) fn created(container: &Container) -> Option<Timestamp> {
    moment(&container.state.created_at)
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
