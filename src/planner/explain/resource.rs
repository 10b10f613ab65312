//! What a plan says of a network or a volume.

use super::change;
use crate::desired::Kind;
use crate::plan::{Cause, Change, Verb};
use crate::planner::context::PlanContext;
use crate::planner::decide::resource::{KeepReason, ResourceAction, ResourceDecision};
use crate::planner::decide::users;
use serde_json::Value;
use std::collections::BTreeMap;

/// Its line, and a note if there is one.
pub(super) fn change(context: &PlanContext<'_>, resource: &ResourceDecision<'_>) -> (Change, Option<String>) {
    let address = resource.address();
    let said = |text: &str| Cause::Other(text.to_owned());
    let (verb, cause, body) = match &resource.action {
        ResourceAction::Keep(KeepReason::Theirs) => (Verb::Unchanged, Cause::Theirs, None),
        ResourceAction::Keep(KeepReason::AsDesired) => (Verb::Unchanged, Cause::AsWanted, None),
        ResourceAction::Keep(KeepReason::OldLabels) => {
            (Verb::Unchanged, said("up to date but for its labels, which cannot change"), None)
        }
        ResourceAction::Keep(KeepReason::NotOurs) => {
            (Verb::Unchanged, said("declared absent, but not managed by pillarbox: it stays"), None)
        }
        ResourceAction::InUse(_) => {
            (Verb::Unchanged, said("no state declares it any more, but it is in use: it stays"), None)
        }
        ResourceAction::Create(body) => (Verb::Create, Cause::Missing, Some(body)),
        ResourceAction::Replace { body, fields, .. } => {
            (Verb::ReplaceStopFirst, Cause::Fields(fields.clone()), Some(body))
        }
        ResourceAction::RemoveNetwork { undeclared: true, .. } => (Verb::Remove, Cause::Undeclared, None),
        ResourceAction::RemoveNetwork { .. } if context.options.down => (Verb::Remove, Cause::Down, None),
        ResourceAction::RemoveVolume(_) if context.options.down => {
            (Verb::Remove, said("taken down: its data is lost"), None)
        }
        ResourceAction::RemoveNetwork { .. } => (Verb::Remove, Cause::Unwanted, None),
        ResourceAction::RemoveVolume(_) => (Verb::Remove, Cause::DataLost, None),
    };
    let change = Change { after: body.map(shown), ..change::plain(&address, verb, cause) };
    (change, note(context, resource))
}

fn note(context: &PlanContext<'_>, resource: &ResourceDecision<'_>) -> Option<String> {
    let address = resource.address();
    Some(match &resource.action {
        ResourceAction::Keep(KeepReason::NotOurs) => format!(
            "{address}: declared absent, but workspace {} did not make it; it is left alone",
            context.workspace()
        ),
        ResourceAction::Keep(KeepReason::OldLabels) if resource.kind == Kind::Network => format!(
            "{address}: labels of a network cannot change while containers are in it; it keeps its old ones"
        ),
        ResourceAction::Keep(KeepReason::OldLabels) => {
            format!("{address}: labels of a volume cannot change; it keeps its old ones")
        }
        ResourceAction::InUse(left) => format!(
            "{address}: no state declares it any more, and it is in use: {}; it stays",
            users::named(left)
        ),
        _ => return None,
    })
}

/// A create body for people, without what is ours or bookkeeping.
fn shown(body: &Value) -> BTreeMap<String, Value> {
    let fields = body.as_object().into_iter().flatten();
    let fields = fields.filter(|(key, _)| !matches!(key.as_str(), "Name" | "CheckDuplicate" | "Labels"));
    let labels = body["Labels"].as_object().into_iter().flatten();
    let labels = labels.filter(|(key, _)| !key.starts_with("io.pillarbox."));
    let labels = labels.map(|(key, value)| (format!("labels.{key}"), value.clone()));
    fields.map(|(key, value)| (key.to_lowercase(), value.clone())).chain(labels).collect()
}
