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
        body.into_iter().flat_map(replaced).filter(|(group, _)| failed(group)).collect::<Vec<_>>()
    };
    ends.iter().flat_map(of_host).map(|(_, service)| service).collect()
}

/// Groups that make a container whose predecessor is kept, each with the service.
fn replaced(host: &HostPlan) -> Vec<(String, String)> {
    let keeps = |group: &str, slot: &str| {
        let is =
            |action: &Action| matches!(action, Action::Rename { to, .. } if InstanceRole::is_kept(to, slot));
        host.steps.iter().any(|step| step.group == group && is(&step.action))
    };
    let made = host.steps.iter().filter_map(|step| match &step.action {
        Action::Create(create) if keeps(&step.group, &create.service) => {
            Some((step.group.clone(), create.body["Labels"][Label::SERVICE].as_str()?.to_owned()))
        }
        _ => None,
    });
    made.collect()
}
