//! Who still uses a network, a volume or an image when the steps so far are done.

use super::context::PlanContext;
use super::instances::slot;
use super::steps::Steps;
use crate::observed::User;
use crate::plan::Action;

/// The containers that are left, as they are then. `network` is left by those that a step takes out of it.
pub(super) fn left(steps: &Steps, users: &[User], network: Option<&str>) -> Vec<User> {
    users.iter().filter_map(|user| then(steps, user, network)).collect()
}

/// One of them, as it is then.
fn then(steps: &Steps, user: &User, network: Option<&str>) -> Option<User> {
    let mut left = Some(user.clone());
    for action in steps.of(&user.id) {
        match action {
            Action::Remove { .. } => left = None,
            Action::Disconnect { network: from, .. } if Some(from.as_str()) == network => left = None,
            Action::Connect { network: to, .. } if Some(to.as_str()) == network => {
                left = Some(user.clone());
            }
            Action::Stop { .. } | Action::Start { .. } => {
                if let Some(user) = &mut left {
                    user.running = matches!(action, Action::Start { .. });
                }
            }
            Action::Rename { to, .. } => {
                if let Some(user) = &mut left {
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
pub(super) fn is_kept(context: &PlanContext<'_>, user: &User) -> bool {
    context.our(&user.id).is_some_and(|ours| ours.name != slot(ours))
}

/// Whether a container is ours.
pub(super) fn is_ours(context: &PlanContext<'_>, user: &User) -> bool {
    context.our(&user.id).is_some()
}
