//! Decides once, from values alone, what is done on a host. No clock, no randomness, no I/O; what
//! execution shall choose is chosen here.
//!
//! **Who holds the plain name of a service is committed; `NAME.g3` is an attempt; `NAME.g2.kept` was
//! committed once and is kept for a rollback; `NAME.g2.back` is a kept one on its way back.** From that and the run states follows what an interrupted apply left, and how to go on.
//! *Fits* means: the labels `.spec` and `.image` are those of the wish. Where a service shall run:
//!
//! | holder | others | then |
//! |---|---|---|
//! | none | none | create under the plain name with policy `no`, start, await, declare the policy |
//! | fits, runs | none | nothing; live fields and networks that differ are changed in place |
//! | fits, runs | some | the same; the others are stopped and removed: the way back left them, or a commit did |
//! | fits, down | none | start, await (made anew where it has a hardware address of its own, see `networks`) |
//! | fits, down | one fits and works | that one is awaited again and committed; the holder is the way back |
//! | fits, down | others | what runs of them is stopped; start the holder, await; remove the others |
//! | other, runs | none fits and works | create beside it, stop and park it, start the new one, await, commit, remove it |
//! | other, runs | one fits and works | stop and park the holder, await the other one again, commit it |
//! | other, down | one fits and works | await it again and commit it; the holder is the way back |
//! | other, down | others | create, start, await, commit; the holder is the way back if it ever ran |
//! | none | one fits and works | the two renames were cut in two: await it again, give it the name |
//! | none | others | create beside them, stop what runs, start, await, commit; who ran is the way back |
//!
//! A container of a service that is declared start-first, and of which two can be (`overlap`), is
//! replaced the other way round: what is new works and is known before what runs is stopped, see
//! `replace`. What counts as whose is the same, by the plain name of that one container.
//!
//! Of a service some predecessors are kept (`retain`, `kept`). What is kept is in no row: it is neither an
//! attempt nor left over, nothing of it is started, stopped or removed but what is too much in the end.
//! With it, in these rows:
//!
//! | row | differs in |
//! |---|---|
//! | every one that commits | the old holder is renamed to `NAME.g2.kept` and stays, parked, with its tag |
//! | none, others; nobody holds the name | of the kept ones the last that ended held it: it is the way back |
//! | every one with others | `NAME.g2.back` is no leftover: it is stopped and gets the name of a kept one again |
//! | a rollback: the wish names one of them | it becomes `NAME.g2.back`, is started as an attempt would be, and is committed; where that fails it is kept as before |
//! | `NAME.g2.kept` runs | somebody started it: it is said and left alone |
//!
//! A generation's number is that of the service: a container that is added to a deployment gets its number.
//!
//! Where it shall not run, nothing is started or awaited, and what fits may be any of them. An attempt
//! that does not run is never started again, it is made anew: what is not known of it cannot matter. A
//! failed attempt is kept for its log until a later apply commits; two are kept at most.

pub mod adopt;
mod assign;
mod causes;
mod change;
mod course;
mod create;
mod decision;
mod held;
mod images;
mod instances;
mod kept;
mod needs;
mod networks;
mod notes;
mod order;
mod overlap;
mod platform;
mod remove;
mod replace;
mod resource;
mod secrets;
mod sharing;
mod steps;
mod task;
mod users;
mod watch;
mod world;

pub use assign::{Part, assign};

use crate::check;
use crate::desired::{Address, Desired};
use crate::name::ImageRef;
use crate::observed::Observed;
use crate::plan::{Action, Cause, Change, Expect, HostPlan, Receiver, Verb, keep_tag};
use crate::problem::{Problem, Problems, Result};
use course::{Choice, Course};
use decision::{Decision, Entry, undeclared};
use images::Pulls;
pub use images::unfit;
use order::Turn;
use secrets::Leftovers;
use std::collections::BTreeMap;
use steps::{Group, Steps};
use task::{Errands, Tasks};
use watch::Doings;
use world::World;

/// What a person may choose about planning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The Engine's address as in the inventory, for the plan.
    pub engine: String,
    /// Replaces containers that somebody changed by hand.
    pub fix_drift: bool,
    /// Removes our containers that no state declares.
    pub prune: bool,
    /// What other hosts of the run do about tasks of this one, see [`assign()`].
    pub tasks: BTreeMap<String, Part>,
}

