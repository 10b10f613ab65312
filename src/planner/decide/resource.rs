//! Networks and volumes: made before the containers that use them, gone after them. What is there and not
//! ours is used as it is where it agrees, and never changed. A volume is never recreated: its data
//! would be lost. A network is recreated only while nothing that runs is in it.

use super::found::{differing, labelled, theirs};
use super::users;
use crate::desired::{Address, DesiredResource, Kind};
use crate::observed::{Network, User, Volume};
use crate::plan::changed_fields;
use crate::planner::context::PlanContext;
use crate::problem::{Place, Problem, Result};
use serde_json::Value;

/// What is to become of a network or a volume.
pub(in crate::planner) struct ResourceDecision<'a> {
    pub(in crate::planner) kind: Kind,
    pub(in crate::planner) name: &'a str,
    pub(in crate::planner) action: ResourceAction<'a>,
}

/// What is done.
pub(in crate::planner) enum ResourceAction<'a> {
    /// Nothing.
    Keep(KeepReason),
    /// It is created with this body.
    Create(Value),
    /// The old network goes, and a new one takes its name.
    Replace {
        old: &'a Network,
        body: Value,
        /// What is declared differently, each field with its line.
        fields: Vec<(String, Option<Place>)>,
    },
    RemoveNetwork {
        network: &'a Network,
        /// No state declares it any more; else one declares it absent.
        undeclared: bool,
    },
    RemoveVolume(&'a Volume),
    /// It is a network that no state declares any more, and these containers use it by then.
    InUse(Vec<User>),
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::planner) enum KeepReason {
    /// It is as desired.
    AsDesired,
    /// It is as desired, and not ours.
    Theirs,
    /// Its labels differ, which cannot change.
    OldLabels,
    /// It is declared absent, and not ours.
    NotOurs,
}

impl<'a> ResourceDecision<'a> {
    /// A network that is to be there.
    ///
    /// # Errors
    /// Where one of others differs, or ours cannot be recreated.
    pub(in crate::planner) fn network(
        context: &PlanContext<'a>,
        desired: &'a DesiredResource,
    ) -> Result<Self> {
        let decision = |action| Self { kind: Kind::Network, name: &desired.name, action };
        let keep = |reason| Ok(decision(ResourceAction::Keep(reason)));
        let body = || labelled(context, desired.network_body(), &desired.spec);
        let Some(found) = context.network(&desired.name)? else {
            return Ok(decision(ResourceAction::Create(body())));
        };
        let Some(made) = &found.ours else {
            theirs(context, Kind::Network, desired, &desired.network_differences(&found.inspect))?;
            return keep(KeepReason::Theirs);
        };
        let fields = differing(made, desired);
        if fields.is_empty() {
            return keep(KeepReason::AsDesired);
        }
        let in_it = found.users.iter().filter(|user| !context.goes(&user.id));
        let in_the_way = in_it.filter(|user| user.running || !users::is_ours(context, user));
        let in_the_way: Vec<User> = in_the_way.cloned().collect();
        if in_the_way.is_empty() {
            return Ok(decision(ResourceAction::Replace { old: found, body: body(), fields }));
        }
        if fields.iter().all(|(field, _)| field.starts_with("labels.")) {
            return keep(KeepReason::OldLabels);
        }
        let names = users::named(&in_the_way);
        let what = format!(
            "network {} on host {} is declared differently now, and containers are in it: {names}",
            desired.name,
            context.host()
        );
        let mut problem = Problem::failed(what)
            .cause(changed_fields(&fields))
            .cause("a network cannot be changed, and creating it again would cut their connections")
            .hint(format!(
                "declare the new network under another name and let the containers join that one; \
                 {} goes when nothing is in it: network.absent, or --prune",
                desired.name
            ))
            .hint(format!(
                "or take them out of it on the host, and apply again: {}",
                users::out_of(context, &desired.name, &in_the_way)
            ));
        problem.place = fields.into_iter().find_map(|(_, place)| place);
        Err(problem.into())
    }

