//! The body of a create: what was declared, our labels, and a restart policy that suits an attempt.

use super::secrets::Files;
use crate::desired::Spec;
use crate::name::Owner;
use crate::observed::{Anonymous, Label, instance};
use crate::plan::Create;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::sharing;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A container to be created under a name; `spec` and `policy` are its endpoints and restart policy for now.
pub(super) fn create(
    workspace: &Owner,
    decision: &ContainerDecision<'_>,
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
    for one in &decision.data.handed {
        hand_over(one, &mut body);
    }
    body["HostConfig"]["RestartPolicy"] = policy.clone();
    for (label, value) in labels(workspace, decision, generation) {
        body["Labels"][label] = json!(value);
    }
    Create {
        name: name.to_owned(),
        service: decision.desired.name.to_string(),
        image: decision.source.create_from.clone(),
        digest: decision.source.pull.as_ref().and_then(|image| image.digest.clone()),
        body,
        env: decision.spec.env.clone(),
        mounted: files.map(Files::mounts).unwrap_or_default(),
    }
}

/// Mounts an anonymous volume of the predecessor where that had it. Nothing of the image is copied into it:
/// the predecessor may run.
fn hand_over(one: &Anonymous, body: &mut Value) {
    if body["HostConfig"]["Mounts"].is_null() {
        body["HostConfig"]["Mounts"] = json!([]);
    }
    let Some(mounts) = body["HostConfig"]["Mounts"].as_array_mut() else { return };
    let is_there = |mount: &&mut Value| mount["Target"].as_str().is_some_and(|at| at == one.path);
    if let Some(declared) = mounts.iter_mut().find(is_there) {
        declared["Source"] = json!(one.volume);
        declared["VolumeOptions"]["NoCopy"] = json!(true);
        return;
    }
    mounts.push(json!({
        "Type": "volume", "Source": one.volume, "Target": one.path, "ReadOnly": !one.writable,
        "VolumeOptions": { "NoCopy": true },
    }));
}

/// Our labels. A name or tag alone is in none that is compared.
fn labels(
    workspace: &Owner,
    decision: &ContainerDecision<'_>,
    generation: u64,
) -> BTreeMap<&'static str, String> {
    let (name, source) = (&decision.desired.name, &decision.source);
    let shares = sharing::label(&decision.shared).map(|text| (Label::SHARES, text));
    let fields = decision.spec.field_fingerprints();
    let fields: Vec<String> = fields.iter().map(|(field, print)| format!("{field}={print}")).collect();
    let mut ours = BTreeMap::from([
        (Label::SERVICE, decision.desired.service().to_string()),
        (Label::INSTANCE, instance(name.as_str(), generation)),
        (Label::GENERATION, generation.to_string()),
        (Label::SPEC, decision.fingerprint.0.clone()),
        (Label::FIELDS, fields.join(",")),
        (Label::IMAGE, source.label.clone()),
        (Label::VERSION, source.version.clone()),
    ]);
    if !decision.tasks.is_empty() {
        let tasks: Vec<String> = decision.tasks.iter().map(|(task, ran)| format!("{task}={ran}")).collect();
        ours.insert(Label::TASKS, tasks.join(","));
    }
    Label::of(workspace).chain(ours).chain(shares).collect()
}

/// The spec with no alias in any network: the container is not found by the service's name.
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
