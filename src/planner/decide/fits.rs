//! Whether a container that is there is as desired.

use super::restart::{policy, same_policy};
use super::secrets;
use super::source::Source;
use crate::desired::DesiredContainer;
use crate::observed::Container;
use crate::planner::context::PlanContext;
use serde_json::Value;

/// Whether a container is as desired, and usable.
pub(in crate::planner) fn fits(
    context: &PlanContext<'_>,
    desired: &DesiredContainer,
    source: &Source,
    container: &Container,
) -> bool {
    let back = desired.replica.as_ref().and_then(|replica| replica.back.as_ref());
    if let Some(id) = back.and_then(|back| back.container.as_ref()) {
        return container.id == *id;
    }
    let labels = container.ours.as_ref();
    let same = labels
        .is_some_and(|ours| desired.spec.has_made(&ours.spec, &ours.fields) && ours.image == source.label);
    let usable = !matches!(container.state.status.as_str(), "dead" | "removing");
    let whole = !desired.spec.has_volume() || secrets::has(context, container);
    let changed = context.can_update() || live(desired, container).is_empty();
    let drifted = context.options.fix_drift && !desired.spec.drift(&container.inspect).is_empty();
    same && usable && whole && changed && !drifted && desired.spec.may_stay(container.first_network())
}

/// Limits that differ, and the restart policy if it is not what it is in the end.
pub(in crate::planner) fn live(desired: &DesiredContainer, container: &Container) -> Vec<String> {
    let mut found = desired.spec.live_differences(&container.inspect);
    found.retain(|field| !field.starts_with("networks.") && field != "restart");
    let observed = container.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
    if !same_policy(observed, &policy(desired)) {
        found.push("restart".to_owned());
    }
    found
}
