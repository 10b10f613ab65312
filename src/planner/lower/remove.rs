//! Taking away what is not to be there.

use super::steps::Group;
use crate::observed::Container;
use crate::plan::{Action, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::data::Data;
use crate::planner::decide::instances::{Instances, runs};
use crate::planner::decide::secrets;

/// Removes a container that does not run, and before it the tag that kept its image: cut off in between,
/// the container is still there to tell the next run of its tag. A tag whose image stays, or goes, is not taken off
/// here. Its volume of secrets goes after it; and of one that was taken over the record: without it the container
/// would be a stranger.
pub(super) fn removal(
    context: &PlanContext<'_>,
    ours: &Container,
    name: Option<String>,
    group: &Group<'_>,
) -> Vec<Action> {
    let name = name.unwrap_or_else(|| ours.name.clone());
    let record = context.record(&ours.id);
    let forget = record.map(|record| Action::Forget { name: name.clone(), volume: record.volume.clone() });
    let remove = Action::Remove { container: Target::Id(ours.id.clone()), name };
    let tags = context.tags_of(ours).into_iter().filter(|tag| group.takes_off(tag));
    let volume = secrets::of(context, ours);
    let volume = volume.map(|name| Action::RemoveOwnVolume { name: name.to_owned() });
    tags.map(|name| Action::Untag { name }).chain([remove]).chain(volume).chain(forget).collect()
}

/// Removes the anonymous volumes that no container mounts any more after this one was removed.
pub(super) fn drop_data(
    data: &Data<'_>,
    ours: &Container,
    name: &str,
    group: &mut Group<'_>,
    undo: &[Action],
) {
    let of_it = data.going.iter().filter(|(_, users)| users.contains(&ours.id));
    let last: Vec<&String> = of_it
        .filter(|(_, users)| users.iter().all(|id| group.is_gone(id)))
        .map(|(volume, _)| volume)
        .collect();
    for volume in last {
        let action = Action::RemoveAnonymousVolume { name: volume.clone(), of: name.to_owned() };
        group.push(action, undo.to_vec());
    }
}

/// Stops and removes all of ours of a service, the one with the plain name last. There is no rollback of this:
/// stopped is nearer to what is wanted than running.
pub(super) fn absent(
    context: &PlanContext<'_>,
    instances: &Instances<'_>,
    data: &Data<'_>,
    timeout: Option<u32>,
    group: &mut Group<'_>,
) {
    let left = instances.kept.iter().chain(&instances.others).chain(&instances.holder);
    for ours in left {
        group.know(&ours.id, &ours.name, runs(ours));
        if runs(ours) {
            let (container, name) = (Target::Id(ours.id.clone()), ours.name.clone());
            group.push(Action::Stop { container, name, timeout }, Vec::new());
        }
        for action in removal(context, ours, None, group) {
            group.push(action, Vec::new());
        }
        drop_data(data, ours, &ours.name, group, &[]);
    }
}
