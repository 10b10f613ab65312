//! What an Engine would refuse only when a container is created or started, and is known before anything is
//! stopped: ports and addresses that others hold, networks that are not there.

use super::choice::Choice;
use super::container::ContainerDecision;
use super::decision::{Decided, Decision};
use super::instances::runs;
use crate::desired::{DesiredState, Kind};
use crate::observed::{Container, Facts, HostPort, is_user_defined};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, escaped, quoted};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// All reasons why what was decided cannot be done.
pub(in crate::planner) fn check(context: &PlanContext<'_>, decided: &[Decided<'_>]) -> Vec<Problem> {
    let starting: Vec<&ContainerDecision<'_>> =
        decided.iter().filter_map(|one| one.decision.container()).filter(|one| begins(one)).collect();
    if starting.is_empty() {
        return Vec::new();
    }
    let gone: BTreeSet<&str> = decided.iter().flat_map(|one| stopped(&one.decision)).collect();
    // Podman lists the ports of stopped containers too.
    let going_on = context.containers().filter(|one| runs(one) && !gone.contains(one.id.as_str()));
    let held = Held::of(going_on);
    let mut problems = Vec::new();
    for one in starting {
        problems.extend(ports(context, one, &held));
        problems.extend(addresses(context, one, &held));
        problems.extend(networks(context, one));
    }
    problems
}

/// Who goes on holding what, by port and by address in a network.
#[derive(Default)]
struct Held<'a> {
    ports: BTreeMap<u16, Vec<(&'a HostPort, &'a Container)>>,
    addresses: BTreeMap<(&'a str, IpAddr), &'a Container>,
}

impl<'a> Held<'a> {
    fn of(containers: impl Iterator<Item = &'a Container>) -> Self {
        let mut held = Self::default();
        for one in containers {
            for port in &one.holds.ports {
                held.ports.entry(port.first).or_default().push((port, one));
            }
            for (network, ips) in &one.holds.addresses {
                held.addresses.extend(ips.iter().map(|ip| ((network.as_str(), *ip), one)));
            }
        }
        held
    }

    /// The other container that keeps one from getting a port.
    fn holder(
        &self,
        container: &ContainerDecision<'_>,
        port: &HostPort,
        number: u16,
    ) -> Option<&'a Container> {
        let there = self.ports.get(&number)?.iter();
        let mut others = there.filter(|(_, other)| !container.choice.is(other));
        others.find(|(held, _)| port.is_taken_by(number, held)).map(|(_, other)| *other)
    }
}

/// Whether it is created, or started.
fn begins(container: &ContainerDecision<'_>) -> bool {
    match &container.choice {
        Choice::New { .. } => true,
        Choice::Existing(chosen) => (container.runs && !runs(chosen)) || !container.networks.is_empty(),
    }
}

