//! Files that change: what differs in them, as far as it may be seen.

use crate::desired::container_file::field_of;
use crate::desired::{ContainerFile, Reaction};
use crate::observed::{Ownership, SeenFile};
use crate::plan::{Cause, FileChange, Receiver};
use crate::planner::decide::container::ContainerDecision;
use crate::problem::Place;
use std::collections::BTreeSet;

/// The fields that are declared otherwise than when the container was made that holds the plain name; without files
/// that were rewritten in it since.
pub(super) fn declared(
    container: &ContainerDecision<'_>,
    labels: &Ownership,
    place: impl Fn(&str) -> Option<Place>,
) -> Vec<(String, Option<Place>)> {
    let mut changed = container.desired.spec.changed_since(&labels.spec, &labels.fields, place);
    let seen = container.seen.into_iter().flatten().filter(|(_, seen)| **seen == SeenFile::Same);
    let same: BTreeSet<String> = seen.map(|(path, _)| field_of(path)).collect();
    changed.retain(|(field, _)| !same.contains(field));
    changed
}

/// What is done about files of a container that stays.
pub(super) fn in_place(container: &ContainerDecision<'_>) -> Vec<Cause> {
    let rewriting = &container.rewriting;
    let mut causes = Vec::new();
    let does: Vec<String> = container.reactions.iter().map(does).collect();
    if !rewriting.paths.is_empty() {
        let does = if does.is_empty() { String::new() } else { format!("; it {}", does.join(", ")) };
        causes.push(Cause::Other(format!("rewritten in place{does}")));
    }
    if !rewriting.unsignalled.is_empty() {
        let paths: Vec<&str> = rewriting.unsignalled.iter().map(String::as_str).collect();
        let what =
            format!("{} was rewritten, and an apply that did not finish sent no signal", paths.join(", "));
        causes.push(Cause::Other(what));
    }
    causes
}

fn does(reaction: &Reaction) -> String {
    match reaction {
        Reaction::Replace => "is replaced".to_owned(),
        Reaction::Restart => "is restarted".to_owned(),
        Reaction::Signal(signal) => format!("gets {signal}"),
    }
}

/// Each declared file that changes in the container that holds the plain name, or against it.
pub(super) fn changes(container: &ContainerDecision<'_>) -> Vec<FileChange> {
    let Some(labels) = container.instances.holder.and_then(|holder| holder.ours.as_ref()) else {
        return Vec::new();
    };
    let declared: BTreeSet<String> =
        declared(container, labels, |_| None).into_iter().map(|(field, _)| field).collect();
    let files =
        container.desired.spec.files.iter().filter(|(path, _)| {
            declared.contains(&field_of(path)) || container.rewriting.paths.contains(*path)
        });
    let seen = |path: &str| container.seen.and_then(|seen| seen.get(path));
    let there = |path: &str| labels.fields.contains_key(&field_of(path));
    files.map(|(path, file)| change(path, file, seen(path).filter(|_| there(path)), there(path))).collect()
}

fn change(path: &str, file: &ContainerFile, seen: Option<&SeenFile>, was_declared: bool) -> FileChange {
    let unseen = |why: &str| FileChange::unseen(path, file.clear(), why);
    match (file.clear(), seen) {
        (None, _) => unseen("it holds a secret and is not shown"),
        (Some(_), None) if !was_declared => unseen("it was not declared before"),
        (Some(after), Some(SeenFile::Earlier(before))) => FileChange::of(path, before, after),
        (Some(_), Some(SeenFile::Missing)) => unseen("it is not in the container any more"),
        (Some(_), Some(SeenFile::Same)) => unseen("the same content"),
        (Some(_), Some(SeenFile::Other)) => {
            unseen("it was changed in the container, or held a secret: what is in it is not shown")
        }
        (Some(_), None) => unseen("what is in the container was not read"),
    }
}

/// Whether a secret is received by a file that is rewritten.
pub(super) fn is_rewritten(container: &ContainerDecision<'_>, receiver: &Receiver) -> bool {
    let path = receiver.field.strip_prefix("file ");
    path.is_some_and(|path| container.rewriting.paths.contains(path))
}
