//! Removing what is left of this workspace and of use to nothing any more: failed attempts, what an apply that did not
//! finish left, and images of containers that are no more.

use super::context::PlanContext;
use super::decide::clean::decide;
use super::options::{Clean, Options};
use super::{explain, lower};
use crate::check;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::plan::{HostPlan, PlanBody};
use crate::problem::Result;

/// Plans that on a host, and checks the plan.
///
/// # Errors
/// Where the check finds a mistake.
pub fn plan_clean(
    desired: &Desired,
    observed: &Observed,
    options: &Options,
    clean: Clean,
) -> Result<HostPlan> {
    let context = PlanContext::new(desired, observed, options);
    let decisions = decide(&context, clean);
    let explained = explain::explain(&context, &decisions);
    let body = PlanBody {
        changes: explained.changes,
        steps: lower::lower(&context, &decisions, &explained.causes),
        unread_images: decisions.images.unread,
        ..PlanBody::default()
    };
    let engine_id = observed.facts.engine_id.clone();
    let plan = HostPlan::new(observed.host.clone(), options.engine.clone(), engine_id, body);
    // Nothing that is declared has to be so afterwards.
    let nothing = Desired { items: Vec::new(), partial: true, ..desired.clone() };
    check::host(&plan, &nothing, observed)?;
    Ok(plan)
}
