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
    for ours in to_remove {
        remove(context, decision, ours, group, &[]);
    }
    lay_down(context, decision, group);
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
        group.push(Action::Untag { name: name.clone() }, Vec::new());
    }
}

/// Gives one that was down when we came the policy with which it stays so when its Engine starts again.
/// What we stopped got it then.
fn park(ours: &Container, name: &str, group: &mut Group<'_>) {
    let policy = ours.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
    if !runs(ours) && !same_policy(policy, &parked(policy)) {
        let (container, name) = (Target::Id(ours.id.clone()), name.to_owned());
        group.push(
            Action::Update { container, name, body: json!({ "RestartPolicy": parked(policy) }) },
            Vec::new(),
        );
    }
}
