//! What still uses a network, a volume or an image when its turn to go comes.

use super::choice::Choice;
use super::container::ContainerDecision;
use super::decision::{Decided, Decision};
use super::image::ImageDecision;
use super::instances::runs;
use super::networks;
use super::order::Turn;
use super::resource::{ResourceAction, ResourceDecision};
use super::secrets::Leftovers;
use super::users;
use crate::desired::Kind;
use crate::observed::{Container, User};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, Problems, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The decisions, where what is to go stays because it is in use by then.
///
/// # Errors
/// Where a state declares absent what is in use.
pub(in crate::planner) fn settle<'a>(
    context: &PlanContext<'a>,
    decided: Vec<Decided<'a>>,
    turns: &[Turn],
    leftovers: &Leftovers<'a>,
) -> Result<Vec<Decided<'a>>> {
    let mut problems = Vec::new();
    let mut stay: BTreeMap<usize, Decision<'a>> = BTreeMap::new();
    let fates = Fates::of(&decided, turns, leftovers);
    for (position, turn) in turns.iter().enumerate() {
        match &decided[turn.entry].decision {
            Decision::Resource(resource) => match resource_in_use(context, resource, &fates, position) {
                Ok(Some(users)) => {
                    let action = ResourceAction::InUse(users);
                    let (kind, name) = (resource.kind, resource.name);
                    stay.insert(turn.entry, Decision::Resource(ResourceDecision { kind, name, action }));
                }
                Ok(None) => {}
                Err(problem) => problems.push(*problem),
            },
            Decision::Image(ImageDecision::Untagged { last: true, users, .. }) => {
                let left = fates.left(users, None, position);
                if !left.is_empty() {
                    stay.insert(turn.entry, Decision::Image(ImageDecision::InUse(left)));
                }
            }
            _ => {}
        }
    }
    Problems::check(problems)?;
    let settled = decided.into_iter().enumerate().map(|(index, one)| match stay.remove(&index) {
        Some(decision) => Decided { decision, ..one },
        None => one,
    });
    Ok(settled.collect())
}

/// The users that keep it from going: an error where a state wants it away.
fn resource_in_use(
    context: &PlanContext<'_>,
    resource: &ResourceDecision<'_>,
    fates: &Fates<'_, '_>,
    position: usize,
) -> Result<Option<Vec<User>>, Box<Problem>> {
    let (network, undeclared) = match resource.action {
        ResourceAction::RemoveNetwork { undeclared, .. } => (Some(resource.name), undeclared),
        ResourceAction::RemoveVolume(_) => (None, false),
        _ => return Ok(None),
    };
    // A predecessor that is kept joins a network again, where it can, before it is started.
    let counts = |user: &User| network.is_none() || user.running || !users::is_kept(context, user);
    let left: Vec<User> =
        fates.left(resource.users(), network, position).into_iter().filter(counts).collect();
    if left.is_empty() || undeclared {
        return Ok(Some(left).filter(|left| !left.is_empty()));
    }
    let (address, names, host) = (resource.address(), users::named(&left), context.host());
    let how = match resource.kind {
        Kind::Network => "in it, or were created in it",
        _ => "using it, running or not",
    };
    Err(Box::new(
        Problem::failed(format!("{address} on host {host} is declared absent and in use"))
            .cause(format!("these containers are {how}: {names}"))
            .hint("declare them absent or without it; or remove this one later"),
    ))
}

/// What becomes of each container that is there, and when.
struct Fates<'e, 'a> {
    by_container: BTreeMap<&'a str, (usize, &'e Decision<'a>)>,
    /// They go before everything else.
    one_offs: BTreeSet<&'a str>,
}

impl<'e, 'a> Fates<'e, 'a> {
    fn of(decided: &'e [Decided<'a>], turns: &[Turn], leftovers: &Leftovers<'a>) -> Self {
        let mut by_container = BTreeMap::new();
        for (position, turn) in turns.iter().enumerate() {
            let decision = &decided[turn.entry].decision;
            let instances = match decision {
                Decision::Container(container) => &container.instances,
                Decision::Absent(absence) => &absence.instances,
                _ => continue,
            };
            by_container.extend(instances.everything().map(|ours| (ours.id.as_str(), (position, decision))));
        }
        let one_offs = leftovers.one_offs.iter().map(|(one, _)| one.id.as_str()).collect();
        Self { by_container, one_offs }
    }

    /// Those users that are left when it is the turn of a position, as they are then. `network` is left by
    /// those that leave it before.
    fn left(&self, users: &[User], network: Option<&str>, position: usize) -> Vec<User> {
        users.iter().filter_map(|user| self.then(user, network, position)).collect()
    }

    fn then(&self, user: &User, network: Option<&str>, position: usize) -> Option<User> {
        match self.by_container.get(user.id.as_str()) {
            _ if self.one_offs.contains(user.id.as_str()) => None,
            Some((before, Decision::Absent(_))) if *before < position => None,
            Some((before, Decision::Container(container))) if *before < position => {
                let ours = container.instances.everything().find(|ours| ours.id == user.id)?;
                then(container, ours, user, network)
            }
            _ => Some(user.clone()),
        }
    }
}

/// A user once the container that it is, or was, has been dealt with.
fn then(
    container: &ContainerDecision<'_>,
    ours: &Container,
    user: &User,
    network: Option<&str>,
) -> Option<User> {
    if container.goes(ours) {
        return None;
    }
    let mut then = user.clone();
    let stopped = container.to_stop.iter().chain(&container.aside.awake);
    if stopped.into_iter().any(|old| old.id == ours.id) {
        then.running = false;
    }
    if network.is_some() && container.aside.leaves(ours) {
        return None;
    }
    if container.choice.is(ours) {
        then.name = container.desired.name.to_string();
        then.running |= container.runs;
        return (!network.is_some_and(|network| leaves(container, ours, network))).then_some(then);
    }
    let holds = container.instances.holder.is_some_and(|holder| holder.id == ours.id);
    let new_name = match holds {
        true => container.names.aside.as_ref(),
        false => container.names.laid_down.get(&ours.id),
    };
    if let Some(name) = new_name {
        then.name.clone_from(name);
    }
    Some(then)
}

/// Whether a container that is chosen leaves a network for good.
fn leaves(container: &ContainerDecision<'_>, chosen: &Container, network: &str) -> bool {
    let Choice::Existing(_) = container.choice else { return false };
    let wanted = container.spec.networks();
    let leaves_it = if container.runs && !runs(chosen) {
        !wanted.is_empty() && !networks::stays_in_all(&container.spec, chosen)
    } else {
        container.networks.iter().any(|left| left == network)
    };
    leaves_it && networks::observed(chosen).contains_key(network) && !wanted.contains_key(network)
}
