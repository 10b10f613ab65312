//! Why a container changes: from the labels of what is there and the places of what is desired.

use super::files;
use crate::desired::container_file::field_of;
use crate::desired::{DesiredContainer, Kind, Reaction};
use crate::name::Digest;
use crate::observed::Container;
use crate::plan::Cause;
use crate::planner::decide::aside::answers_as;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::decide::watch::PendingReaction;
use crate::planner::decide::{live, sharing};
use crate::problem::{Place, escaped};

/// All causes, the main one first; none if all is up to date.
pub(super) fn of(container: &ContainerDecision<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(back) = container.back().filter(|_| !container.is_committed()) {
        causes.push(Cause::Back { generation: back.generation, container: back.container.is_some() });
    }
    match &container.choice {
        Choice::New { .. } if container.instances.is_empty() => causes.push(Cause::Missing),
        Choice::New { .. } => {
            let old = container.instances.holder.or(container.instances.others.last().copied());
            match container.renewed {
                true => causes.push(Cause::Other("a new container is asked for (restart --new)".to_owned())),
                false => causes.extend(old.into_iter().flat_map(|old| differences(container, old))),
            }
            if causes.is_empty() {
                causes.push(Cause::Interrupted);
            }
        }
        Choice::Existing(_) if !container.has_plain_name() => {
            if causes.is_empty() {
                causes.push(Cause::Interrupted);
            }
            causes.extend(container.instances.holder.into_iter().flat_map(|old| differences(container, old)));
        }
        Choice::Existing(chosen) => {
            if container.runs && !runs(chosen) {
                causes.push(Cause::NotRunning { status: status(chosen) });
            }
            if !container.runs && runs(chosen) {
                causes.push(Cause::Running);
            }
            causes.extend(container.pending.iter().map(watched));
            let live = container.live.iter().map(|field| (field.clone(), place(container.desired, field)));
            let networks = container
                .networks
                .iter()
                .map(|name| (format!("networks.{name}"), place(container.desired, "networks")));
            let files = container.rewriting.paths.iter().map(|path| {
                let field = field_of(path);
                let place = place(container.desired, &field);
                (field, place)
            });
            let fields: Vec<_> = live.chain(networks).chain(files).collect();
            if !fields.is_empty() {
                causes.push(Cause::Fields(fields));
            }
            causes.extend(files::in_place(container));
            if causes.is_empty() && !container.instances.others.is_empty() {
                causes.push(Cause::Interrupted);
            }
            if causes.is_empty() {
                let awake = container.aside.awake.first().map(|kept| awake(container, kept));
                causes.extend(awake.or((!container.aside.is_empty()).then_some(Cause::Startable)));
            }
        }
    }
    let replaces = !container.instances.is_empty() && !container.start_first && !container.to_stop.is_empty();
    if let (Some(why), true, true) =
        (&container.obstacle, replaces, matches!(container.choice, Choice::New { .. }))
    {
        causes.push(Cause::StopFirst(why.clone()));
    }
    causes
}

/// Why a kept container is stopped.
pub(super) fn awake(container: &ContainerDecision<'_>, kept: &Container) -> Cause {
    let names = [container.desired.alias(), container.desired.name.as_str()];
    Cause::Awake { answers_as: answers_as(kept, names).map(str::to_owned), compose: kept.compose.is_some() }
}

/// In what a container differs from what is desired, by its labels.
fn differences(container: &ContainerDecision<'_>, old: &Container) -> Vec<Cause> {
    let Some(labels) = &old.ours else { return Vec::new() };
    let desired = container.desired;
    let mut causes = Vec::new();
    if labels.image != container.source.label {
        let (from, to) = (escaped(&labels.version), container.source.version.clone());
        causes.push(if from == to {
            Cause::Digest { from: short(&labels.image), to: short(&container.source.label) }
        } else {
            Cause::Version { from, to, at: version_place(desired) }
        });
    }
    let fields = files::declared(container, labels, |field| place(desired, field));
    if !fields.is_empty() {
        causes.push(Cause::Fields(fields));
    }
    if causes.is_empty() && container.lost_files(old) {
        let what = if desired.spec.secrets.is_empty() { "files" } else { "secrets" };
        causes.push(Cause::Other(format!("the volume of its {what} is gone")));
    }
    causes.extend(container.pending.iter().map(watched));
    let live = if container.can_update { Vec::new() } else { live(desired, old) };
    if !live.is_empty() {
        causes.push(Cause::Fields(live.iter().map(|field| (field.clone(), place(desired, field))).collect()));
        causes.push(Cause::NoUpdate);
    }
    if !desired.spec.may_stay(old.first_network()) {
        causes.push(Cause::Fields(vec![("networks".to_owned(), place(desired, "networks"))]));
    }
    causes.extend(sharing::moved(&container.shared, old).map(|moved| {
        let sharing::Moved { what, with, again } = moved;
        Cause::Shares { what, with, again }
    }));
    let drift = desired.spec.drift(&old.inspect);
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
pub(super) fn version_place(desired: &DesiredContainer) -> Option<Place> {
    let places = desired.sources.get("image")?;
    places.get(places.len().saturating_sub(2)).cloned()
}

/// The line that says how a field is to be.
fn place(desired: &DesiredContainer, field: &str) -> Option<Place> {
    let whole = || field.split('.').next().and_then(|whole| desired.sources.get(whole));
    desired.sources.get(field).or_else(whole).and_then(|places| places.first()).cloned()
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

/// Something that it watches is new.
fn watched(pending: &PendingReaction<'_>) -> Cause {
    let things = &pending.watch.things;
    let services = things.iter().filter(|thing| thing.kind == Kind::Service);
    let shown: Vec<String> = services.map(ToString::to_string).collect();
    let all = || things.iter().map(ToString::to_string).collect();
    let things: Vec<String> = if shown.is_empty() { all() } else { shown };
    let does = match &pending.watch.reaction {
        Reaction::Replace => "is replaced".to_owned(),
        Reaction::Restart => "is restarted".to_owned(),
        Reaction::Signal(signal) => format!("gets {signal}"),
    };
    Cause::Watched { things: things.join(", "), does, at: pending.watch.place.clone() }
}
