//! What a plan says of a container, and of what an earlier apply left of it.

use super::{causes, change};
use crate::desired::{Address, DesiredContainer};
use crate::observed::Container;
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::ContainerChange;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::source::Source;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The changes of one decision: the service itself, then what an earlier apply left of it.
pub(super) fn changes(address: &Address, container: &ContainerDecision<'_>) -> Vec<Change> {
    let causes = causes::of(container);
    let before = container.instances.holder.map(change::before);
    let verb = verb(container);
    let mut all = Vec::new();
    let drift = || (!container.drift.is_empty()).then(|| Cause::Drift(container.drift.clone()));
    all.push(match verb {
        Verb::Unchanged => Change {
            address: address.to_string(),
            actions: vec![verb],
            cause: Vec::from_iter(drift().or(Some(Cause::AsWanted))),
            before: None,
            after: None,
        },
        _ => Change {
            address: address.to_string(),
            actions: vec![verb],
            cause: causes.into_iter().chain(drift()).collect(),
            before,
            after: Some(after(
                container.desired,
                &container.source,
                container.choice.generation(),
                container.runs,
            )),
        },
    });
    let left = container.instances.others.iter().filter(|other| !container.choice.is(other));
    all.extend(left.map(|other| match container.stays(other) {
        true => laid_down(other),
        false => change::removed(&other.name, other, Cause::Interrupted),
    }));
    let beyond = Cause::Retained { retain: container.retain() };
    all.extend(
        container.surplus.containers.iter().map(|ours| change::removed(&ours.name, ours, beyond.clone())),
    );
    all.extend(container.surplus.tags.iter().map(|name| change::tag_removed(name, beyond.clone())));
    all
}

fn verb(container: &ContainerDecision<'_>) -> Verb {
    use ContainerChange as Is;
    match ContainerChange::of(container) {
        Is::Stays => Verb::Unchanged,
        Is::Create => Verb::Create,
        Is::Replace if container.start_first => Verb::ReplaceStartFirst,
        Is::Replace => Verb::ReplaceStopFirst,
        Is::TakeName | Is::Start | Is::Stop | Is::Restart | Is::Update => Verb::Update,
    }
}

/// A kept container that came back in vain, or was cut off on its way.
fn laid_down(container: &Container) -> Change {
    let after = BTreeMap::from([("running".to_owned(), json!(false))]);
    Change {
        actions: vec![Verb::Update],
        after: Some(after),
        ..change::removed(&container.name, container, Cause::Interrupted)
    }
}

/// How it will be, as declared; a secret is `(sealed 9f2c)`.
fn after(
    desired: &DesiredContainer,
    source: &Source,
    generation: u64,
    runs: bool,
) -> BTreeMap<String, Value> {
    let mut fields = change::declared(desired, source);
    fields.insert("generation".to_owned(), json!(generation));
    fields.insert("running".to_owned(), json!(runs));
    fields
}
