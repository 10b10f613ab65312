//! From decisions to steps, each with its rollback. Nothing is decided here, and nothing depends on why
//! it is done.

mod create;
pub(super) mod files;
mod networks;
mod operate;
mod pulls;
mod remove;
mod replace;
mod resource;
pub(super) mod secrets;
pub(super) mod steps;
mod task;

use super::context::PlanContext;
use super::decide::choice::Choice;
use super::decide::container::ContainerDecision;
use super::decide::decision::{Decided, Decision};
use super::decide::image::ImageDecision;
use super::decide::images::GoingImage;
use super::decide::{Absence, AbsenceReason, ContainerChange, Decisions, Turn};
use super::explain::StepCauses;
use super::renamed::Renamed;
use super::work;
use crate::desired::Address;
use crate::name::ImageRef;
use crate::observed::Label;
use crate::plan::{Action, Cause, Expect, Step, Target};
pub(super) use operate::lower as operated;
use pulls::Pulls;
use std::collections::{BTreeMap, BTreeSet};
use steps::{Group, Steps};

/// The steps of a host, in an order that respects what each needs.
pub(super) fn lower(context: &PlanContext<'_>, decisions: &Decisions<'_>, causes: &StepCauses) -> Vec<Step> {
    let steps = Steps::without_untagging(&decisions.images.tags_stay);
    let mut lowering = Lowering { steps, pulls: Pulls::of(&decisions.decided), ..Lowering::default() };
    let decided = decisions.decided.iter().zip(&causes.of);
    let prepared: Vec<Vec<u32>> =
        decided.map(|(one, cause)| lowering.prepare(context, &one.decision, cause)).collect();
    let mut group = lowering.group("remove leftovers".to_owned(), &causes.leftovers, Vec::new());
    secrets::clear(&decisions.leftovers, &mut group);
    let cleared = group.end();
    let mut group = lowering.group("remove records".to_owned(), &causes.records, Vec::new());
    secrets::forget(&decisions.leftovers, &mut group);
    let named: Vec<u32> = context.renamed.iter().map(|one| lowering.rename(one)).collect();
    for Turn { entry, waits } in &decisions.turns {
        let one = &decisions.decided[*entry];
        let mut needs = prepared[*entry].clone();
        // A volume of the same name may be among them, or what uses a network.
        let waits_for_them = one.decision.has_files() || !decisions.leftovers.one_offs.is_empty();
        needs.extend(cleared.filter(|_| waits_for_them));
        needs.extend(&named);
        needs.extend(lowering.ends_of(&one.needs));
        needs.extend(lowering.ends_of(waits));
        lowering.thing(context, one, &causes.of[*entry], &prepared[*entry], needs);
    }
    for image in &decisions.images.going {
        lowering.image(image, &decisions.decided, cleared, &causes.images);
    }
    for record in &decisions.gone {
        let instance = record.labels.get(Label::INSTANCE).unwrap_or(&record.container);
        let action = Action::Forget { name: instance.clone(), volume: record.volume.clone() };
        lowering.steps.push(&format!("forget {instance}"), action, &causes.gone, Vec::new());
    }
    lowering.steps.finish()
}

/// A host's steps as they grow.
#[derive(Default)]
struct Lowering {
    steps: Steps,
    pulls: Pulls,
    /// The last steps of each resource; where it has none, those of what it needs.
    ends: BTreeMap<Address, Vec<u32>>,
}

