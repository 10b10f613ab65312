//! Containers that are made with another one: its network, its volumes, a link to it. They belong to one
//! container and end with it, so who has them is replaced after it.

use super::context::PlanContext;
use super::course::Choice;
use super::decision::{Decided, Decision};
use super::instances::runs;
use crate::desired::{Reaction, Share, Spec};
use crate::observed::{Container, Label};
use crate::plan::Cause;

/// A container that another is made with, as it will be when the other's turn comes.
#[derive(Clone, Debug)]
pub(super) struct Shared<'a> {
    share: Share,
    /// Its instance, `db.g3`; `None` where it is not there.
    instance: Option<String>,
    /// When it was started, as the Engine prints it; `None` where the plan starts it.
    started: Option<&'a str>,
}

/// All that a spec is made with; what is decided already comes before it.
pub(super) fn of<'a>(context: &PlanContext<'a>, spec: &Spec, decided: &Decided<'a>) -> Vec<Shared<'a>> {
    let shares = spec.shares().into_iter().filter(|share| !share.is_by_name());
    shares.map(|share| shared(context, share, decided)).collect()
}

fn shared<'a>(context: &PlanContext<'a>, share: Share, decided: &Decided<'a>) -> Shared<'a> {
    let existing = |container: &'a Container, starts: bool| {
        let instance = container.ours.as_ref().map(|ours| ours.instance.clone());
        let started = (!starts).then_some(container.state.started_at.as_str());
        (instance, started)
    };
    let (instance, started) = match decided.container(&share.name) {
        Some(Decision::Container(course)) => match &course.choice {
            Choice::New { generation, .. } => (Some(format!("{}.g{generation}", share.name)), None),
            Choice::Existing(chosen) => {
                let again = course.reactions.contains(&Reaction::Restart);
                existing(chosen, course.runs && (again || !runs(chosen)))
            }
        },
        // Held: it stays what it is.
        _ => context.named(&share.name).map_or((None, None), |container| existing(container, false)),
    };
    Shared { share, instance, started }
}

/// Why a container cannot stay as it is, of all that it is made with.
pub(super) fn moved(shared: &[Shared<'_>], container: &Container) -> Option<Cause> {
    let label = container.inspect.compare(&format!("/Config/Labels/{}", Label::SHARES));
    let label = label.and_then(|label| label.as_str());
    shared.iter().find_map(|shared| {
        let Shared { share, instance, .. } = shared;
        let cause = |again| Cause::Shares { what: share.what(), with: share.name.clone(), again };
        let made_with = label.map(|label| {
            let mut pairs = label.split(',').filter_map(|pair| pair.split_once('='));
            pairs.any(|(option, with)| option == share.option && Some(with) == instance.as_deref())
        });
        match made_with {
            Some(false) => Some(cause(false)),
            // What it was made with is not known: taken as it is.
            None if instance.is_none() => None,
            _ => ended(shared, container).then(|| cause(true)),
        }
    })
}

/// A namespace ends when its container stops; who is in it goes on in what is left of it.
fn ended(shared: &Shared<'_>, container: &Container) -> bool {
    if !shared.share.is_namespace() || !runs(container) {
        return false;
    }
    let at = |text: &str| text.parse::<jiff::Timestamp>().ok();
    match shared.started {
        None => true,
        Some(started) => match (at(started), at(&container.state.started_at)) {
            (Some(other), Some(own)) => own < other,
            _ => false,
        },
    }
}

/// Whether a container in one of the namespaces ends when the plan stops who has it: that of processes takes
/// everybody in it along.
pub(super) fn may_end(shared: &[Shared<'_>]) -> bool {
    shared.iter().any(|shared| shared.share.is_namespace() && shared.started.is_none())
}

/// What the label says of it; `None` where there is nothing.
pub(super) fn label(shared: &[Shared<'_>]) -> Option<String> {
    let pairs = shared
        .iter()
        .filter_map(|shared| Some(format!("{}={}", shared.share.option, shared.instance.as_ref()?)));
    let text = pairs.collect::<Vec<_>>().join(",");
    (!text.is_empty()).then_some(text)
}
