//! Steps of what is done with a service by request.

use super::replace::last_words;
use super::steps::{Group, Steps};
use crate::desired::DesiredContainer;
use crate::observed::HealthCheck;
use crate::plan::{Action, Cause, Step, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::instances::runs;
use crate::planner::decide::operate::{Operated, OperatedContainer};
use crate::planner::operation::Operation;
use serde_json::json;

/// Seconds that a container without a health check must stay up, where nothing is declared.
const MONITOR: u32 = 10;

/// The record of a stop is made before anything is stopped, and goes before anything is started: wherever that is cut
/// off, the next apply does what was asked for.
pub(in crate::planner) fn lower(
    context: &PlanContext<'_>,
    operated: &Operated<'_>,
    cause: &Cause,
) -> Vec<Step> {
    let mut steps = Steps::default();
    let mut group =
        Group::new(&mut steps, format!("record service {}", operated.service), cause.clone(), Vec::new());
    if let Some(stop) = operated.forgets {
        group.push(Action::RemoveOwnVolume { name: stop.volume.clone() }, Vec::new());
    }
    if let Some(stop) = &operated.records {
        let (name, labels) = (stop.volume.clone(), stop.labels(context.workspace()));
        group.push(Action::CreateOwnVolume { name, labels, memory: false }, Vec::new());
    }
    let mut needs = Vec::from_iter(group.end());
    for one in &operated.containers {
        let name = format!("{} {}", operated.operation.word(), one.container.name);
        let mut group = Group::new(&mut steps, name, cause.clone(), needs.clone());
        container(context, one, &mut group);
        // One after another, where each is away for a moment.
        if let (Operation::Restart, Some(end)) = (operated.operation, group.end()) {
            needs = vec![end];
        }
    }
    steps.finish()
}

fn container(context: &PlanContext<'_>, one: &OperatedContainer<'_>, group: &mut Group<'_>) {
    let ours = one.container;
    let (target, name) = (Target::Id(ours.id.clone()), ours.name.clone());
    group.know(&ours.id, &name, runs(ours));
    let start = Action::Start { container: target.clone(), name: name.clone() };
    if one.stops {
        let before = one.desired.and_then(|want| want.replica.as_ref()?.before_stop.as_ref());
        if let Some(what) = before.filter(|_| ours.state.status == "running") {
            group.push(last_words(what, ours), Vec::new());
        }
        let timeout = one.desired.and_then(|want| want.stop_timeout);
        let undo = if one.starts { vec![start.clone()] } else { Vec::new() };
        group.push(Action::Stop { container: target.clone(), name: name.clone(), timeout }, undo);
    }
    if one.starts {
        group.push(start, Vec::new());
        group.push(wait(context, one), Vec::new());
    }
    if let Some(policy) = &one.policy {
        let body = json!({ "RestartPolicy": policy });
        group.push(Action::Update { container: target, name, body }, Vec::new());
    }
}

fn wait(context: &PlanContext<'_>, one: &OperatedContainer<'_>) -> Action {
    let ours = one.container;
    let check = ours.inspect.compare("/Config/Healthcheck").and_then(|check| HealthCheck::read(check, None));
    let declared = one.desired.and_then(|want| want.start_timeout);
    let source = |want: &DesiredContainer| {
        ["start_timeout", "image", "gate"].iter().find_map(|field| want.sources.get(*field)?.last().cloned())
    };
    Action::AwaitHealthy {
        container: Target::Id(ours.id.clone()),
        name: ours.name.clone(),
        monitor: one.desired.map_or(MONITOR, |want| want.monitor),
        timeout: declared.unwrap_or_else(|| HealthCheck::start_timeout(check.as_ref())),
        follows_check: declared.is_none(),
        probes: !context.facts().runs_health_checks,
        declared: one.desired.and_then(source),
    }
}
