//! Start-first: the new container works before the old one stops.
//!
//! Create under a temporary name, without the service's aliases and with restart policy `no`; start;
//! await; join its networks under the service's name, await again; declare the policy; let clients learn
//! the address; tell the old one; stop and park it; rename old, rename new (the commit); remove the old.
//! An alias given at creation would be in DNS before the process exists (measured), and a running
//! container can be given one only by leaving the network and joining it again.
//!
//! Until the old one is asked to stop, the way back is to stop the new one. From then on the new one is
//! all that surely works, so nothing is taken back: whatever fails, the next apply goes on from there.

use super::super::context::PlanContext;
use super::super::course::{Choice, Course};
use super::super::create::without_aliases;
use super::super::instances::runs;
use super::super::networks;
use super::super::sharing;
use super::super::steps::Group;
use super::rest::{lay_down, take_up};
use super::stop_first::{clear, commit, final_update, join, make, remove, retire};
use super::way_back::WayBack;
use crate::desired::BeforeStop;
use crate::observed::Container;
use crate::plan::{Action, Target};

/// Seconds that a container without a health check must stay up after it joined its networks.
const SETTLE: u32 = 1;

/// Adds the steps of a course to a group.
pub(in super::super) fn lower<'a>(context: &PlanContext<'a>, course: &Course<'a>, group: &mut Group<'_>) {
    let mut back = WayBack::new(course);
    for ours in course.instances.everything() {
        group.know(&ours.id, &ours.name, runs(ours));
        if sharing::may_end(&course.shared) {
            group.may_end(&ours.id);
        }
    }
    let kept = clear(context, course, group, &back);
    let wish = course.wish;
    let (target, name) = match &course.choice {
        Choice::New { generation, name } => {
            let bare = without_aliases(&course.spec);
            let target = make(context, course, &bare, *generation, name, group, &mut back);
            back.started = true;
            group.push(Action::Start { container: target.clone(), name: name.clone() }, back.actions());
            group.push(await_healthy(course, &target, name, wish.monitor), back.actions());
            for action in networks::named_anew(&course.spec, &target, name) {
                group.push(action, back.actions());
            }
            (target, name.clone())
        }
        Choice::Existing(chosen) => {
            back.started = true;
            // An attempt that is all that runs goes on running, whatever happens.
            back.committed = course.retire.is_empty();
            let (target, name) = (Target::Id(chosen.id.clone()), take_up(context, course, group, &mut back));
            if runs(chosen) {
                join(course, chosen, &name, group, &back);
            } else {
                let bare = without_aliases(&course.spec);
                let alone = networks::rejoin_declared(&bare, chosen);
                let alone = alone.into_iter().map(|action| networks::called(action, &name));
                let start = Action::Start { container: target.clone(), name: name.clone() };
                let wait = await_healthy(course, &target, &name, wish.monitor);
                let known = networks::named_anew(&course.spec, &target, &name);
                for action in alone.chain([start, wait]).chain(known) {
                    group.push(action, back.actions());
                }
            }
            (target, name)
        }
    };
    let joined = matches!(course.choice, Choice::Existing(_)) || networks::has_any(&course.spec);
    if joined {
        let monitor = if matches!(course.choice, Choice::New { .. }) { SETTLE } else { wish.monitor };
        group.push(await_healthy(course, &target, &name, monitor), back.actions());
    }
    if let Some(body) = final_update(course) {
        back.permanent = true;
        let update = Action::Update { container: target.clone(), name: name.clone(), body };
        group.push(update, back.actions());
    }
    farewell(course, group, &back);
    if !course.retire.is_empty() {
        back.committed = true;
    }
    retire(course, group, &mut back);
    commit(context, course, &target, &name, group, &mut back);
    for ours in kept {
        remove(context, ours, group, &[]);
    }
    lay_down(context, course, group);
}

fn await_healthy(course: &Course<'_>, target: &Target, name: &str, monitor: u32) -> Action {
    let timeout = course.wish.start_timeout;
    Action::AwaitHealthy { container: target.clone(), name: name.to_owned(), monitor, timeout }
}

/// What comes between the new one being known and the old one being stopped.
fn farewell(course: &Course<'_>, group: &mut Group<'_>, back: &WayBack<'_>) {
    let Some(replica) = course.wish.replica.as_ref().filter(|_| !course.retire.is_empty()) else { return };
    if replica.drain > 0 && networks::has_any(&course.spec) {
        let why = format!("clients of {} learn the new address", replica.service);
        group.push(Action::Delay { seconds: replica.drain, why }, back.actions());
    }
    let Some(what) = &replica.before_stop else { return };
    for old in &course.retire {
        group.push(last_words(what, old), back.actions());
    }
}

/// What is done in an old container before it is stopped.
fn last_words(what: &BeforeStop, old: &Container) -> Action {
    let (container, name) = (Target::Id(old.id.clone()), old.name.clone());
    match what {
        BeforeStop::Exec(command) => Action::Exec { container, name, command: command.clone() },
        BeforeStop::Signal(signal) => Action::Signal { container, name, signal: signal.clone() },
    }
}