    /// A network that is not to be there.
    ///
    /// # Errors
    /// Where several have the name.
    pub(in crate::planner) fn no_network(context: &PlanContext<'a>, name: &'a str) -> Result<Self> {
        let action = match context.network(name)? {
            None => ResourceAction::Keep(KeepReason::AsDesired),
            Some(found) if found.ours.is_none() => ResourceAction::Keep(KeepReason::NotOurs),
            Some(network) => ResourceAction::RemoveNetwork { network, undeclared: false },
        };
        Ok(Self { kind: Kind::Network, name, action })
    }

    /// A network of ours that no state declares.
    pub(in crate::planner) fn undeclared(network: &'a Network) -> Self {
        let action = ResourceAction::RemoveNetwork { network, undeclared: true };
        Self { kind: Kind::Network, name: &network.name, action }
    }

    /// A volume that is to be there.
    ///
    /// # Errors
    /// Where one is there and differs, managed by pillarbox or not.
    pub(in crate::planner) fn volume(
        context: &PlanContext<'a>,
        desired: &'a DesiredResource,
    ) -> Result<Self> {
        let decision = |action| Self { kind: Kind::Volume, name: &desired.name, action };
        let keep = |reason| Ok(decision(ResourceAction::Keep(reason)));
        let Some(found) = context.volume(&desired.name) else {
            let body = labelled(context, desired.volume_body(), &desired.spec);
            return Ok(decision(ResourceAction::Create(body)));
        };
        let Some(made) = &found.ours else {
            theirs(context, Kind::Volume, desired, &desired.volume_differences(&found.inspect))?;
            return keep(KeepReason::Theirs);
        };
        let fields = differing(made, desired);
        if fields.is_empty() {
            return keep(KeepReason::AsDesired);
        }
        if fields.iter().all(|(field, _)| field.starts_with("labels.")) {
            return keep(KeepReason::OldLabels);
        }
        let host = context.host();
        let mut problem =
            Problem::failed(format!("volume {} on host {host} is declared differently now", desired.name))
                .cause(changed_fields(&fields))
                .cause("a volume cannot be changed, and pillarbox never replaces one: its data would be lost")
                .hint("declare the new volume under another name, and copy the data")
                .hint(format!(
                    "if the data may be lost: 'docker volume rm {}' on the host when nothing uses it",
                    desired.name
                ));
        problem.place = fields.into_iter().find_map(|(_, place)| place);
        Err(problem.into())
    }

    /// A volume that is not to be there.
    pub(in crate::planner) fn no_volume(context: &PlanContext<'a>, name: &'a str) -> Self {
        let action = match context.volume(name) {
            None => ResourceAction::Keep(KeepReason::AsDesired),
            Some(found) if found.ours.is_none() => ResourceAction::Keep(KeepReason::NotOurs),
            Some(found) => ResourceAction::RemoveVolume(found),
        };
        Self { kind: Kind::Volume, name, action }
    }

    /// Whether it creates or recreates it.
    pub(in crate::planner) fn makes(&self) -> bool {
        matches!(self.action, ResourceAction::Create(_) | ResourceAction::Replace { .. })
    }

    /// Whether anything is done.
    pub(in crate::planner) fn changes(&self) -> bool {
        !matches!(self.action, ResourceAction::Keep(_) | ResourceAction::InUse(_))
    }

    /// Whether there is one already.
    pub(in crate::planner) fn is_there(&self) -> bool {
        !matches!(self.action, ResourceAction::Create(_))
    }

    /// The containers that use what goes.
    pub(in crate::planner) fn users(&self) -> &'a [User] {
        match self.action {
            ResourceAction::Replace { old: network, .. } | ResourceAction::RemoveNetwork { network, .. } => {
                &network.users
            }
            ResourceAction::RemoveVolume(volume) => &volume.users,
            ResourceAction::Keep(_) | ResourceAction::Create(_) | ResourceAction::InUse(_) => &[],
        }
    }

    pub(in crate::planner) fn address(&self) -> Address {
        Address { kind: self.kind, name: self.name.to_owned() }
    }
}
