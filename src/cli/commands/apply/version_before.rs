//! The version before, where a replacement failed.

use crate::event::GroupEnd;
use crate::execute::{HostOutcome, Outcome};
use crate::observed::{InstanceRole, Label};
use crate::plan::{Action, HostPlan, Plan};
use crate::problem::Problem;
use std::collections::BTreeSet;

/// So many services are named.
const NAMED: usize = 3;

/// Names `rollback` beside `apply` where a service has a container of the version before.
pub(super) fn hinted(plan: &Plan, outcome: Outcome) -> Outcome {
    let services = services(plan, &outcome.hosts);
    let hints: Vec<String> = services.iter().take(NAMED).map(|service| hint(service)).collect();
    let mut hints = Some(hints);
    let failure = outcome.failure.map(|failure| {
        // The first one says what runs where.
        failure.map(|problem| hints.take().into_iter().flatten().fold(problem, Problem::hint))
    });
    Outcome { failure, ..outcome }
}

fn hint(service: &str) -> String {
    format!("or go back to the version that works, with its gate: pillarbox rollback {service}")
}

/// Services of which a replacement was rolled back or failed.
fn services(plan: &Plan, ends: &[HostOutcome]) -> BTreeSet<String> {
    let of_host = |end: &HostOutcome| {
        let failed = |group: &str| {
            let is = |(name, end): &(String, GroupEnd)| {
                name == group
                    && matches!(end, GroupEnd::RolledBack | GroupEnd::RollbackFailed | GroupEnd::Failed)
            };
            end.groups.iter().any(is)
        };
        let body = plan.hosts.iter().find(|host| host.host == end.host);
        body.into_iter().flat_map(replaced).filter(|one| failed(&one.group)).collect::<Vec<_>>()
    };
    ends.iter().flat_map(of_host).map(|one| one.service).collect()
}

/// A group that makes a container whose predecessor is kept.
pub(super) struct Replaced {
    pub(super) group: String,
    pub(super) service: String,
    /// The version of the predecessor, where it has one.
    pub(super) from: Option<String>,
}

/// All of these on a host.
pub(super) fn replaced(host: &HostPlan) -> Vec<Replaced> {
    let keeps = |group: &str, slot: &str| {
        let is =
            |action: &Action| matches!(action, Action::Rename { to, .. } if InstanceRole::is_kept(to, slot));
        host.steps.iter().any(|step| step.group == group && is(&step.action))
    };
    let version = |slot: &str| {
        let address = format!("container {slot}");
        let change = host.changes.iter().find(|change| change.address == address)?;
        Some(change.before.as_ref()?.get("version")?.as_str()?.to_owned())
    };
    let made = host.steps.iter().filter_map(|step| match &step.action {
        Action::Create(create) if keeps(&step.group, &create.service) => Some(Replaced {
            group: step.group.clone(),
            service: create.body["Labels"][Label::SERVICE].as_str()?.to_owned(),
            from: version(&create.service),
        }),
        _ => None,
    });
    made.collect()
}
