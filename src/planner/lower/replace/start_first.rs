//! Start-first: the new container works before the old one stops.
//!
//! Create under a temporary name, without the service's aliases and with restart policy `no`; start;
//! await; join its networks under the service's name, await again; declare the policy; let clients learn
//! the address; tell the old one; stop and park it; rename old, rename new (the commit); remove the old.
//! An alias given at creation would be in DNS before the process exists (measured), and a running
//! container can be given one only by leaving the network and joining it again.
//!
//! Until the old one is asked to stop, the rollback is to stop the new one. From then on the new one is
//! all that surely works, so nothing is rolled back: whatever fails, the next apply goes on from there.

use super::parts::{await_healthy, clear, commit, declare_live, introduce, join, make, stop_and_park};
use super::rest::{clean_up, stop_awake_first, take_up};
use super::rollback::Rollback;
use crate::desired::BeforeStop;
use crate::observed::Container;
use crate::plan::{Action, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::decide::networks::has_any;
use crate::planner::lower::create::without_aliases;
use crate::planner::lower::networks;
use crate::planner::lower::steps::Group;

/// Seconds that a container without a health check must stay up after it joined its networks.
const SETTLE: u32 = 1;

/// Adds the steps of a decision to a group.
pub(in crate::planner::lower) fn lower<'a>(
    context: &PlanContext<'a>,
    decision: &ContainerDecision<'a>,
    group: &mut Group<'_>,
) {
    let mut rollback = Rollback::new(decision);
    introduce(decision, group);
    stop_awake_first(decision, group, &rollback.actions());
    let to_remove = clear(context, decision, group, &rollback);
    let desired = decision.desired;
    let (target, name) = match &decision.choice {
        Choice::New { generation, name } => {
            let bare = without_aliases(&decision.spec);
            let target = make(context, decision, &bare, *generation, name, group, &mut rollback);
            rollback.started = true;
            group.push(Action::Start { container: target.clone(), name: name.clone() }, rollback.actions());
            group.push(await_healthy(context, decision, &target, name, desired.monitor), rollback.actions());
            for action in networks::named_anew(&decision.spec, &target, name) {
                group.push(action, rollback.actions());
            }
            (target, name.clone())
        }
        Choice::Existing(chosen) => {
            rollback.started = true;
            // An attempt that is all that runs goes on running, whatever happens.
            rollback.committed = decision.to_stop.is_empty();
            let (target, name) = (Target::Id(chosen.id.clone()), take_up(decision, group, &mut rollback));
            if runs(chosen) {
                join(decision, chosen, &name, group, &rollback);
            } else {
                let bare = without_aliases(&decision.spec);
                let alone = networks::rejoin_declared(&bare, chosen);
                let alone = alone.into_iter().map(|action| networks::called(action, &name));
                let start = Action::Start { container: target.clone(), name: name.clone() };
                let wait = await_healthy(context, decision, &target, &name, desired.monitor);
                let known = networks::named_anew(&decision.spec, &target, &name);
                for action in alone.chain([start, wait]).chain(known) {
                    group.push(action, rollback.actions());
                }
            }
            (target, name)
        }
    };
    let joined = matches!(decision.choice, Choice::Existing(_)) || has_any(&decision.spec);
    if joined {
        let monitor = if matches!(decision.choice, Choice::New { .. }) { SETTLE } else { desired.monitor };
        group.push(await_healthy(context, decision, &target, &name, monitor), rollback.actions());
    }
    declare_live(decision, &target, &name, group, &mut rollback);
    farewell(decision, group, &rollback);
    if !decision.to_stop.is_empty() {
        rollback.committed = true;
    }
    stop_and_park(decision, group, &mut rollback);
    commit(decision, &target, &name, group, &mut rollback);
    clean_up(context, decision, &to_remove, group);
}

/// What comes between the new one being known and the old one being stopped.
fn farewell(decision: &ContainerDecision<'_>, group: &mut Group<'_>, rollback: &Rollback<'_>) {
    let Some(replica) = decision.desired.replica.as_ref().filter(|_| !decision.to_stop.is_empty()) else {
        return;
    };
    if replica.drain > 0 && has_any(&decision.spec) {
        let why = format!("clients of {} learn the new address", replica.service);
        group.push(Action::Delay { seconds: replica.drain, why }, rollback.actions());
    }
    let Some(what) = &replica.before_stop else { return };
    for old in &decision.to_stop {
        group.push(last_words(what, old), rollback.actions());
    }
}

/// What is done in an old container before it is stopped.
pub(in crate::planner::lower) fn last_words(what: &BeforeStop, old: &Container) -> Action {
    let (container, name) = (Target::Id(old.id.clone()), old.name.clone());
    match what {
        BeforeStop::Exec(command) => Action::Exec { container, name, command: command.clone() },
        BeforeStop::Signal(signal) => Action::Signal { container, name, signal: signal.clone() },
    }
}