/// Ids of the containers that do not run any more when it is done.
fn stopped<'d>(decision: &'d Decision<'_>) -> Vec<&'d str> {
    match decision {
        Decision::Container(container) => container.to_stop.iter().map(|old| old.id.as_str()).collect(),
        Decision::Absent(absence) => absence.instances.everything().map(|old| old.id.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// The ports that it takes when it starts.
fn wanted(container: &ContainerDecision<'_>) -> Vec<HostPort> {
    match &container.choice {
        Choice::New { .. } if container.runs => {
            HostPort::of_bindings(container.desired.spec.create_body().pointer("/HostConfig/PortBindings"))
        }
        Choice::Existing(chosen) if container.runs && !runs(chosen) => {
            HostPort::of_bindings(chosen.inspect.compare("/HostConfig/PortBindings"))
        }
        _ => Vec::new(),
    }
}

fn ports(context: &PlanContext<'_>, container: &ContainerDecision<'_>, held: &Held<'_>) -> Vec<Problem> {
    let taken = wanted(container).into_iter().filter_map(|port| {
        // Of a range the Engine takes one that is free.
        let mut holders = (port.first..=port.last).map(|number| held.holder(container, &port, number));
        let first = holders.next()??;
        let all = holders.all(|holder| holder.is_some());
        all.then_some((port, first))
    });
    let problems = taken.map(|(port, holder)| {
        let (name, host) = (&container.desired.name, context.host());
        let problem =
            Problem::failed(format!("port {port} of host {host} is taken, and container {name} wants it"));
        let problem = problem.cause(who(context, holder, "publishes it"));
        let problem = stop(context, problem, holder);
        from(
            container,
            "ports",
            problem.hint(format!("or publish another port of the host: `ports` of container {name}")),
        )
    });
    problems.collect()
}

fn addresses(context: &PlanContext<'_>, container: &ContainerDecision<'_>, held: &Held<'_>) -> Vec<Problem> {
    let new = matches!(container.choice, Choice::New { .. });
    let mut problems = Vec::new();
    for (network, endpoint) in container.spec.networks() {
        if !new && !container.networks.contains(&network) {
            continue;
        }
        let fixed = [&endpoint["IPAMConfig"]["IPv4Address"], &endpoint["IPAMConfig"]["IPv6Address"]];
        for ip in fixed.into_iter().filter_map(Value::as_str).filter_map(|text| text.parse::<IpAddr>().ok()) {
            let holder = held.addresses.get(&(network.as_str(), ip)).copied();
            let Some(holder) = holder.filter(|other| !container.choice.is(other)) else { continue };
            let (name, host) = (&container.desired.name, context.host());
            let what = format!(
                "address {ip} in network {} of host {host} is taken, and container {name} wants it",
                escaped(&network)
            );
            let problem = Problem::failed(what).cause(who(context, holder, "has it"));
            let problem = stop(context, problem, holder);
            let field = format!("networks.{network}");
            problems.push(from(container, &field, problem.hint("or declare another address")));
        }
    }
    problems
}

fn networks(context: &PlanContext<'_>, container: &ContainerDecision<'_>) -> Vec<Problem> {
    let mode = container.desired.spec.create_body();
    let mode = mode.pointer("/HostConfig/NetworkMode").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut names: BTreeSet<String> = container.spec.networks().into_keys().collect();
    // Podman has modes of its own.
    if context.facts().engine_id != Facts::PODMAN {
        names.insert(mode);
    }
    let missing = names.into_iter().filter(|name| is_user_defined(name) && !is_there(context, name));
    let problems = missing.map(|network| {
        let (name, host) = (&container.desired.name, context.host());
        let problem = Problem::failed(format!(
            "container {name} is to be in network {}, which is not on host {host}",
            escaped(&network)
        ));
        let problem = problem
            .cause("no state of this host declares it either")
            .hint(format!("declare it: [NAME.network.present] with name = \"{}\"", escaped(&network)))
            .hint(format!("or make it there: docker network create {}", quoted(&network)));
        from(container, &format!("networks.{network}"), problem)
    });
    problems.collect()
}

fn is_there(context: &PlanContext<'_>, network: &str) -> bool {
    let declared = context.declared(Kind::Network, network);
    declared.is_some_and(|item| matches!(item.want, DesiredState::Network(_))) || context.has_network(network)
}

fn who(context: &PlanContext<'_>, holder: &Container, does: &str) -> String {
    let name = escaped(&holder.name);
    match holder.ours.is_some() && !holder.impostor {
        true => format!("container {name} of this workspace {does}, and goes on running"),
        false => format!("container {name} {does}; it was not made by workspace {}", context.workspace()),
    }
}

fn stop(context: &PlanContext<'_>, problem: Problem, holder: &Container) -> Problem {
    let host = context.host();
    problem.hint(format!("stop it there, on host {host}: docker stop {}", quoted(&holder.name)))
}

/// The line that declares a field of it.
fn from(container: &ContainerDecision<'_>, field: &str, mut problem: Problem) -> Problem {
    problem.place = container.desired.sources.get(field).and_then(|places| places.last()).cloned();
    problem
}
