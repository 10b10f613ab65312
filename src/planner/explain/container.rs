//! What a plan says of a container, and of what an earlier apply left of it.

use super::{causes, change, files};
use crate::desired::Address;
use crate::desired::container_file::{FILES, field_of};
use crate::observed::{Container, InstanceRole};
use crate::plan::{Cause, Change, Verb};
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::decide::networks::observed;
use crate::planner::decide::{ContainerChange, live};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The changes of one decision: the service itself, then what an earlier apply left of it.
pub(super) fn changes(address: &Address, container: &ContainerDecision<'_>) -> Vec<Change> {
    let causes = causes::of(container);
    let before = container.instances.holder.map(|holder| with_env(change::before(holder), container, holder));
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
            files: Vec::new(),
        },
        _ => Change {
            address: address.to_string(),
            actions: vec![verb],
            cause: causes.into_iter().chain(drift()).collect(),
            before,
            after: Some(after(container, verb)),
            files: files::changes(container),
        },
    });
    let left = container.instances.others.iter().filter(|other| !container.choice.is(other));
    all.extend(left.map(|other| match container.stays(other) {
        true => laid_down(other),
        false => change::removed(&other.name, other, Cause::Interrupted),
    }));
    all.extend(container.aside.awake.iter().map(|kept| awake(container, kept)));
    // One that runs is said once; what is kept from now on is part of its replacement.
    let idle = container.aside.leaves.iter().filter(|one| one.role() == InstanceRole::Kept && !runs(one));
    all.extend(idle.map(|kept| Change { after: None, ..updated(kept, Cause::Startable) }));
    let beyond = Cause::Retained { retain: container.retain() };
    all.extend(
        container.surplus.containers.iter().map(|ours| change::removed(&ours.name, ours, beyond.clone())),
    );
    let keep = container.desired.images();
    let beyond = if keep > container.retain() { Cause::ImagesKept { keep } } else { beyond };
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
    updated(container, Cause::Interrupted)
}

/// A kept container that runs.
fn awake(decision: &ContainerDecision<'_>, kept: &Container) -> Change {
    updated(kept, causes::awake(decision, kept))
}

/// One that does not run in the end.
fn updated(container: &Container, cause: Cause) -> Change {
    let after = BTreeMap::from([("running".to_owned(), json!(false))]);
    Change {
        actions: vec![Verb::Update],
        after: Some(after),
        ..change::removed(&container.name, container, cause)
    }
}

/// The fields in which a container differs from what is desired.
struct Changed(BTreeSet<String>);

impl Changed {
    /// Whether a field is one of them, or has a part that is.
    fn has(&self, field: &str) -> bool {
        let part = |changed: &String| changed.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
        if field.starts_with(FILES) {
            return self.0.contains(field);
        }
        self.0.contains(field) || self.0.contains(&format!("limits.{field}")) || self.0.iter().any(part)
    }
}

/// What changes of a container; `None` where its labels do not say from what it was made.
fn changed(container: &ContainerDecision<'_>, holder: &Container) -> Option<Changed> {
    let (labels, spec) = (holder.ours.as_ref()?, &container.desired.spec);
    let declared = files::declared(container, labels, |_| None).into_iter().map(|(field, _)| field);
    let rewritten = container.rewriting.paths.iter().map(|path| field_of(path));
    let wanted = spec.networks();
    let left = observed(holder).into_keys().filter(|name| !wanted.is_empty() && !wanted.contains_key(name));
    let networks = container.networks.iter().cloned().chain(left).map(|name| format!("networks.{name}"));
    let live = live(container.desired, holder).into_iter();
    let all = declared.chain(rewritten).chain(live).chain(networks).chain(spec.drift(&holder.inspect));
    Some(Changed(all.collect()))
}

/// How it was: also the variables that change and were declared in clear. What is sealed now was perhaps the
/// same secret, and is not shown.
fn with_env(
    mut before: BTreeMap<String, Value>,
    container: &ContainerDecision<'_>,
    holder: &Container,
) -> BTreeMap<String, Value> {
    let Some(changed) = changed(container, holder) else { return before };
    let env = &container.desired.spec.env;
    let sealed = |field: &str| {
        let now = field.strip_prefix("env.").and_then(|name| env.get(name));
        now.is_some_and(|text| text.as_clear().is_none())
    };
    let clear = holder.clear_env().into_iter();
    let clear = clear.filter(|(field, _)| changed.has(field) && !sealed(field));
    before.extend(clear.map(|(field, value)| (field, json!(value))));
    before
}

/// How it will be, as declared; a secret is `(sealed 9f2c)`. Of what exists only what changes.
fn after(container: &ContainerDecision<'_>, verb: Verb) -> BTreeMap<String, Value> {
    let spec = &container.desired.spec;
    let mut fields = change::declared(container.desired, &container.source);
    if let Some(changed) = container.instances.holder.and_then(|holder| changed(container, holder)) {
        fields.retain(|field, _| ["image", "version"].contains(&field.as_str()) || changed.has(field));
    }
    fields.insert("generation".to_owned(), json!(container.choice.generation()));
    fields.insert("running".to_owned(), json!(container.runs));
    let publishes = spec.publishes();
    if !publishes.is_empty()
        && matches!(verb, Verb::Create | Verb::ReplaceStartFirst | Verb::ReplaceStopFirst)
    {
        fields.insert(change::PUBLISHES.to_owned(), json!(publishes));
    }
    fields
}
