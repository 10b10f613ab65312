//! What is said of a service that is stopped, started or restarted by request.

use super::change;
use super::held::stopped;
use crate::desired::{Address, Kind};
use crate::plan::{Cause, Change, Verb};
use crate::planner::context::PlanContext;
use crate::planner::decide::operate::Operated;
use crate::planner::operation::Operation;
use crate::problem::escaped;
use serde_json::Value;

/// The cause that stands at its steps.
pub(in crate::planner) fn cause(operated: &Operated<'_>) -> Cause {
    match (operated.operation, &operated.records) {
        (Operation::Stop(_), Some(stop)) => stopped(stop),
        (Operation::Stop(_), None) => Cause::Other("stopped by request".to_owned()),
        (Operation::Start, _) => Cause::Other("started by request".to_owned()),
        (Operation::Restart, _) => Cause::Other("restarted by request".to_owned()),
    }
}

/// A line for the service, where its record changes, and one for each container; and what follows from it.
pub(in crate::planner) fn changes(
    context: &PlanContext<'_>,
    operated: &Operated<'_>,
) -> (Vec<Change>, Vec<String>) {
    let line = |kind: Kind, name: &str, verb: Verb, cause: Cause| {
        change::plain(&Address { kind, name: name.to_owned() }, verb, cause)
    };
    let (service, cause) = (operated.service, cause(operated));
    let recorded = operated.forgets.is_some() || operated.records.is_some();
    let mut changes = Vec::new();
    changes.extend(recorded.then(|| line(Kind::Service, service, Verb::Update, cause.clone())));
    let containers = operated.containers.iter();
    changes.extend(
        containers.map(|one| line(Kind::Container, &one.container.name, Verb::Update, cause.clone())),
    );
    if changes.is_empty() {
        let said = match operated.operation {
            Operation::Stop(_) => "stopped already",
            Operation::Start | Operation::Restart => "it runs already",
        };
        changes.push(line(Kind::Service, service, Verb::Unchanged, Cause::Other(said.to_owned())));
    }
    let mut notes = Vec::new();
    if operated.records.is_some() {
        let name = escaped(service);
        notes.push(format!("service {name}: no apply starts or changes it until 'pillarbox start {name}'"));
    }
    notes.extend(sharers(context, operated));
    (changes, notes)
}

/// Containers that are in a namespace of one that stops lose it.
fn sharers(context: &PlanContext<'_>, operated: &Operated<'_>) -> Vec<String> {
    let stops = operated.containers.iter().filter(|one| one.stops);
    let stops: Vec<&str> = stops.map(|one| one.container.id.as_str()).collect();
    let of = |mode: &Value| mode.as_str()?.strip_prefix("container:").map(str::to_owned);
    let shares = |pointer: &str, inspect: &crate::observed::Inspect| {
        inspect.compare(pointer).and_then(of).is_some_and(|id| stops.contains(&id.as_str()))
    };
    let modes = ["/HostConfig/NetworkMode", "/HostConfig/PidMode", "/HostConfig/IpcMode"];
    let others = context.containers().filter(|other| other.state.running);
    let sharing = others.filter(|other| modes.iter().any(|mode| shares(mode, &other.inspect)));
    let note = |name: &str| {
        format!(
            "container {}: it shares a namespace with one that stops, and has to be started again: 'pillarbox apply'",
            escaped(name)
        )
    };
    sharing.map(|other| note(&other.name)).collect()
}
