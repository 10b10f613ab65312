//! What a container does because of what it watches.
//!
//! Whether a reaction is owed is seen from the host, so that an apply that was cut off owes it to the
//! next one: a container that is older than what it watches is replaced, and one that has run since
//! before that was made is started again. So it is too where this plan makes what is watched. A signal
//! leaves nothing on the container that says it was sent: it is sent by the plan that makes the thing, once.
//! Times are the Engine's own, all of one host.

use super::Decision;
use super::context::PlanContext;
use super::course::Choice;
use crate::desired::{Address, Item, Kind, Reaction, Watch};
use crate::observed::Container;
use crate::plan::Cause;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// One `watch` as this plan sees it.
#[derive(Clone)]
pub(super) struct Owed<'a> {
    watch: &'a Watch,
    /// This plan makes one of its things, for the first time or anew.
    moved: bool,
    /// When the latest of its things was made.
    newest: Option<Timestamp>,
}

/// What a plan does so far.
#[derive(Default)]
pub(super) struct Doings {
    /// Things that it makes, for the first time or anew.
    made: BTreeSet<Address>,
    /// Things to which it does anything.
    changed: BTreeSet<Address>,
}

impl Doings {
    /// Takes note of a decision.
    pub(super) fn note(&mut self, address: &Address, decision: &Decision<'_>) {
        if makes(decision) {
            self.made.insert(address.clone());
        }
        if changes(decision) {
            self.changed.insert(address.clone());
        }
    }

    /// What an item watches.
    pub(super) fn owed<'a>(&self, context: &PlanContext<'a>, item: &'a Item) -> Vec<Owed<'a>> {
        let watches = item.requisites.watch.iter();
        watches
            .map(|watch| Owed {
                watch,
                moved: watch.things.iter().any(|thing| self.made.contains(thing)),
                newest: newest(context, &watch.things),
            })
            .collect()
    }

    /// Whether an item has to wait: it says `onchanges`, and none of those things changes, or was made
    /// after it. What is not there yet is made, and what was begun is ended.
    pub(super) fn lets_wait(&self, context: &PlanContext<'_>, item: &Item, decision: &Decision<'_>) -> bool {
        let named = &item.requisites.onchanges;
        if named.is_empty() || !changes(decision) || named.iter().any(|thing| self.changed.contains(thing)) {
            return false;
        }
        match decision {
            Decision::Container(course) => {
                let holder = course.instances.holder.filter(|_| course.instances.others.is_empty());
                holder.is_some_and(|holder| {
                    !matches!((newest(context, named), created(holder)), (Some(newest), Some(made)) if made < newest)
                })
            }
            Decision::Resource(course) => course.is_there(),
            Decision::Pulled { absent, .. } => !absent,
            _ => true,
        }
    }
}

impl Owed<'_> {
    /// Whether it is owed by what is as it is since then.
    fn by(&self, since: Option<Timestamp>) -> bool {
        self.moved || matches!((self.newest, since), (Some(newest), Some(since)) if since < newest)
    }

    /// Whether a container has to be replaced.
    pub(super) fn replaces(&self, container: &Container) -> bool {
        self.watch.reaction == Reaction::Replace && self.by(created(container))
    }

    /// What a container that runs and stays has to do.
    pub(super) fn asks(&self, container: &Container) -> Option<&Reaction> {
        let asks = match self.watch.reaction {
            Reaction::Replace => false,
            Reaction::Restart => self.by(moment(&container.state.started_at)),
            Reaction::Signal(_) => self.moved,
        };
        asks.then_some(&self.watch.reaction)
    }

    /// For people.
    pub(super) fn cause(&self) -> Cause {
        let things = &self.watch.things;
        let services = things.iter().filter(|thing| thing.kind == Kind::Service);
        let shown: Vec<String> = services.map(ToString::to_string).collect();
        let all = || things.iter().map(ToString::to_string).collect();
        let things: Vec<String> = if shown.is_empty() { all() } else { shown };
        let does = match &self.watch.reaction {
            Reaction::Replace => "is replaced".to_owned(),
            Reaction::Restart => "is restarted".to_owned(),
            Reaction::Signal(signal) => format!("gets {signal}"),
        };
        Cause::Watched { things: things.join(", "), does, at: self.watch.place.clone() }
    }
}

fn makes(decision: &Decision<'_>) -> bool {
    match decision {
        Decision::Container(course) => match &course.choice {
            Choice::New { .. } => true,
            Choice::Existing(chosen) => chosen.name != course.wish.name.as_str(),
        },
        Decision::Resource(course) => course.makes(),
        Decision::Pulled { absent, tag, .. } => *absent || *tag,
        Decision::Task(task) => !task.is_known(),
        _ => false,
    }
}

fn changes(decision: &Decision<'_>) -> bool {
    match decision {
        Decision::Container(course) => !super::causes::of(course).is_empty(),
        Decision::Absent { instances, .. } => !instances.is_empty(),
        Decision::Untagged { there, .. } => *there,
        Decision::Resource(course) => course.changes(),
        _ => makes(decision),
    }
}

/// When the latest of some things was made, as far as that can be seen.
fn newest(context: &PlanContext<'_>, things: &[Address]) -> Option<Timestamp> {
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
fn created(container: &Container) -> Option<Timestamp> {
    moment(&container.state.created_at)
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
