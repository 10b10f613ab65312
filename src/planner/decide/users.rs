//! Containers that use a network, a volume or an image.

use super::instances::slot;
use crate::observed::User;
use crate::planner::context::PlanContext;
use crate::problem::escaped;

/// `nginx, db (stopped)`.
pub(in crate::planner) fn named(users: &[User]) -> String {
    let names = users.iter().map(|user| {
        let name = escaped(&user.name);
        if user.running { name } else { format!("{name} (stopped)") }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Whether a container is ours and holds no plain name: a predecessor, or an attempt.
pub(in crate::planner) fn is_kept(context: &PlanContext<'_>, user: &User) -> bool {
    context.our(&user.id).is_some_and(|ours| ours.name != slot(ours))
}

/// Whether a container is ours.
pub(in crate::planner) fn is_ours(context: &PlanContext<'_>, user: &User) -> bool {
    context.our(&user.id).is_some()
}
