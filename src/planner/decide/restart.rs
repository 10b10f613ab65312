//! Restart policies: the declared one, that of an attempt, and that of a container that is to stay down.

use crate::desired::{ContainerWish, Run};
use serde_json::{Value, json};

/// The restart policy that a desired has in the end.
pub(in crate::planner) fn policy(desired: &ContainerWish) -> Value {
    let declared = desired.spec.restart_policy();
    // Stopped with `always` it would run again with its Engine.
    if desired.run == Run::Stopped { parked(&declared) } else { declared }
}

/// The policy of a container that is to stay down over a restart of its Engine. Measured: stopped with
/// `always`, and with `on-failure` after exit code 137 or 143, runs again; stopped with
/// `unless-stopped` stays down, and a bare start makes it permanent again.
pub(in crate::planner) fn parked(policy: &Value) -> Value {
    match policy.get("Name").and_then(Value::as_str) {
        Some("always" | "unless-stopped") => json!({ "Name": "unless-stopped", "MaximumRetryCount": 0 }),
        _ => no_restart(),
    }
}

/// The policy of an attempt.
pub(in crate::planner) fn no_restart() -> Value {
    json!({ "Name": "no", "MaximumRetryCount": 0 })
}

/// Whether two policies are the same; an empty name is `no`.
pub(in crate::planner) fn same_policy(a: &Value, b: &Value) -> bool {
    let name = |policy: &Value| match policy.get("Name").and_then(Value::as_str) {
        None | Some("") => "no".to_owned(),
        Some(name) => name.to_owned(),
    };
    let retries = |policy: &Value| match name(policy).as_str() {
        "on-failure" => policy.get("MaximumRetryCount").and_then(Value::as_i64).unwrap_or(0),
        _ => 0,
    };
    name(a) == name(b) && retries(a) == retries(b)
}
