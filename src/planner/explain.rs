//! From decisions to what people and programs are told: causes, changes, notes, receivers of secrets. Nothing
//! here changes what is done.

mod absence;
mod causes;
mod change;
mod container;
mod data;
mod files;
mod held;
mod image;
mod leftovers;
mod notes;
mod operate;
mod receivers;
mod resource;
mod task;

pub(super) use operate::{cause as cause_of, changes as operated};

use super::context::PlanContext;
use super::decide::Decisions;
use super::decide::choice::Choice;
use super::decide::decision::{Decided, Decision};
use super::decide::image::ImageDecision;
use crate::desired::{Address, Kind};
use crate::observed::{Label, Record};
use crate::plan::{Cause, Change, Receiver, Verb, WithoutImage};

/// What is told of a host's plan.
pub(super) struct Explanation {
    pub(super) changes: Vec<Change>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) notes: Vec<String>,
    pub(super) without_image: Vec<WithoutImage>,
    pub(super) causes: StepCauses,
}

/// The cause that stands at the steps of a resource.
pub(super) struct StepCauses {
    /// Of each decision.
    pub(super) of: Vec<Cause>,
    /// Of clearing what an apply that did not finish left.
    pub(super) leftovers: Cause,
    /// Of forgetting a container that was taken over and is gone.
    pub(super) gone: Cause,
    /// Of removing images.
    pub(super) images: Cause,
    /// Of removing records that do not count any more.
    pub(super) records: Cause,
}

/// What is told of one resource.
struct Explained {
    cause: Cause,
    changes: Vec<Change>,
    notes: Vec<String>,
    receivers: Vec<Receiver>,
}

impl Explained {
    fn new(cause: Cause, changes: Vec<Change>) -> Self {
        Self { cause, changes, notes: Vec::new(), receivers: Vec::new() }
    }
}

/// Explains what was decided.
pub(super) fn explain(context: &PlanContext<'_>, decisions: &Decisions<'_>) -> Explanation {
    let mut changes = leftovers::changes(&decisions.leftovers);
    changes.extend(context.renamed.iter().map(|one| {
        let address = Address { kind: Kind::Container, name: one.from.clone() };
        change::plain(&address, Verb::Update, one.cause())
    }));
    let mut receivers = Vec::new();
    let mut notes = context.notes().to_vec();
    let containers: Vec<_> = decisions.decided.iter().filter_map(|one| one.decision.container()).collect();
    notes.extend(notes::of(context, &containers));
    let mut causes = vec![Cause::AsWanted; decisions.decided.len()];
    for turn in &decisions.turns {
        let explained = {
            let Decided { address, decision, .. } = &decisions.decided[turn.entry];
            thing(context, address, decision)
        };
        changes.extend(explained.changes);
        notes.extend(explained.notes);
        receivers.extend(explained.receivers);
        causes[turn.entry] = explained.cause;
    }
    changes.extend(decisions.images.going.iter().flat_map(image::going));
    changes.extend(decisions.gone.iter().map(|record| gone(record)));
    receivers.sort();
    receivers.dedup();
    let causes = StepCauses {
        of: causes,
        leftovers: Cause::Interrupted,
        gone: Cause::Gone,
        images: Cause::Unneeded,
        records: Cause::Other("it does not count any more".to_owned()),
    };
    let without_image = decisions.decided.iter().filter_map(|one| match &one.decision {
        Decision::Held(held) => held::without_image(&one.address, held),
        _ => None,
    });
    let without_image = without_image.collect();
    Explanation { changes, receivers, notes, without_image, causes }
}

fn thing(context: &PlanContext<'_>, address: &Address, decision: &Decision<'_>) -> Explained {
    let plain = |verb, cause: Cause| Explained::new(cause.clone(), vec![change::plain(address, verb, cause)]);
    match decision {
        Decision::Container(container) => {
            let cause = causes::of(container).into_iter().next().unwrap_or(Cause::AsWanted);
            let is_new = matches!(container.choice, Choice::New { .. });
            let mut receivers = receivers::of(container.desired);
            receivers.retain(|receiver| is_new || files::is_rewritten(container, receiver));
            Explained { receivers, ..Explained::new(cause, container::changes(address, container)) }
        }
        Decision::Absent(absence) => {
            let changes = absence::changes(address, absence);
            Explained { notes: data::of_absent(absence), ..Explained::new(absence::cause(absence), changes) }
        }
        Decision::Image(image) => {
            let (verb, cause) = image::verb(image);
            let note = matches!(image, ImageDecision::InUse(_)).then(|| format!("{address}: {cause}"));
            Explained { notes: Vec::from_iter(note), ..plain(verb, cause) }
        }
        Decision::Task(task) => {
            let causes = task::causes(context, task);
            let cause = causes.first().cloned().unwrap_or(Cause::AsWanted);
            let container = &task.desired.container;
            let receivers = if task.is_created() { receivers::of(container) } else { Vec::new() };
            Explained { receivers, ..Explained::new(cause, vec![task::change(address, task, causes)]) }
        }
        Decision::Resource(resource) => {
            let (change, note) = resource::change(context, resource);
            let cause = change.cause.first().cloned().unwrap_or(Cause::AsWanted);
            Explained { notes: Vec::from_iter(note), ..Explained::new(cause, vec![change]) }
        }
        Decision::Waits(item) => {
            let things: Vec<String> = item.requisites.onchanges.iter().map(ToString::to_string).collect();
            plain(Verb::Unchanged, Cause::OnChanges(things.join(" or ")))
        }
        Decision::LeftOut(why) => plain(Verb::Unchanged, Cause::LeftOut((*why).to_owned())),
        Decision::Held(held) => match &held.otherwise {
            Ok(decision) => {
                let otherwise = thing(context, address, decision);
                let changes = held::waiting(held, otherwise.changes);
                // Nothing is made, so no container receives a secret.
                Explained { changes, receivers: Vec::new(), ..otherwise }
            }
            Err(problems) => Explained::new(Cause::AsWanted, vec![held::unplanned(address, held, problems)]),
        },
    }
}

/// A record goes whose container is gone.
fn gone(record: &Record) -> Change {
    let name = record.labels.get(Label::INSTANCE).unwrap_or(&record.container).clone();
    change::plain(&Address { kind: Kind::Adoption, name }, Verb::Remove, Cause::Gone)
}
