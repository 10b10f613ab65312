//! The body of a create: what was declared, our labels, and a restart policy that suits an attempt.

use super::course::Course;
use super::secrets::Files;
use super::sharing;
use crate::desired::Spec;
use crate::name::{ContainerName, Owner};
use crate::observed::Label;
use crate::plan::Create;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A container to be created under a name; `spec` and `policy` are its endpoints and restart policy for now.
pub(super) fn create(
    workspace: &Owner,
    course: &Course<'_>,
    spec: &Spec,
    name: &str,
    generation: u64,
    policy: &Value,
    files: Option<&Files<'_>>,
) -> Create {
    let mut body = spec.create_body();
    if let Some(files) = files {
        files.mount(&mut body);
    }
    body["HostConfig"]["RestartPolicy"] = policy.clone();
    for (label, value) in labels(workspace, course, generation) {
        body["Labels"][label] = json!(value);
    }
    Create {
        name: name.to_owned(),
        service: course.wish.name.to_string(),
        image: course.source.create_from.clone(),
        digest: course.source.pull.as_ref().and_then(|image| image.digest.clone()),
        body,
        env: course.spec.env.clone(),
    }
}

/// The `.instance` label of a container.
pub(super) fn instance(name: &ContainerName, generation: u64) -> String {
    format!("{name}.g{generation}")
}

/// Our labels. A name or tag alone is in none that is compared.
fn labels(workspace: &Owner, course: &Course<'_>, generation: u64) -> BTreeMap<&'static str, String> {
    let (name, source) = (&course.wish.name, &course.source);
    let shares = sharing::label(&course.shared).map(|text| (Label::SHARES, text));
    let fields = course.spec.field_fingerprints();
    let fields: Vec<String> = fields.iter().map(|(field, print)| format!("{field}={print}")).collect();
    let mut ours = BTreeMap::from([
        (Label::SERVICE, course.wish.service().to_string()),
        (Label::INSTANCE, instance(name, generation)),
        (Label::GENERATION, generation.to_string()),
        (Label::SPEC, course.fingerprint.0.clone()),
        (Label::FIELDS, fields.join(",")),
        (Label::IMAGE, source.label.clone()),
        (Label::VERSION, source.version.clone()),
    ]);
    if !course.tasks.is_empty() {
        let tasks: Vec<String> = course.tasks.iter().map(|(task, ran)| format!("{task}={ran}")).collect();
        ours.insert(Label::TASKS, tasks.join(","));
    }
    Label::of(workspace).chain(ours).chain(shares).collect()
}

/// The policy of a container that shall stay down over a restart of its Engine. Measured: stopped with
/// `always`, and with `on-failure` after exit code 137 or 143, runs again; stopped with
/// `unless-stopped` stays down, and a bare start makes it permanent again.
pub(super) fn parked(policy: &Value) -> Value {
    match policy.get("Name").and_then(Value::as_str) {
        Some("always" | "unless-stopped") => json!({ "Name": "unless-stopped", "MaximumRetryCount": 0 }),
        _ => no_restart(),
    }
}

/// The spec with no alias in any network: nobody finds the container by the service's name.
pub(super) fn without_aliases(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    let networks = spec.live.get_mut("networks").and_then(Value::as_object_mut);
    for endpoint in networks.into_iter().flat_map(|networks| networks.values_mut()) {
        if let Some(endpoint) = endpoint.as_object_mut() {
            endpoint.remove("Aliases");
        }
    }
    spec
}

/// The policy of an attempt.
pub(super) fn no_restart() -> Value {
    json!({ "Name": "no", "MaximumRetryCount": 0 })
}

/// Whether two policies are the same; an empty name is `no`.
pub(super) fn same_policy(a: &Value, b: &Value) -> bool {
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
