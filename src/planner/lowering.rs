//! Decisions become steps and lines of a plan, one thing after the other.

use super::context::PlanContext;
use super::course::{Choice, Course};
use super::decision::{Decision, Entry};
use super::images::Pulls;
use super::steps::{Group, Steps};
use super::task::Errands;
use super::{causes, change, remove, replace, resource, users};
use crate::desired::Address;
use crate::name::ImageRef;
use crate::plan::{Action, Cause, Change, Expect, Receiver, Verb, keep_tag};
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// A host's plan as it grows.
#[derive(Default)]
pub(super) struct Planning {
    pub(super) steps: Steps,
    pulls: Pulls,
    pub(super) changes: Vec<Change>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) notes: Vec<String>,
    pub(super) problems: Vec<Problem>,
    /// The last steps of each thing; where it has none, those of what it needs.
    ends: BTreeMap<Address, Vec<u32>>,
}

impl Planning {
    /// Pulls and the tags that keep what was pulled, all before anything else.
    pub(super) fn prepare(&mut self, context: &PlanContext<'_>, decision: &Decision<'_>) -> Vec<u32> {
        match decision {
            Decision::Pulled { by_digest: Some(image), .. } => {
                Vec::from_iter(self.pulls.want(context, &mut self.steps, image, None, &Cause::ImageNeeded))
            }
            Decision::Container(course) => {
                let (Choice::New { generation, .. }, Some(pull)) = (&course.choice, &course.source.pull)
                else {
                    return Vec::new();
                };
                let cause = causes::of(course).into_iter().next().unwrap_or(Cause::ImageNeeded);
                let tag = keep_tag(context.workspace(), course.wish.name.as_str(), *generation);
                let platform = course.wish.spec.platform();
                vec![self.pulls.keep(context, &mut self.steps, pull, platform, tag, &cause)]
            }
            Decision::Task(task) if task.is_created() => {
                let pull = task.source.pull.as_ref();
                let cause = task.causes(context).into_iter().next().unwrap_or(Cause::ImageNeeded);
                let platform = task.wish.container.spec.platform();
                let step =
                    pull.and_then(|image| self.pulls.want(context, &mut self.steps, image, platform, &cause));
                Vec::from_iter(step)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn lower<'a>(&mut self, context: &PlanContext<'a>, entry: &Entry<'a>, needs: Vec<u32>) {
        let inherited = self.ends_of(&entry.needs);
        let end = match &entry.decision {
            Decision::Container(course) => self.container(context, entry, course, needs),
            Decision::Absent { group, instances, tags, timeout, cause } => {
                let mut group = Group::new(&mut self.steps, group.clone(), cause.clone(), needs);
                remove::absent(context, instances, *timeout, &mut group);
                for name in tags {
                    group.push(Action::Untag { name: name.clone() }, Vec::new());
                }
                let end = group.end();
                if instances.everything().next().is_none() && tags.is_empty() && *cause != Cause::Surplus {
                    self.changes.push(change::plain(&entry.address, Verb::Unchanged, Cause::AsWanted));
                }
                self.changes.extend(
                    instances.everything().map(|ours| change::removed(&ours.name, ours, cause.clone())),
                );
                self.changes.extend(tags.iter().map(|name| change::tag_removed(name, cause.clone())));
                end
            }
            Decision::Pulled { image, by_digest, absent, tag } => {
                let (verb, cause) = change::pulled(*absent, *tag);
                self.changes.push(change::plain(&entry.address, verb, cause.clone()));
                let source = by_digest.as_ref().filter(|_| *tag);
                match source {
                    Some(source) => Some(self.tag(image, source, &cause, needs)),
                    None => needs.last().copied().filter(|_| *absent),
                }
            }
            Decision::Untagged { image, there: true, last, users } => {
                let left = users::left(&self.steps, users, None);
                if *last && !left.is_empty() {
                    let cause = Cause::LastName(users::named(&left));
                    self.notes.push(format!("{}: {cause}", entry.address));
                    self.changes.push(change::plain(&entry.address, Verb::Unchanged, cause));
                    self.ends.insert(entry.address.clone(), inherited);
                    return;
                }
                self.changes.push(change::plain(&entry.address, Verb::Remove, Cause::Unwanted));
                let name = match &image.tag {
                    Some(_) => ImageRef { digest: None, ..(*image).clone() }.to_string(),
                    None => image.to_string(),
                };
                let group = format!("untag {name}");
                Some(self.steps.push(&group, Action::Untag { name }, &Cause::Unwanted, needs))
            }
            Decision::Task(task) => self.task(context, entry, task, needs),
            Decision::Held(changes) => {
                self.changes.extend(changes.iter().cloned());
                None
            }
            Decision::Resource(course) => {
                let lowered = course.lower(context, &mut self.steps, needs);
                let lowered = resource::collect(lowered, &mut self.problems);
                lowered.and_then(|lowered| {
                    self.changes.push(lowered.change);
                    self.notes.extend(lowered.notes);
                    lowered.end
                })
            }
            Decision::Waits(item) => {
                let things: Vec<String> = item.requisites.onchanges.iter().map(ToString::to_string).collect();
                let cause = Cause::OnChanges(things.join(" or "));
                self.changes.push(change::plain(&entry.address, Verb::Unchanged, cause));
                None
            }
            Decision::LeftOut(why) => {
                let cause = Cause::LeftOut((*why).to_owned());
                self.changes.push(change::plain(&entry.address, Verb::Unchanged, cause));
                None
            }
            Decision::Untagged { there: false, .. } => {
                self.changes.push(change::plain(&entry.address, Verb::Unchanged, Cause::AsWanted));
                None
            }
        };
        self.ends.insert(entry.address.clone(), end.map_or(inherited, |end| vec![end]));
    }

    fn container<'a>(
        &mut self,
        context: &PlanContext<'a>,
        entry: &Entry<'a>,
        course: &Course<'a>,
        needs: Vec<u32>,
    ) -> Option<u32> {
        let cause = causes::of(course).into_iter().next().unwrap_or(Cause::AsWanted);
        let group = format!("{} {}", change::word(course), course.wish.name);
        let mut group = Group::new(&mut self.steps, group, cause, needs);
        match course.is_start_first() {
            true => replace::start_first(context, course, &mut group),
            false => replace::stop_first(context, course, &mut group),
        }
        let end = group.end();
        self.changes.extend(change::of(&entry.address, course));
        if matches!(course.choice, Choice::New { .. }) {
            self.receivers.extend(change::receivers(course.wish));
        }
        end
    }

    fn task<'a>(
        &mut self,
        context: &PlanContext<'a>,
        entry: &Entry<'a>,
        task: &Errands<'a>,
        needs: Vec<u32>,
    ) -> Option<u32> {
        let causes = task.causes(context);
        let cause = causes.first().cloned().unwrap_or(Cause::AsWanted);
        let group = format!("task {}", entry.address.name);
        let mut group = Group::new(&mut self.steps, group, cause, needs);
        task.lower(context, &mut group);
        let end = group.end();
        self.changes.push(change::task(&entry.address, task, causes, end.is_some()));
        if task.is_created() {
            self.receivers.extend(change::receivers(&task.wish.container));
        }
        end
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

    /// The last steps of some things, each once: what is as wanted hands on those of what it needs.
    pub(super) fn ends_of(&self, things: &[Address]) -> Vec<u32> {
        let found = things.iter().filter_map(|thing| self.ends.get(thing)).flatten();
        let ends: BTreeSet<u32> = super::work::each(found).copied().collect();
        ends.into_iter().collect()
    }
}
