//! Stopping, starting and restarting what runs, by request: planned from what is there.

use super::context::PlanContext;
use super::decide::operate::Operated;
use super::operation::Operation;
use super::options::Options;
use super::{explain, lower};
use crate::check;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::plan::{HostPlan, PlanBody};
use crate::problem::Result;

/// Plans what is done with a service on a host, and checks the plan.
///
/// # Errors
/// Where nothing of it is there, or it is stopped and a restart is asked for.
pub fn plan_operation(
    desired: &Desired,
    observed: &Observed,
    options: &Options,
    service: &str,
    operation: &Operation,
) -> Result<HostPlan> {
    let context = PlanContext::new(desired, observed, options);
    let operated = Operated::of(&context, service, operation)?;
    let (changes, notes) = explain::operated(&context, &operated);
    let steps = lower::operated(&context, &operated, &explain::cause_of(&operated));
    let body = PlanBody { changes, notes, steps, ..PlanBody::default() };
    let engine_id = observed.facts.engine_id.clone();
    let plan = HostPlan::new(observed.host.clone(), options.engine.clone(), engine_id, body);
    // Nothing that is declared has to be so afterwards.
    let nothing = Desired { items: Vec::new(), partial: true, ..desired.clone() };
    check::host(&plan, &nothing, observed)?;
    Ok(plan)
}
