//! Kept containers: how one is taken up again, how they are laid down, and how those that are too many go.

use super::parts::remove;
use super::rollback::Rollback;
use crate::observed::Container;
use crate::plan::{Action, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::decide::restart::{parked, same_policy};
use crate::planner::lower::networks;
use crate::planner::lower::steps::Group;
use serde_json::{Value, json};

/// Gives a kept container that is chosen the name of a returning one, before anything is done with it:
/// wherever that is cut off, the next run knows that a rollback started it. Answers the chosen one's name.
pub(super) fn take_up<'a>(
    decision: &ContainerDecision<'a>,
    group: &mut Group<'_>,
    rollback: &mut Rollback<'a>,
) -> String {
    let Choice::Existing(chosen) = decision.choice else { return String::new() };
    let Some(returning) = &decision.names.returning else { return chosen.name.clone() };
    rollback.returns(decision, chosen, &returning.rests_as);
    if returning.name != chosen.name {
        rollback.called(&returning.name);
        let container = Target::Id(chosen.id.clone());
        let (from, to) = (chosen.name.clone(), returning.name.clone());
        group.push(Action::Rename { container, from, to }, rollback.actions());
    }
    returning.name.clone()
}

/// The end of a replacement: what is not needed any more goes, and what is kept is laid down.
pub(super) fn clean_up(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    to_remove: &[&Container],
    group: &mut Group<'_>,
) {
    if !runs_beside(decision) {
        stop_awake(decision, group, &[]);
    }
    for ours in to_remove {
        remove(context, decision, ours, group, &[]);
    }
    lay_down(context, decision, group);
    leave_networks(decision, group);
}

/// Stops kept ones that run: at the beginning, so that two do not write to the same data, where another
/// container of it runs as well; else in the end, since they are all that answers.
pub(super) fn stop_awake_first(decision: &ContainerDecision<'_>, group: &mut Group<'_>, undo: &[Action]) {
    if runs_beside(decision) {
        stop_awake(decision, group, undo);
    }
}

fn runs_beside(decision: &ContainerDecision<'_>) -> bool {
    decision.instances.all().any(runs)
}

fn stop_awake(decision: &ContainerDecision<'_>, group: &mut Group<'_>, undo: &[Action]) {
    for ours in &decision.aside.awake {
        let (container, name) = (Target::Id(ours.id.clone()), ours.name.clone());
        let timeout = decision.desired.stop_timeout;
        group.push(Action::Stop { container, name, timeout }, undo.to_vec());
        if decision.can_update {
            rest(ours, &ours.name, group, undo);
        }
    }
}

/// What Compose can start is in no network while it is kept. Nothing takes this back: a rollback joins them again.
fn leave_networks(decision: &ContainerDecision<'_>, group: &mut Group<'_>) {
    for ours in &decision.aside.leaves {
        let name = group.name_of(&ours.id).unwrap_or_else(|| ours.name.clone());
        for action in networks::leave(ours) {
            group.push(networks::called(action, &name), Vec::new());
        }
    }
}

/// Lays down what came back in vain, parks what stays, and removes what is more than is kept. Nothing takes
/// this back: the service runs as desired by now.
fn lay_down(context: &PlanContext<'_>, decision: &ContainerDecision<'_>, group: &mut Group<'_>) {
    for ours in decision.instances.all().filter(|ours| decision.stays(ours)) {
        let name = group.name_of(&ours.id).unwrap_or_else(|| ours.name.clone());
        if decision.can_update {
            park(ours, &name, group);
        }
        if let Some(to) = decision.names.laid_down.get(&ours.id).cloned() {
            group.push(Action::Rename { container: Target::Id(ours.id.clone()), from: name, to }, Vec::new());
        }
    }
    for ours in &decision.surplus.containers {
        remove(context, decision, ours, group, &[]);
    }
    for name in &decision.surplus.tags {
        group.untag(name, Vec::new());
    }
}

/// Gives one that was down when we came the policy with which it stays so when its Engine starts again.
/// What we stopped got it then.
fn park(ours: &Container, name: &str, group: &mut Group<'_>) {
    if !runs(ours) {
        rest(ours, name, group, &[]);
    }
}

fn rest(ours: &Container, name: &str, group: &mut Group<'_>, undo: &[Action]) {
    let policy = ours.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
    if !same_policy(policy, &parked(policy)) {
        let (container, name) = (Target::Id(ours.id.clone()), name.to_owned());
        group.push(
            Action::Update { container, name, body: json!({ "RestartPolicy": parked(policy) }) },
            undo.to_vec(),
        );
    }
}
