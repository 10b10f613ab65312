//! New containers of a service that is as it is declared: a restart without a gap.

use super::options::Options;
use super::plan_host;
use crate::desired::{Address, Desired, Item, Kind};
use crate::observed::Observed;
use crate::plan::{Action, HostPlan, Verb};
use crate::problem::{Problem, Result, escaped, quoted};
use std::collections::BTreeSet;

/// The containers of a service, which no gate holds, and the networks and volumes that they need.
pub fn service_alone(desired: &Desired, service: &str) -> Desired {
    let mut needed: BTreeSet<Address> = BTreeSet::new();
    let mut items: Vec<Item> = Vec::new();
    for item in desired.items.iter().rev() {
        let of_service = item.service().is_some_and(|one| one.as_str() == service);
        let thing = matches!(item.address.kind, Kind::Network | Kind::Volume);
        if of_service || (thing && needed.contains(&item.address)) {
            needed.extend(item.needs.iter().cloned());
            items.push(Item { gate: None, ..item.clone() });
        }
    }
    items.reverse();
    let there: BTreeSet<Address> = items.iter().map(|item| item.address.clone()).collect();
    for item in &mut items {
        item.needs.retain(|need| there.contains(need));
    }
    Desired { items, notes: Vec::new(), partial: true, ..desired.clone() }
}

/// Plans a new container for each of a service, of which `desired` has nothing else ([`service_alone`]).
///
/// # Errors
/// Where no state declares it, what runs is not what is declared, or an image would have to be pulled: a restart
/// deploys nothing.
pub fn plan_renewal(
    desired: &Desired,
    observed: &Observed,
    options: &Options,
    service: &str,
) -> Result<HostPlan> {
    let (name, host) = (escaped(service), &observed.host);
    let as_it_is = format!("restart it as it is: pillarbox restart {}", quoted(service));
    if desired.items.is_empty() {
        let what = format!("no state declares {name}, of which host {host} has a container");
        return Err(Problem::failed(what).hint(as_it_is).into());
    }
    let now = plan_host(desired, observed, options)?;
    let mut changes = now.changes.iter().filter(|change| change.actions != [Verb::Unchanged]).peekable();
    if changes.peek().is_some() {
        let problem = Problem::failed(format!("{name} on host {host} is not as it is declared"));
        let problem = changes.fold(problem, |problem, change| {
            let cause = change.cause.first().map(ToString::to_string).unwrap_or_default();
            problem.cause(format!("{}: {cause}", change.address))
        });
        return Err(problem
            .hint(format!("make it so: pillarbox apply --only {}", quoted(service)))
            .hint(format!("or {as_it_is}"))
            .into());
    }
    let renew = Options { renew: BTreeSet::from([service.to_owned()]), ..options.clone() };
    let plan = plan_host(desired, observed, &renew)?;
    let pulled = plan.steps.iter().find_map(|step| match &step.action {
        Action::Pull { image, .. } => Some(image),
        _ => None,
    });
    match pulled {
        None => Ok(plan),
        Some(image) => {
            let what = format!("image {image} is not on host {host}, and a restart pulls nothing");
            let hint = "restart it without --new, or deploy it: pillarbox apply";
            Err(Problem::failed(what).hint(hint).into())
        }
    }
}
