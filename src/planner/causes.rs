//! Why: from the labels of what is there and the places of what is wanted.

use super::course::{Choice, Course, live};
use super::instances::runs;
use super::sharing;
use super::watch::Owed;
use crate::desired::ContainerWish;
use crate::name::Digest;
use crate::observed::Container;
use crate::plan::Cause;
use crate::problem::{Place, escaped};

/// All causes of a course, the main one first; none if all is as wanted.
pub(super) fn of(course: &Course<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(back) = course.back().filter(|_| !course.is_committed()) {
        causes.push(Cause::Back { generation: back.generation, container: back.container.is_some() });
    }
    match &course.choice {
        Choice::New { .. } if course.instances.is_empty() => causes.push(Cause::Missing),
        Choice::New { .. } => {
            let old = course.instances.holder.or(course.instances.others.last().copied());
            causes.extend(old.into_iter().flat_map(|old| differences(course, old)));
            if causes.is_empty() {
                causes.push(Cause::Interrupted);
            }
        }
        Choice::Existing(chosen) if chosen.name != course.wish.name.as_str() => {
            if causes.is_empty() {
                causes.push(Cause::Interrupted);
            }
            causes.extend(course.instances.holder.into_iter().flat_map(|old| differences(course, old)));
        }
        Choice::Existing(chosen) => {
            if course.runs && !runs(chosen) {
                causes.push(Cause::NotRunning { status: status(chosen) });
            }
            if !course.runs && runs(chosen) {
                causes.push(Cause::Running);
            }
            causes.extend(course.watched.iter().map(Owed::cause));
            let live = course.live.iter().map(|field| (field.clone(), place(course.wish, field)));
            let networks = course
                .networks
                .iter()
                .map(|name| (format!("networks.{name}"), place(course.wish, "networks")));
            let fields: Vec<_> = live.chain(networks).collect();
            if !fields.is_empty() {
                causes.push(Cause::Fields(fields));
            }
            if causes.is_empty() && !course.instances.others.is_empty() {
                causes.push(Cause::Interrupted);
            }
        }
    }
    let replaces = !course.instances.is_empty() && !course.is_start_first() && !course.retire.is_empty();
    if let (Some(why), true, true) = (&course.obstacle, replaces, matches!(course.choice, Choice::New { .. }))
    {
        causes.push(Cause::StopFirst(why.clone()));
    }
    causes
}

/// In what a container differs from the wish, by its labels.
fn differences(course: &Course<'_>, old: &Container) -> Vec<Cause> {
    let Some(labels) = &old.ours else { return Vec::new() };
    let wish = course.wish;
    let mut causes = Vec::new();
    if labels.image != course.source.label {
        let (from, to) = (escaped(&labels.version), course.source.version.clone());
        causes.push(if from == to {
            Cause::Digest { from: short(&labels.image), to: short(&course.source.label) }
        } else {
            Cause::Version { from, to, at: version_place(wish) }
        });
    }
    if labels.spec != course.fingerprint {
        let wanted = wish.spec.field_fingerprints();
        let mut fields: Vec<(String, Option<Place>)> = wanted
            .iter()
            .filter(|(field, print)| labels.fields.get(*field) != Some(print))
            .map(|(field, _)| (field.clone(), place(wish, field)))
            .collect();
        let gone = labels.fields.keys().filter(|field| !wanted.contains_key(*field));
        fields.extend(gone.map(|field| (escaped(field), None)));
        fields.sort();
        if fields.is_empty() {
            fields.push(("spec".to_owned(), None));
        }
        causes.push(Cause::Fields(fields));
    }
    if causes.is_empty() && course.lost_files(old) {
        causes.push(Cause::PartOf("the volume of its secrets is gone".to_owned()));
    }
    causes.extend(course.watched.iter().map(Owed::cause));
    let live = if course.can_update { Vec::new() } else { live(wish, old) };
    if !live.is_empty() {
        causes.push(Cause::Fields(live.iter().map(|field| (field.clone(), place(wish, field))).collect()));
        causes.push(Cause::NoUpdate);
    }
    if !wish.spec.may_stay(old.first_network()) {
        causes.push(Cause::Fields(vec![("networks".to_owned(), place(wish, "networks"))]));
    }
    causes.extend(sharing::moved(&course.shared, old));
    let drift = wish.spec.drift(&old.inspect);
    if causes.is_empty() && !drift.is_empty() {
        causes.push(Cause::Drift(drift));
    }
    if causes.is_empty() {
        causes.push(Cause::NotRunning { status: status(old) });
    }
    causes
}

/// The line that says which version: a reference ends with its tag, so it is the last pillar value that
/// the image was put together from; the state's own line stands behind those.
pub(super) fn version_place(wish: &ContainerWish) -> Option<Place> {
    let places = wish.sources.get("image")?;
    places.get(places.len().saturating_sub(2)).cloned()
}

/// The line that says how a field shall be.
fn place(wish: &ContainerWish, field: &str) -> Option<Place> {
    let whole = || field.split('.').next().and_then(|whole| wish.sources.get(whole));
    wish.sources.get(field).or_else(whole).and_then(|places| places.first()).cloned()
}

/// Twelve digits of the digest in an `.image` label.
fn short(label: &str) -> String {
    let digest = label.rfind("sha256:").map(|at| Digest::parse(&label[at..]));
    match digest {
        Some(Ok(digest)) => digest.short().to_owned(),
        _ => escaped(label),
    }
}

/// `exited (1)`, `created`.
pub(super) fn status(container: &Container) -> String {
    let state = &container.state;
    let status = escaped(&state.status);
    if status == "exited" { format!("{status} ({})", state.exit_code) } else { status }
}
