//! What a group of steps means to a reader: a resource, and what is done to it.

use crate::cli::output::words;
use crate::name::ImageRef;
use crate::plan::{Action, Change, HostPlan, Step};
use crate::problem::escaped;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A resource that a group of steps changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// `container nginx`.
    pub(super) address: String,
    /// What has become of it when the group is done: `replaced (1.0.0 → 1.1.0)`.
    pub(super) result: String,
}

/// The resources of a host's plan by the names of its groups.
pub(super) fn resources(plan: &HostPlan) -> HashMap<&str, Resource> {
    let changes: HashMap<&str, &Change> =
        plan.changes.iter().map(|change| (change.address.as_str(), change)).collect();
    let tags = tags(plan);
    let mut found: HashMap<&str, Resource> = HashMap::new();
    for step in &plan.steps {
        found.entry(&step.group).or_insert_with(|| of_group(step, &changes, &tags));
    }
    found
}

fn of_group(first: &Step, changes: &HashMap<&str, &Change>, tags: &BTreeMap<String, String>) -> Resource {
    let (verb, thing) = first.group.split_once(' ').unwrap_or(("", &first.group));
    let address = match &first.action {
        Action::Pull { image, .. } => {
            let reference = image.to_string();
            let known_as = tags.get(&reference).unwrap_or(&reference);
            format!("image {}", words::without_digest(known_as))
        }
        _ => address(thing, changes),
    };
    let versions = changes.get(address.as_str()).and_then(|change| versions(change)).unwrap_or_default();
    let result = format!("{}{versions}", past(verb));
    Resource { address: escaped(&address), result: escaped(&result) }
}

/// The address of what a group's name ends with: `nginx`, `network back`.
fn address(thing: &str, changes: &HashMap<&str, &Change>) -> String {
    if changes.contains_key(thing) {
        return thing.to_owned();
    }
    let kinds = ["container", "task", "image"].map(|kind| format!("{kind} {thing}"));
    let known = kinds.into_iter().find(|address| changes.contains_key(address.as_str()));
    known.unwrap_or_else(|| words::without_digest(thing))
}

/// ` (1.0.0 → 1.1.0)`.
fn versions(change: &Change) -> Option<String> {
    let version = |fields: &Option<BTreeMap<String, Value>>| {
        fields.as_ref()?.get("version")?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    match (version(&change.before), version(&change.after)) {
        (Some(before), Some(after)) if before != after => Some(format!(" ({before} → {after})")),
        (None, Some(after)) => Some(format!(" ({after})")),
        _ => None,
    }
}

/// References with tags of what is pulled by its digest.
fn tags(plan: &HostPlan) -> BTreeMap<String, String> {
    let created = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Create(create) => Some(&create.image),
        _ => None,
    });
    created
        .filter_map(|image| {
            let parsed = ImageRef::parse(image).ok()?;
            let digest = parsed.digest.clone()?;
            Some((parsed.by_digest(&digest).to_string(), image.clone()))
        })
        .collect()
}

/// The first word of a group's name when it is done.
fn past(verb: &str) -> &str {
    match verb {
        "create" => "created",
        "replace" => "replaced",
        "update" => "updated",
        "start" => "started",
        "stop" => "stopped",
        "restart" => "restarted",
        "remove" => "removed",
        "pull" => "pulled",
        "tag" => "tagged",
        "untag" => "untagged",
        "rename" => "renamed",
        "clear" => "cleared up",
        "task" => "completed",
        _ => "done",
    }
}
