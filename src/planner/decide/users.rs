//! Containers that use a network, a volume or an image.

use super::instances::slot;
use crate::observed::User;
use crate::planner::context::PlanContext;
use crate::problem::{escaped, quoted};

/// `nginx, db (stopped)`.
pub(in crate::planner) fn named(users: &[User]) -> String {
    let names = users.iter().map(|user| {
        let name = escaped(&user.name);
        if user.running { name } else { format!("{name} (stopped)") }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The commands after which these are not in a network any more: ours is recreated or joins again before it
/// starts, so it need only be stopped; what is not ours keeps its place in the network.
pub(in crate::planner) fn out_of(context: &PlanContext<'_>, network: &str, users: &[User]) -> String {
    let commands = users.iter().map(|user| match is_ours(context, user) {
        true => format!("docker stop {}", quoted(&user.name)),
        false => format!("docker network disconnect {} {}", quoted(network), quoted(&user.name)),
    });
    commands.collect::<Vec<_>>().join(" && ")
}

/// Whether a container is ours and holds no plain name: a predecessor, or an attempt.
pub(in crate::planner) fn is_kept(context: &PlanContext<'_>, user: &User) -> bool {
    context.our(&user.id).is_some_and(|ours| ours.name != slot(ours))
}

/// Whether a container is ours.
pub(in crate::planner) fn is_ours(context: &PlanContext<'_>, user: &User) -> bool {
    context.our(&user.id).is_some()
}
