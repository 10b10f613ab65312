//! Containers that are made with another one: its network, its volumes, a link to it. They belong to one
//! container and end with it, so a container that has them is replaced after it.

use super::instances::runs;
use crate::desired::Share;
use crate::name::ContainerName;
use crate::observed::{Container, Label, instance};
use crate::planner::context::PlanContext;

/// A container that another is made with, as it will be when the other's turn comes.
#[derive(Clone, Debug)]
pub(in crate::planner) struct Owner<'a> {
    /// Its instance, `db.g3`; `None` where it is not there.
    instance: Option<String>,
    /// When it was started, as the Engine prints it; `None` where the plan starts it.
    started: Option<&'a str>,
}

/// What a container has of another one.
#[derive(Clone, Debug)]
pub(in crate::planner) struct Shared<'a> {
    share: Share,
    owner: Owner<'a>,
}

/// Why a container cannot stay as it is: one that it is made with is another one, or was started again.
#[derive(Clone, Debug)]
pub(in crate::planner) struct Moved {
    /// What it has of the other.
    pub(in crate::planner) what: &'static str,
    /// The other's name.
    pub(in crate::planner) with: String,
    /// The same container, started again.
    pub(in crate::planner) again: bool,
}

impl<'a> Owner<'a> {
    /// One that the plan creates.
    pub(in crate::planner) fn new(name: &ContainerName, generation: u64) -> Self {
        Self { instance: Some(instance(name.as_str(), generation)), started: None }
    }

    /// One that is there, and that the plan starts or leaves as it is.
    pub(in crate::planner) fn existing(container: &'a Container, starts: bool) -> Self {
        let instance = container.ours.as_ref().map(|ours| ours.instance.clone());
        Self { instance, started: (!starts).then_some(container.state.started_at.as_str()) }
    }
}

impl<'a> Shared<'a> {
    /// What is shared with a container that was decided on, or else stays what it is.
    pub(in crate::planner) fn of(
        context: &PlanContext<'a>,
        share: Share,
        decided: Option<&Owner<'a>>,
    ) -> Self {
        let as_it_is = || match context.named(&share.name) {
            Some(container) => Owner::existing(container, false),
            None => Owner { instance: None, started: None },
        };
        let owner = decided.cloned().unwrap_or_else(as_it_is);
        Self { share, owner }
    }
}

/// Why a container cannot stay as it is, of all that it is made with.
pub(in crate::planner) fn moved(shared: &[Shared<'_>], container: &Container) -> Option<Moved> {
    let label = container.inspect.compare(&format!("/Config/Labels/{}", Label::SHARES));
    let label = label.and_then(|label| label.as_str());
    shared.iter().find_map(|shared| {
        let Shared { share, owner: Owner { instance, .. } } = shared;
        let moved = |again| Moved { what: share.what(), with: share.name.clone(), again };
        let made_with = label.map(|label| {
            let mut pairs = label.split(',').filter_map(|pair| pair.split_once('='));
            pairs.any(|(option, with)| option == share.option && Some(with) == instance.as_deref())
        });
        match made_with {
            Some(false) => Some(moved(false)),
            // What it was made with is not known: taken as it is.
            None if instance.is_none() => None,
            _ => ended(shared, container).then(|| moved(true)),
        }
    })
}

/// A namespace ends when its container stops; who is in it goes on in what is left of it.
fn ended(shared: &Shared<'_>, container: &Container) -> bool {
    if !shared.share.is_namespace() || !runs(container) {
        return false;
    }
    let at = |text: &str| text.parse::<jiff::Timestamp>().ok();
    match shared.owner.started {
        None => true,
        Some(started) => match (at(started), at(&container.state.started_at)) {
            (Some(other), Some(own)) => own < other,
            _ => false,
        },
    }
}

/// Whether a container in one of the namespaces ends when the plan stops who has it: that of processes takes
/// everybody in it along.
pub(in crate::planner) fn may_end(shared: &[Shared<'_>]) -> bool {
    shared.iter().any(|shared| shared.share.is_namespace() && shared.owner.started.is_none())
}

/// What the label says of it; `None` where there is nothing.
pub(in crate::planner) fn label(shared: &[Shared<'_>]) -> Option<String> {
    let pairs = shared
        .iter()
        .filter_map(|shared| Some(format!("{}={}", shared.share.option, shared.owner.instance.as_ref()?)));
    let text = pairs.collect::<Vec<_>>().join(",");
    (!text.is_empty()).then_some(text)
}
