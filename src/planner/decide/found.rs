//! Networks and volumes that are there, compared with what is declared of them.

use crate::desired::{Address, DesiredResource, Kind, Spec};
use crate::observed::{Label, Made, namesake};
use crate::planner::context::PlanContext;
use crate::problem::{Place, Problem, Result};
use serde_json::{Value, json};

/// A body with our labels.
pub(in crate::planner) fn labelled(context: &PlanContext<'_>, mut body: Value, spec: &Spec) -> Value {
    let fields = spec.field_fingerprints();
    let fields: Vec<String> = fields.iter().map(|(field, print)| format!("{field}={print}")).collect();
    for (name, value) in Label::of(context.workspace()) {
        body["Labels"][name] = json!(value);
    }
    body["Labels"][Label::SPEC] = json!(spec.fingerprint());
    body["Labels"][Label::FIELDS] = json!(fields.join(","));
    body
}

/// The fields that are declared otherwise than when it was made, each with its line.
pub(in crate::planner) fn differing(made: &Made, desired: &DesiredResource) -> Vec<(String, Option<Place>)> {
    let place = |field: &str| desired.sources.get(field).and_then(|lines| lines.first()).cloned();
    desired.spec.changed_since(&made.spec, &made.fields, place)
}

pub(in crate::planner) fn theirs(
    context: &PlanContext<'_>,
    kind: Kind,
    desired: &DesiredResource,
    differences: &[String],
) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let address = Address { kind, name: desired.name.clone() };
    let what = format!(
        "{address} on host {} was not made by workspace {} and differs: {}",
        context.host(),
        context.workspace(),
        differences.join(", ")
    );
    let mut problem =
        Problem::failed(what).cause("what pillarbox did not create is used as it is and never changed");
    let found = match kind {
        Kind::Network => context.network(&desired.name)?.map(|one| &one.inspect),
        _ => context.volume(&desired.name).map(|one| &one.inspect),
    };
    let labels = found.and_then(|inspect| inspect.compare("/Labels"));
    if let Some(other) = labels.and_then(|labels| namesake(context.workspace(), labels)) {
        problem = other.hints.into_iter().fold(problem.cause(format!("it {}", other.what)), Problem::hint);
    }
    problem = problem.hint("declare it as it is, or leave those fields out").hint("or give it another name");
    let lines = differences.iter().filter_map(|field| desired.sources.get(field));
    problem.place = lines.flatten().next().cloned();
    Err(problem.into())
}
