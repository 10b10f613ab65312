//! Kept containers: how one is taken up again, how they are laid down, and how those that are too many go.

use super::super::context::PlanContext;
use super::super::course::{Choice, Course};
use super::super::create::{parked, same_policy};
use super::super::instances::{generation, runs};
use super::super::kept;
use super::super::steps::Group;
use super::stop_first::remove;
use super::way_back::WayBack;
use crate::observed::{Container, Standing};
use crate::plan::{Action, Target};
use serde_json::{Value, json};

/// Gives a kept container that is chosen the name of one on its way back, before anything is done with it:
/// wherever that is cut off, the next run knows that nobody else started it. Answers the chosen one's name.
pub(super) fn take_up<'a>(
    context: &PlanContext<'a>,
    course: &Course<'a>,
    group: &mut Group<'_>,
    back: &mut WayBack<'a>,
) -> String {
    let Choice::Existing(chosen) = course.choice else { return String::new() };
    let slot = course.wish.name.as_str();
    let kept = |number| Standing::kept(slot, generation(chosen), number);
    match chosen.standing() {
        Standing::Committed | Standing::Attempt => chosen.name.clone(),
        Standing::Returning => {
            back.rests_as = Some(context.first_free(kept));
            chosen.name.clone()
        }
        Standing::Kept => {
            let returning =
                context.first_free(|number| Standing::returning(slot, generation(chosen), number));
            back.rests_as = Some(chosen.name.clone());
            back.called(&returning);
            let container = Target::Id(chosen.id.clone());
            let (from, to) = (chosen.name.clone(), returning.clone());
            let undo = back.actions();
            group.push(Action::Rename { container, from, to }, undo);
            returning
        }
    }
}

/// Lays down what came back in vain, parks what stays, and removes what is more than is kept. Nothing takes
/// this back: the service runs as wished by now.
pub(super) fn lay_down(context: &PlanContext<'_>, course: &Course<'_>, group: &mut Group<'_>) {
    let slot = course.wish.name.as_str();
    for ours in course.instances.all().filter(|ours| kept::stays(course, ours)) {
        let name = group.name_of(&ours.id).unwrap_or_else(|| ours.name.clone());
        if course.can_update {
            park(ours, &name, group);
        }
        if ours.standing() == Standing::Returning {
            let to = context.first_free(|number| Standing::kept(slot, generation(ours), number));
            group.push(Action::Rename { container: Target::Id(ours.id.clone()), from: name, to }, Vec::new());
        }
    }
    for ours in &course.surplus.containers {
        remove(context, ours, group, &[]);
    }
    for name in &course.surplus.tags {
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
