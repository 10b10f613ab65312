//! What is done with the containers of a service by request: they are stopped, started or restarted as they are. What
//! is declared only says how long that may take.

use super::instances::{Instances, runs, slot};
use super::restart::{parked, policy, same_policy};
use crate::desired::{DesiredContainer, DesiredState};
use crate::observed::{Container, Stop};
use crate::planner::context::PlanContext;
use crate::planner::operation::Operation;
use crate::problem::{Problem, Problems, Result, escaped};
use serde_json::Value;
use std::collections::BTreeSet;

/// The decision for one service.
pub(in crate::planner) struct Operated<'a> {
    pub(in crate::planner) service: &'a str,
    pub(in crate::planner) operation: &'a Operation,
    /// What is done with each of its containers, in their order.
    pub(in crate::planner) containers: Vec<OperatedContainer<'a>>,
    /// The record that it was stopped, and goes.
    pub(in crate::planner) forgets: Option<&'a Stop>,
    /// The record that it is stopped, and is made.
    pub(in crate::planner) records: Option<Stop>,
}

/// What is done with one container.
pub(in crate::planner) struct OperatedContainer<'a> {
    pub(in crate::planner) container: &'a Container,
    /// What is declared of it today, if anything is.
    pub(in crate::planner) desired: Option<&'a DesiredContainer>,
    pub(in crate::planner) stops: bool,
    pub(in crate::planner) starts: bool,
    /// The restart policy that it gets.
    pub(in crate::planner) policy: Option<Value>,
}

impl<'a> Operated<'a> {
    /// Decides.
    ///
    /// # Errors
    /// Where nothing of it is there, or it is stopped and a restart is asked for.
    pub(in crate::planner) fn of(
        context: &PlanContext<'a>,
        service: &'a str,
        operation: &'a Operation,
    ) -> Result<Self> {
        let stop = context.stops().find(|stop| stop.service == service);
        if let (Operation::Restart, Some(stop)) = (operation, stop.filter(|stop| !stop.over)) {
            return Err(stopped_problem(context, stop).into());
        }
        let slots = slots(context, service);
        let (mut containers, mut problems) = (Vec::new(), Vec::new());
        for (slot, desired) in &slots {
            let instances = Instances::of_slot(context, service, slot);
            match operation {
                Operation::Stop(_) => {
                    let running = instances.everything().filter(|ours| runs(ours));
                    containers.extend(running.map(|ours| stopped(context, ours, *desired)));
                }
                Operation::Start | Operation::Restart => match instances.holder {
                    Some(holder) => containers.extend(up(context, holder, *desired, operation)),
                    None => problems.push(nothing(context, slot)),
                },
            }
        }
        if slots.is_empty() {
            problems.push(nothing(context, service));
        }
        Problems::check(problems)?;
        let records = match operation {
            Operation::Stop(asked) => Some(asked.record(context.workspace(), service)),
            Operation::Start | Operation::Restart => None,
        };
        // What is remembered already is not written again.
        let same = records.as_ref().zip(stop).is_some_and(|(new, old)| !old.over && new == old);
        let forgets = stop.filter(|stop| !same && (stop.over || !matches!(operation, Operation::Restart)));
        Ok(Self { service, operation, containers, forgets, records: records.filter(|_| !same) })
    }
}

/// Why nothing else is done with a service that is stopped by request.
pub(in crate::planner) fn stopped_problem(context: &PlanContext<'_>, stop: &Stop) -> Problem {
    let (name, host, by) = (escaped(&stop.service), context.host(), escaped(&stop.by));
    let problem = Problem::failed(format!("{name} is stopped on host {host}, by {by}"));
    let problem = match &stop.why {
        Some(why) => problem.cause(format!("because of: {}", escaped(why))),
        None => problem,
    };
    problem.hint(format!("start it: pillarbox start {name}"))
}

/// Its containers by plain name: those that are declared, in their order, then others that are there. One that is
/// declared and was never made is for an apply.
fn slots<'a>(context: &PlanContext<'a>, service: &str) -> Vec<(&'a str, Option<&'a DesiredContainer>)> {
    let declared = context.items().filter_map(|item| match &item.want {
        DesiredState::Container(want) if want.service().as_str() == service => Some(want.as_ref()),
        _ => None,
    });
    let there: BTreeSet<&str> = context.of_service(service).map(|(ours, _)| slot(ours)).collect();
    let mut slots: Vec<(&str, Option<&DesiredContainer>)> = declared
        .filter(|want| there.contains(want.name.as_str()))
        .map(|want| (want.name.as_str(), Some(want)))
        .collect();
    let known: BTreeSet<&str> = slots.iter().map(|(slot, _)| *slot).collect();
    slots.extend(there.into_iter().filter(|slot| !known.contains(slot)).map(|slot| (slot, None)));
    slots
}

fn observed_policy(ours: &Container) -> &Value {
    ours.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null)
}

fn stopped<'a>(
    context: &PlanContext<'a>,
    ours: &'a Container,
    desired: Option<&'a DesiredContainer>,
) -> OperatedContainer<'a> {
    let now = observed_policy(ours);
    let parked = parked(now);
    let policy = (context.can_update() && !same_policy(now, &parked)).then_some(parked);
    OperatedContainer { container: ours, desired, stops: true, starts: false, policy }
}

/// A container that is started, or started again; `None` where it runs and no more is asked for.
fn up<'a>(
    context: &PlanContext<'a>,
    ours: &'a Container,
    desired: Option<&'a DesiredContainer>,
    operation: &Operation,
) -> Option<OperatedContainer<'a>> {
    let again = matches!(operation, Operation::Restart);
    let declared = desired.map(policy).filter(|_| context.can_update());
    let policy = declared.filter(|declared| !same_policy(observed_policy(ours), declared));
    (again || !runs(ours)).then(|| OperatedContainer {
        container: ours,
        desired,
        stops: runs(ours),
        starts: true,
        policy,
    })
}

fn nothing(context: &PlanContext<'_>, name: &str) -> Problem {
    let what = format!("host {} has no container {} in service", context.host(), escaped(name));
    Problem::failed(what).hint("an apply creates what is declared: pillarbox apply")
}
