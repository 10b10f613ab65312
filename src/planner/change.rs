//! What a plan tells people and programs of one thing: verbs, causes, before and after.

use super::causes::{self, status};
use super::course::{Choice, Course};
use super::images::Source;
use super::instances::{generation, runs};
use super::kept;
use super::task::Errands;
use crate::desired::secret_file::FOLDER;
use crate::desired::{Address, ContainerWish, Kind, Reaction};
use crate::observed::Container;
use crate::plan::{Cause, Change, Receiver, Verb};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The changes of one course: the service itself, then what an earlier apply left of it.
pub(super) fn of(address: &Address, course: &Course<'_>) -> Vec<Change> {
    let causes = causes::of(course);
    let before = course.instances.holder.map(before);
    let verb = verb(course, &causes);
    let mut all = Vec::new();
    let drift = || (!course.drift.is_empty()).then(|| Cause::Drift(course.drift.clone()));
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
            after: Some(after(course.wish, &course.source, generation_then(course), course.runs)),
        },
    });
    let left = course.instances.others.iter().filter(|other| !course.choice.is(other));
    all.extend(left.map(|other| match kept::stays(course, other) {
        true => laid_down(other),
        false => removed(&other.name, other, Cause::Interrupted),
    }));
    let beyond = Cause::Retained { retain: course.retain() };
    all.extend(course.surplus.containers.iter().map(|ours| removed(&ours.name, ours, beyond.clone())));
    all.extend(course.surplus.tags.iter().map(|name| tag_removed(name, beyond.clone())));
    all
}

fn verb(course: &Course<'_>, causes: &[Cause]) -> Verb {
    match &course.choice {
        Choice::New { .. } if course.instances.is_empty() => Verb::Create,
        Choice::New { .. } => replaces(course),
        Choice::Existing(chosen) if chosen.name != course.wish.name.as_str() => replaces(course),
        Choice::Existing(_) if causes.iter().all(|cause| *cause == Cause::Interrupted) => Verb::Unchanged,
        Choice::Existing(_) => Verb::Update,
    }
}

fn replaces(course: &Course<'_>) -> Verb {
    match course.is_start_first() {
        // It works already; what is left is its name.
        true if course.retire.is_empty() && matches!(course.choice, Choice::Existing(_)) => Verb::Update,
        true => Verb::ReplaceStartFirst,
        false => Verb::ReplaceStopFirst,
    }
}

fn generation_then(course: &Course<'_>) -> u64 {
    match &course.choice {
        Choice::New { generation, .. } => *generation,
        Choice::Existing(chosen) => generation(chosen),
    }
}

/// A kept container that came back in vain, or was cut off on its way.
fn laid_down(container: &Container) -> Change {
    let after = BTreeMap::from([("running".to_owned(), json!(false))]);
    Change {
        actions: vec![Verb::Update],
        after: Some(after),
        ..removed(&container.name, container, Cause::Interrupted)
    }
}

/// A tag that goes and kept an image.
pub(super) fn tag_removed(name: &str, cause: Cause) -> Change {
    plain(&Address { kind: Kind::Image, name: name.to_owned() }, Verb::Remove, cause)
}

/// A container that goes.
pub(super) fn removed(name: &str, container: &Container, cause: Cause) -> Change {
    Change {
        address: Address { kind: Kind::Container, name: name.to_owned() }.to_string(),
        actions: vec![Verb::Remove],
        cause: vec![cause],
        before: Some(before(container)),
        after: None,
    }
}

/// How a container is: by its labels, nothing else that an Engine says.
fn before(container: &Container) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::from([("status".to_owned(), json!(status(container)))]);
    if let Some(labels) = &container.ours {
        fields.insert("image".to_owned(), json!(labels.image));
        fields.insert("version".to_owned(), json!(labels.version));
        fields.insert("generation".to_owned(), json!(labels.generation));
        fields.insert("running".to_owned(), json!(runs(container)));
    }
    fields
}

/// How it will be, as declared; a secret is `(sealed 9f2c)`.
fn after(wish: &ContainerWish, source: &Source, generation: u64, runs: bool) -> BTreeMap<String, Value> {
    let mut fields = declared(wish, source);
    fields.insert("generation".to_owned(), json!(generation));
    fields.insert("running".to_owned(), json!(runs));
    fields
}

fn declared(wish: &ContainerWish, source: &Source) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    fields.extend(
        wish.spec.fixed.iter().chain(&wish.spec.live).map(|(name, value)| (name.clone(), value.clone())),
    );
    fields.extend(wish.spec.env.iter().map(|(name, text)| (format!("env.{name}"), json!(text.to_string()))));
    fields.extend(
        wish.spec
            .files
            .iter()
            .map(|(name, file)| (format!("secrets.{name}"), file.shown(json!(file.value.to_string())))),
    );
    fields.insert("image".to_owned(), json!(source.label));
    fields.insert("version".to_owned(), json!(source.version));
    fields
}

/// Who gets to see which secret of a container that is created.
pub(super) fn receivers(wish: &ContainerWish) -> Vec<Receiver> {
    let env = wish.spec.env.iter().map(|(name, text)| (format!("env {name}"), text));
    let files = wish.spec.files.iter().map(|(name, file)| (format!("file {FOLDER}/{name}"), &file.value));
    env.chain(files)
        .flat_map(|(field, text)| text.secrets().map(move |secret| (field.clone(), secret)))
        .map(|(field, secret)| Receiver {
            secret: secret.origin.key.to_string(),
            container: wish.name.to_string(),
            field,
        })
        .collect()
}

/// A task: made where it runs, changed where it is only remembered.
pub(super) fn task(address: &Address, task: &Errands<'_>, causes: Vec<Cause>, steps: bool) -> Change {
    let verb = match (task.is_created() || task.is_begun(), steps) {
        (true, _) => Verb::Create,
        (false, true) => Verb::Update,
        (false, false) => Verb::Unchanged,
    };
    let after = task.is_created().then(|| {
        let mut fields = declared(&task.wish.container, &task.source);
        fields.insert("timeout".to_owned(), json!(task.wish.timeout));
        fields
    });
    Change { address: address.to_string(), actions: vec![verb], cause: causes, before: None, after }
}

/// What becomes of an image that is wanted: whether it is not on the host, and whether its tag is
/// elsewhere.
pub(super) fn pulled(absent: bool, tag: bool) -> (Verb, Cause) {
    match (absent, tag) {
        (true, _) => (Verb::Create, Cause::ImageNeeded),
        (false, true) => (Verb::Update, Cause::TagElsewhere),
        (false, false) => (Verb::Unchanged, Cause::AsWanted),
    }
}

/// A change without fields.
pub(super) fn plain(address: &Address, verb: Verb, cause: Cause) -> Change {
    Change {
        address: address.to_string(),
        actions: vec![verb],
        cause: vec![cause],
        before: None,
        after: None,
    }
}

/// The word for the group of its steps.
pub(super) fn word(course: &Course<'_>) -> &'static str {
    match &course.choice {
        Choice::New { .. } if course.instances.is_empty() => "create",
        Choice::New { .. } => "replace",
        Choice::Existing(chosen) if chosen.name != course.wish.name.as_str() => "replace",
        Choice::Existing(chosen) if course.runs && !runs(chosen) => "start",
        Choice::Existing(chosen) if !course.runs && runs(chosen) => "stop",
        Choice::Existing(_) if course.reactions == [Reaction::Restart] => "restart",
        Choice::Existing(_) => "update",
    }
}
