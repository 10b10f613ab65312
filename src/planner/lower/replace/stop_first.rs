//! Stop-first: the old container stops before the new one starts.
//!
//! Create under a temporary name with restart policy `no`, join networks, stop and park the old one,
//! start, await, declare the policy, rename old, rename new (the commit), remove what is left. A
//! container that is there already enters where it stands, so that the same order serves to start, to
//! stop, to change in place and to go on where an apply was interrupted.

use super::parts::{await_healthy, clear, commit, declare_live, introduce, join, make, stop_and_park};
use super::rest::{clean_up, stop_awake_first, take_up};
use super::rewrite;
use super::rollback::Rollback;
use crate::desired::Reaction;
use crate::plan::{Action, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::lower::steps::Group;

/// Adds the steps of a decision to a group; none if all is up to date.
pub(in crate::planner::lower) fn lower<'a>(
    context: &PlanContext<'a>,
    decision: &ContainerDecision<'a>,
    group: &mut Group<'_>,
) {
    let mut rollback = Rollback::new(decision);
    introduce(decision, group);
    stop_awake_first(decision, group, &rollback.actions());
    let holder_stays =
        decision.instances.holder.is_some_and(|holder| decision.choice.is(holder) && runs(holder));
    rollback.committed = holder_stays;
    let to_remove = clear(context, decision, group, &rollback);
    let (target, name, was_running) = match &decision.choice {
        Choice::Existing(container) => {
            let name = take_up(decision, group, &mut rollback);
            join(decision, container, &name, group, &rollback);
            (Target::Id(container.id.clone()), name, runs(container))
        }
        Choice::New { generation, name } => (
            make(context, decision, &decision.spec, *generation, name, group, &mut rollback),
            name.clone(),
            false,
        ),
    };
    if !was_running {
        rewrite::at_rest(context, decision, &target, &name, group, &rollback.actions());
    }
    stop_and_park(decision, group, &mut rollback);
    let of = |action: fn(Target, String) -> Action| action(target.clone(), name.clone());
    if decision.runs && !was_running {
        rollback.started = true;
        group.push(of(|container, name| Action::Start { container, name }), rollback.actions());
    }
    if decision.runs && !holder_stays {
        // An attempt that is all that runs goes on running, whatever it is worth.
        rollback.started |= decision.fallback.is_some();
        group.push(
            await_healthy(context, decision, &target, &name, decision.desired.monitor),
            rollback.actions(),
        );
    }
    declare_live(decision, &target, &name, group, &mut rollback);
    react(context, decision, &target, &name, group);
    commit(decision, &target, &name, group, &mut rollback);
    clean_up(context, decision, &to_remove, group);
}

/// What a container that runs and stays does because of what it watches.
fn react(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    target: &Target,
    name: &str,
    group: &mut Group<'_>,
) {
    let (container, name) = (target.clone(), name.to_owned());
    rewrite::before_signals(decision, &container, &name, group);
    for reaction in &decision.reactions {
        match reaction {
            Reaction::Signal(signal) => {
                let (container, name, signal) = (container.clone(), name.clone(), signal.clone());
                group.push(Action::Signal { container, name, signal }, Vec::new());
            }
            Reaction::Restart => {
                let start = Action::Start { container: container.clone(), name: name.clone() };
                let stop = Action::Stop {
                    container: container.clone(),
                    name: name.clone(),
                    timeout: decision.desired.stop_timeout,
                };
                let back = rewrite::back(decision, &container, &name);
                let again: Vec<Action> = back.iter().cloned().chain([start.clone()]).collect();
                group.push(stop.clone(), vec![start.clone()]);
                rewrite::at_rest(context, decision, &container, &name, group, &again);
                group.push(start, again.clone());
                let undo = if back.is_none() { Vec::new() } else { [vec![stop], again].concat() };
                let wait = await_healthy(context, decision, &container, &name, decision.desired.monitor);
                group.push(wait, undo);
            }
            // Then it is not the one that stays.
            Reaction::Replace => {}
        }
    }
    rewrite::after_signals(decision, &container, &name, group);
}
