//! What is looked at: every selected host that has the service, and what is left of it there.

use super::RollbackArgs;
use super::gates::Gating;
use crate::desired::{Desired, DesiredContainer, DesiredState};
use crate::execute::Interrupt;
use crate::history::{Generation, OnHost, Wanted, generations};
use crate::name::{ContainerName, HostName};
use crate::problem::{Place, Problem, Result, escaped};
use crate::session::{FailedHost, Goal, Observation, Pipeline, Registries, Services, Vault, declared};
use std::collections::BTreeMap;

/// A host that has the service.
pub(super) struct Host {
    pub(super) name: HostName,
    /// Names of its containers as declared today.
    pub(super) slots: Vec<ContainerName>,
    /// The gate that says its image; else the line that does.
    pub(super) gating: Gating,
    /// What is declared today of the service.
    pub(super) wanted: Wanted,
    /// All that is declared today.
    pub(super) desired: Desired,
    pub(super) generations: Vec<Generation>,
}

impl Host {
    /// What decides where a rollback goes.
    pub(super) fn there(&self) -> OnHost<'_> {
        OnHost { generations: &self.generations, wanted: &self.wanted }
    }

    /// Lines that say a field of its containers.
    pub(super) fn sources(&self, field: &str) -> Vec<Place> {
        let wants = self.desired.items.iter().filter_map(|item| match &item.want {
            DesiredState::Container(want) if self.slots.contains(&want.name) => want.sources.get(field),
            _ => None,
        });
        wants.flatten().cloned().collect()
    }

    /// What is asked of it, to go to one of its generations.
    pub(super) fn goal(&self, service: &str, target: &Generation) -> Goal<'_> {
        let instances = self.slots.iter().filter_map(|slot| {
            let instance = target.instance(&self.generations, slot)?;
            Some((slot.to_string(), instance.clone()))
        });
        Goal {
            today: &self.desired,
            service: service.to_owned(),
            generation: target.number,
            image: target.reference(),
            instances: instances.collect(),
            surplus_goes: target.is_out_of_service(),
        }
    }
}

/// What is asked of each host.
pub(super) fn goals<'h>(
    service: &str,
    hosts: &'h [Host],
    targets: &[&Generation],
) -> BTreeMap<HostName, Goal<'h>> {
    let pairs = hosts.iter().zip(targets);
    pairs.map(|(host, target)| (host.name.clone(), host.goal(service, target))).collect()
}

/// The name of the service, and every selected host that has it, with what is left of it there, and
/// those that are left out.
pub(super) async fn look(
    args: &RollbackArgs,
    terms: &[String],
    vault: &Vault<'_>,
    interrupt: &Interrupt,
) -> Result<(String, Vec<Host>, Vec<FailedHost>)> {
    let declared = declared(vault, terms)?;
    let pipeline = Pipeline::new(vault, args.new_hosts.beside(args.yes), interrupt);
    let mut seen = pipeline.observe(declared, Registries::NotAsked).await?;
    let left_out = if args.reach.skip_unreachable { seen.leave_out_unreachable() } else { Vec::new() };
    let seen = seen.all()?;
    let mut services = Services::new(vault);
    for one in &seen {
        services.declare(&one.desired);
        services.observe(&one.observed);
    }
    let service = services.name(&args.service)?;
    let alone = |one: &Observation<'_>| {
        of_service(&one.desired, &service).iter().any(|(want, _)| want.replica.is_none())
    };
    let alone = seen.iter().any(alone);
    let hosts: Vec<Host> = seen.into_iter().filter_map(|one| host(one, vault, &service)).collect();
    let name = escaped(&service);
    match (hosts.is_empty(), alone) {
        (false, _) => Ok((service, hosts, left_out)),
        (true, true) => {
            let what = format!("{name} is a container by itself: nothing is kept of it");
            Err(Problem::failed(what)
                .hint(format!("declare it as [{name}.service.deployed]: it is taken over without a restart"))
                .into())
        }
        (true, false) => {
            Err(Problem::usage(format!("no state declares the service {name}, of which a container is left"))
                .hint("declare it again, or remove what is left: pillarbox apply --prune")
                .into())
        }
    }
}

/// `None` where no state of the host declares the service.
fn host(seen: Observation<'_>, vault: &Vault<'_>, service: &str) -> Option<Host> {
    let wanted = Wanted::of(&seen.desired, service)?;
    let wants = of_service(&seen.desired, service);
    let (want, gate) = wants.first()?;
    let gating = match gate {
        Some(app) => Gating::Gate((*app).to_owned()),
        None => Gating::Line(want.sources.get("image").and_then(|places| places.last()).cloned()),
    };
    Some(Host {
        name: seen.observed.host.clone(),
        slots: wants.iter().map(|(want, _)| want.name.clone()).collect(),
        gating,
        wanted,
        generations: generations(&seen.observed, vault.owner(), service),
        desired: seen.desired,
    })
}

/// The containers that are desired of a service, each with its gate.
fn of_service<'a>(desired: &'a Desired, service: &str) -> Vec<(&'a DesiredContainer, Option<&'a str>)> {
    let items = desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) if want.service().as_str() == service => {
            Some((want.as_ref(), item.gate.as_ref().map(|gate| gate.app.as_str())))
        }
        _ => None,
    });
    items.collect()
}

/// A host for tests, with one container of the service; `said` is what is declared, as `1.2@c`.
#[cfg(test)]
pub(super) fn sample(name: &str, said: &str, rows: &[crate::history::sample::Row<'_>]) -> Host {
    use crate::history::sample;
    use crate::name::{Owner, WorkspaceName};
    let name = HostName::parse(name).expect("a name");
    let workspace = Owner::from(WorkspaceName::parse("shop").expect("a name"));
    Host {
        desired: Desired {
            workspace,
            host: name.clone(),
            items: Vec::new(),
            notes: Vec::new(),
            partial: false,
        },
        name,
        slots: vec![ContainerName::parse("api").expect("a name")],
        gating: Gating::Gate("api".to_owned()),
        wanted: sample::wanted(said),
        generations: sample::generations(rows),
    }
}
