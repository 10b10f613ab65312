//! Who still uses a network, a volume or an image when the steps so far are done.

use super::instances::slot;
use super::world::World;
use crate::observed::User;
use crate::plan::{Action, Step, Target};

/// The containers that are left, as they are then. `network` is left by those that a step takes out of it.
pub(super) fn left(steps: &[Step], users: &[User], network: Option<&str>) -> Vec<User> {
    let mut left: Vec<User> = users.to_vec();
    for action in steps.iter().map(|step| &step.action) {
        let Some(Target::Id(id)) = action.target() else { continue };
        match action {
            Action::Remove { .. } => left.retain(|user| user.id != *id),
            Action::Disconnect { network: from, .. } if Some(from.as_str()) == network => {
                left.retain(|user| user.id != *id);
            }
            Action::Connect { network: to, .. } if Some(to.as_str()) == network => {
                let back = users.iter().find(|user| user.id == *id).cloned();
                left.retain(|user| user.id != *id);
                left.extend(back);
            }
            Action::Stop { .. } | Action::Start { .. } => {
                for user in left.iter_mut().filter(|user| user.id == *id) {
                    user.running = matches!(action, Action::Start { .. });
                }
            }
            Action::Rename { to, .. } => {
                for user in left.iter_mut().filter(|user| user.id == *id) {
                    user.name.clone_from(to);
                }
            }
            _ => {}
        }
    }
    left
}

/// `nginx, db (stopped)`.
pub(super) fn named(users: &[User]) -> String {
    let names = users.iter().map(|user| {
        let name = crate::problem::escaped(&user.name);
        if user.running { name } else { format!("{name} (stopped)") }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Whether a container is ours and holds no plain name: a predecessor, or an attempt.
pub(super) fn is_kept(world: &World<'_>, user: &User) -> bool {
    world.ours().any(|(ours, _)| ours.id == user.id && ours.name != slot(ours))
}

/// Whether a container is ours.
pub(super) fn is_ours(world: &World<'_>, user: &User) -> bool {
    world.ours().any(|(ours, _)| ours.id == user.id)
}
