//! Taking away what shall not be there.

use super::instances::{Instances, generation, runs, slot};
use super::steps::Group;
use super::world::World;
use crate::name::WorkspaceName;
use crate::observed::Container;
use crate::plan::{Action, Target, keep_tag};

/// Removes a container that does not run, and before it the tag that kept its image: cut off in between,
/// the container is still there to tell the next run of its tag.
pub(super) fn removal(workspace: &WorkspaceName, ours: &Container, name: Option<String>) -> Vec<Action> {
    let name = name.unwrap_or_else(|| ours.name.clone());
    let remove = Action::Remove { container: Target::Id(ours.id.clone()), name };
    // An image that no registry knows got no such tag.
    let tagged = ours.ours.as_ref().is_some_and(|labels| !labels.image.starts_with("id:"));
    let tag = Action::Untag { name: keep_tag(workspace, slot(ours), generation(ours)) };
    tagged.then_some(tag).into_iter().chain([remove]).collect()
}

/// Stops and removes all of ours of a service, who holds the plain name last. Nothing takes this back:
/// stopped is nearer to what is wanted than running.
pub(super) fn absent(
    world: &World<'_>,
    instances: &Instances<'_>,
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
        for action in removal(&world.desired.workspace, ours, None) {
            group.push(action, Vec::new());
        }
    }
}