impl Lowering {
    fn group(&mut self, name: String, cause: &Cause, needs: Vec<u32>) -> Group<'_> {
        Group::new(&mut self.steps, name, cause.clone(), needs)
    }

    /// Gives a container its name back.
    fn rename(&mut self, one: &Renamed) -> u32 {
        let mut group = self.group(format!("rename {}", one.from), &one.cause(), Vec::new());
        group.know(&one.id, &one.from, one.runs);
        let (container, from, to) = (Target::Id(one.id.clone()), one.from.clone(), one.to.clone());
        group.push(Action::Rename { container, from, to }, Vec::new())
    }

    /// Takes its names off an image; with the last one it goes. The tag that says whose it is comes last where an
    /// Engine can do that.
    fn image(&mut self, image: &GoingImage, decided: &[Decided<'_>], cleared: Option<u32>, cause: &Cause) {
        let of: Vec<Address> = image.of.iter().map(|entry| decided[*entry].address.clone()).collect();
        let mut needs = self.ends_of(&of);
        // A container that was left may have been made from it.
        needs.extend(cleared.filter(|_| image.of_leftovers));
        let name = image.digests.first().or(image.tags.first()).cloned().unwrap_or_default();
        let mut group = self.group(format!("remove image {name}"), cause, needs);
        let digests = || image.digests.iter().map(|image| Action::RemoveImage { image: image.clone() });
        let tags = image.tags.iter().map(|name| Action::Untag { name: name.clone() });
        let (before, after) =
            if image.digest_first { (Some(digests()), None) } else { (None, Some(digests())) };
        for action in before.into_iter().flatten().chain(tags).chain(after.into_iter().flatten()) {
            group.push(action, Vec::new());
        }
    }

    /// Pulls, all before anything else.
    fn prepare(&mut self, context: &PlanContext<'_>, decision: &Decision<'_>, cause: &Cause) -> Vec<u32> {
        let (pulls, steps) = (&mut self.pulls, &mut self.steps);
        match decision {
            Decision::Image(ImageDecision::Pulled { by_digest: Some(image), .. }) => {
                Vec::from_iter(pulls.want(context, steps, image, None, cause))
            }
            Decision::Container(container) if matches!(container.choice, Choice::New { .. }) => {
                let platform = container.desired.spec.platform();
                let pull = container.source.pull.as_ref();
                Vec::from_iter(pull.and_then(|image| pulls.want(context, steps, image, platform, cause)))
            }
            Decision::Task(task) if task.is_created() => {
                let platform = task.desired.container.spec.platform();
                let pull = task.source.pull.as_ref();
                Vec::from_iter(pull.and_then(|image| pulls.want(context, steps, image, platform, cause)))
            }
            _ => Vec::new(),
        }
    }

    fn thing(
        &mut self,
        context: &PlanContext<'_>,
        one: &Decided<'_>,
        cause: &Cause,
        prepared: &[u32],
        needs: Vec<u32>,
    ) {
        let end = match &one.decision {
            Decision::Container(container) => {
                let name = format!("{} {}", word(container), container.desired.name);
                let mut group = self.group(name, cause, needs);
                match container.start_first {
                    true => replace::start_first(context, container, &mut group),
                    false => replace::stop_first(context, container, &mut group),
                }
                group.end()
            }
            Decision::Absent(absence) => self.absence(context, absence, cause, needs),
            Decision::Image(ImageDecision::Pulled { image, by_digest, tag, .. }) => {
                let source = by_digest.as_ref().filter(|_| *tag);
                source.map(|source| self.tag(image, source, cause, needs))
            }
            Decision::Image(ImageDecision::Untagged { image, .. }) => {
                let name = match &image.tag {
                    Some(_) => ImageRef { digest: None, ..(*image).clone() }.to_string(),
                    None => image.to_string(),
                };
                let group = format!("untag {name}");
                Some(self.steps.push(&group, Action::Untag { name }, cause, needs))
            }
            Decision::Task(task) => {
                let mut group = self.group(format!("task {}", one.address.name), cause, needs);
                task::lower(context, task, &mut group);
                group.end()
            }
            Decision::Resource(resource) => resource::lower(resource, cause, &mut self.steps, needs),
            Decision::Image(ImageDecision::NotThere | ImageDecision::InUse(_))
            | Decision::Waits(_)
            | Decision::LeftOut(_)
            | Decision::Held(_) => None,
        };
        let ends = end.map_or_else(
            // An image without a tag is there after its pull.
            || prepared.iter().copied().chain(self.ends_of(&one.needs)).collect(),
            |end| vec![end],
        );
        self.ends.insert(one.address.clone(), ends);
    }

    fn absence(
        &mut self,
        context: &PlanContext<'_>,
        absence: &Absence<'_>,
        cause: &Cause,
        needs: Vec<u32>,
    ) -> Option<u32> {
        let name = match absence.reason {
            AbsenceReason::Surplus => format!("remove surplus of {}", absence.name),
            AbsenceReason::Declared
            | AbsenceReason::Undeclared
            | AbsenceReason::Down
            | AbsenceReason::Attempt => {
                format!("remove {}", absence.name)
            }
        };
        let mut group = self.group(name, cause, needs);
        remove::absent(context, &absence.instances, &absence.data, absence.timeout, &mut group);
        for name in &absence.tags {
            group.untag(name, Vec::new());
        }
        group.end()
    }

    fn tag(&mut self, image: &ImageRef, source: &ImageRef, cause: &Cause, needs: Vec<u32>) -> u32 {
        let name = ImageRef { digest: None, ..image.clone() }.to_string();
        let group = format!("tag {name}");
        let action = Action::Tag { source: source.to_string(), name };
        let step = self.steps.push(&group, action, cause, needs);
        if let Some(last) = self.steps.last() {
            last.expects.push(Expect::Image { image: source.to_string() });
        }
        step
    }

    /// The last steps of some resources, each once: what is as desired hands on those of what it needs.
    fn ends_of(&self, things: &[Address]) -> Vec<u32> {
        let found = things.iter().filter_map(|thing| self.ends.get(thing)).flatten();
        let ends: BTreeSet<u32> = work::each(found).copied().collect();
        ends.into_iter().collect()
    }
}

/// The word for the group of the steps of a container.
fn word(container: &ContainerDecision<'_>) -> &'static str {
    use ContainerChange as Is;
    match ContainerChange::of(container) {
        Is::Create => "create",
        Is::Replace => "replace",
        Is::Start => "start",
        Is::Stop => "stop",
        Is::Restart => "restart",
        // Beside one that stays something may go.
        Is::Stays => "clear",
        Is::TakeName | Is::Update => "update",
    }
}