/// Plans one host, and checks the plan ([`check::host`]). The same values give the same plan.
///
/// # Errors
/// All reasons why nothing can be planned for it: names that others hold, images that nobody knows.
pub fn plan_host(desired: &Desired, observed: &Observed, options: &Options) -> Result<HostPlan> {
    let world = World { desired, observed, options };
    let mut problems = Vec::new();
    let mut entries = undeclared(&world);
    let tasks = Tasks::of(&world);
    let mut doings = Doings::default();
    for item in &desired.items {
        let decision = Decision::of(&world, item, &entries, &doings);
        let decision = decision.map(|decision| decision.after(tasks.before(item)));
        let decision = match item.hold().or_else(|| tasks.held_back(item)) {
            Some((app, hold)) => Ok(Decision::Held(held::changes(&item.address, decision, app, hold))),
            None => decision,
        };
        match decision {
            Ok(decision) => {
                let waits = doings.lets_wait(&world, item, &decision);
                let decision = if waits { Decision::Waits(item) } else { decision };
                doings.note(&item.address, &decision);
                let (address, needs) = (item.address.clone(), item.needs.clone());
                entries.push(Entry { address, needs, decision });
            }
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems)?;
    let mut planning = Planning::default();
    let leftovers = Leftovers::of(&world);
    planning.changes = leftovers.changes();
    let prepared: Vec<Vec<u32>> =
        entries.iter().map(|entry| planning.prepare(&world, &entry.decision)).collect();
    let mut group =
        Group::new(&mut planning.steps, "remove leftovers".to_owned(), Cause::Interrupted, Vec::new());
    leftovers.lower(&mut group);
    let cleared = group.end();
    for Turn { entry: index, waits } in order::turns(&entries) {
        let entry = &entries[index];
        let mut needs = prepared[index].clone();
        // A volume of the same name may be among them.
        needs.extend(cleared.filter(|_| entry.decision.has_files()));
        needs.extend(planning.ends_of(&entry.needs));
        needs.extend(planning.ends_of(&waits));
        planning.lower(&world, entry, needs);
    }
    Problems::check(std::mem::take(&mut planning.problems))?;
    let forgotten = remove::forget(&world, &mut planning.steps);
    planning.changes.extend(forgotten);
    let courses: Vec<&Course<'_>> = entries.iter().filter_map(|entry| entry.decision.course()).collect();
    let mut notes = desired.notes.clone();
    notes.extend(notes::of(&world, &courses));
    notes.append(&mut planning.notes);
    planning.receivers.sort();
    planning.receivers.dedup();
    let plan = HostPlan {
        host: observed.host.clone(),
        engine: options.engine.clone(),
        engine_id: observed.facts.engine_id.clone(),
        changes: planning.changes,
        steps: planning.steps.finish(),
        receivers: planning.receivers,
        notes,
    };
    check::host(&plan, desired, observed)?;
    Ok(plan)
}

/// A host's plan as it grows.
#[derive(Default)]
struct Planning {
    steps: Steps,
    pulls: Pulls,
    changes: Vec<Change>,
    receivers: Vec<Receiver>,
    notes: Vec<String>,
    problems: Vec<Problem>,
    /// The last steps of each thing; where it has none, those of what it needs.
    ends: BTreeMap<Address, Vec<u32>>,
}

impl Planning {
    /// Pulls and the tags that keep what was pulled, all before anything else.
    fn prepare(&mut self, world: &World<'_>, decision: &Decision<'_>) -> Vec<u32> {
        match decision {
            Decision::Pulled { by_digest: Some(image), .. } => {
                Vec::from_iter(self.pulls.want(world, &mut self.steps, image, None, &Cause::ImageNeeded))
            }
            Decision::Container(course) => {
                let (Choice::New { generation, .. }, Some(pull)) = (&course.choice, &course.source.pull)
                else {
                    return Vec::new();
                };
                let cause = causes::of(course).into_iter().next().unwrap_or(Cause::ImageNeeded);
                let tag = keep_tag(&world.desired.workspace, course.wish.name.as_str(), *generation);
                let platform = course.wish.spec.platform();
                vec![self.pulls.keep(world, &mut self.steps, pull, platform, tag, &cause)]
            }
            Decision::Task(task) if task.is_created() => {
                let pull = task.source.pull.as_ref();
                let cause = task.causes(world).into_iter().next().unwrap_or(Cause::ImageNeeded);
                let platform = task.wish.container.spec.platform();
                let step =
                    pull.and_then(|image| self.pulls.want(world, &mut self.steps, image, platform, &cause));
                Vec::from_iter(step)
            }
            _ => Vec::new(),
        }
    }

    fn lower<'a>(&mut self, world: &World<'a>, entry: &Entry<'a>, needs: Vec<u32>) {
        let inherited = self.ends_of(&entry.needs);
        let end = match &entry.decision {
            Decision::Container(course) => self.container(world, entry, course, needs),
            Decision::Absent { group, instances, tags, timeout, cause } => {
                let mut group = Group::new(&mut self.steps, group.clone(), cause.clone(), needs);
                remove::absent(world, instances, *timeout, &mut group);
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
                let left = users::left(self.steps.so_far(), users, None);
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
            Decision::Task(task) => self.task(world, entry, task, needs),
            Decision::Held(changes) => {
                self.changes.extend(changes.iter().cloned());
                None
            }
            Decision::Resource(course) => {
                let lowered = course.lower(world, &mut self.steps, needs);
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
        world: &World<'a>,
        entry: &Entry<'a>,
        course: &Course<'a>,
        needs: Vec<u32>,
    ) -> Option<u32> {
        let cause = causes::of(course).into_iter().next().unwrap_or(Cause::AsWanted);
        let group = format!("{} {}", change::word(course), course.wish.name);
        let mut group = Group::new(&mut self.steps, group, cause, needs);
        match course.is_start_first() {
            true => replace::start_first(world, course, &mut group),
            false => replace::stop_first(world, course, &mut group),
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
        world: &World<'a>,
        entry: &Entry<'a>,
        task: &Errands<'a>,
        needs: Vec<u32>,
    ) -> Option<u32> {
        let causes = task.causes(world);
        let cause = causes.first().cloned().unwrap_or(Cause::AsWanted);
        let group = format!("task {}", entry.address.name);
        let mut group = Group::new(&mut self.steps, group, cause, needs);
        task.lower(world, &mut group);
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

    fn ends_of(&self, things: &[Address]) -> Vec<u32> {
        things.iter().filter_map(|thing| self.ends.get(thing)).flatten().copied().collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
