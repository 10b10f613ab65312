//! What a plan says without doing anything about it.

use crate::desired::secret_file::FOLDER;
use crate::name::ImageRef;
use crate::observed::{Container, Health, ResolvedBy};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::problem::escaped;
use serde_json::Value;
use std::collections::BTreeSet;

/// All notes on a host, services in the order of declaration.
pub(super) fn of(context: &PlanContext<'_>, containers: &[&ContainerDecision<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for container in containers {
        notes.extend(drift(container));
        notes.extend(condition(container));
        notes.extend(by_hand(container));
        notes.extend(unchecked(context, container));
        notes.extend(volumes(context, container));
        notes.extend(moved(context, container));
    }
    notes.extend(context.containers().filter(|container| container.impostor).map(|container| {
        format!(
            "container {}: has the labels of pillarbox, but they came with its image, belong to an older container \
             or do not match its name; it is left alone",
            escaped(&container.name)
        )
    }));
    if !context.options.prune {
        notes.extend(context.undeclared().into_iter().map(|(_, name)| {
            let name = escaped(name);
            format!("container {name}: no state declares it any more; --prune removes it")
        }));
        notes.extend(context.undeclared_networks().map(|network| {
            let name = escaped(&network.name);
            format!("network {name}: no state declares it any more; --prune removes it")
        }));
        notes.extend(context.undeclared_tasks().map(|task| {
            let name = escaped(&task.name);
            format!("container {name}: of a task that no state declares any more; --prune removes it")
        }));
    }
    notes.extend(context.undeclared_volumes().map(|volume| {
        format!(
            "volume {}: no state declares it any more; it stays with its data until a state says \
             volume.absent",
            escaped(&volume.name)
        )
    }));
    notes.extend(absent_but_foreign(context));
    notes.extend(namesakes(context));
    notes
}

fn drift(decision: &ContainerDecision<'_>) -> Option<String> {
    let fields = decision.drift.join(", ");
    let service = &decision.desired.name;
    (!fields.is_empty())
        .then(|| format!("container {service}: changed by hand: {fields}; --fix-drift replaces it"))
}

fn condition(decision: &ContainerDecision<'_>) -> Option<String> {
    let Choice::Existing(container) = decision.choice else { return None };
    let name = &decision.desired.name;
    if !decision.runs || !runs(container) {
        return None;
    }
    let state = &container.state;
    let what = match state.status.as_str() {
        "paused" => format!("is paused and left so; 'docker unpause {name}' lets it go on"),
        "restarting" => format!("crashes and is restarted repeatedly (exit code {})", state.exit_code),
        _ if state.health == Some(Health::Unhealthy) => "is unhealthy".to_owned(),
        _ => return None,
    };
    Some(format!("container {name}: {what}"))
}

/// A health check that its Engine does not run: one that begins is waited for all the same.
fn unchecked(context: &PlanContext<'_>, decision: &ContainerDecision<'_>) -> Option<String> {
    let begins = match &decision.choice {
        Choice::New { .. } => true,
        Choice::Existing(container) => !runs(container),
    };
    if context.facts().runs_health_checks || !begins || !decision.runs {
        return None;
    }
    decision.health_check(context)?;
    Some(format!(
        "container {}: Podman runs no health checks on this host, because it runs without systemd; pillarbox has them \
         run while it waits, and after that nothing does",
        decision.desired.name
    ))
}

/// Kept ones that run: no state asks for that, and they are not stopped.
fn by_hand(decision: &ContainerDecision<'_>) -> Vec<String> {
    let running = decision.instances.kept.iter().filter(|kept| runs(kept) && !decision.choice.is(kept));
    running
        .map(|kept| {
            let name = &kept.name;
            format!(
                "container {name}: kept for a rollback, but it was started by hand; it is left alone: \
                 'docker stop {name}' ends that"
            )
        })
        .collect()
}

/// The tag beside a digest that pins the image stands for another one, as the registry said for a state
/// that has no digest; no registry is asked for this alone.
fn moved(context: &PlanContext<'_>, decision: &ContainerDecision<'_>) -> Option<String> {
    let image = &decision.desired.image;
    let (tag, pinned) = (image.tag.as_ref()?, image.digest.as_ref()?);
    let now = context.resolution(&ImageRef { digest: None, ..image.clone() })?;
    (now.by == ResolvedBy::Registry && now.digest != *pinned).then(|| {
        format!(
            "container {}: the tag {tag} of {} was moved, from {} to {}; it stays at the one that its gate or \
             state names",
            decision.desired.name,
            image.name,
            pinned.short(),
            now.digest.short()
        )
    })
}

/// Data in volumes that the new container will not have. The old volumes stay on the host.
fn volumes(context: &PlanContext<'_>, decision: &ContainerDecision<'_>) -> Vec<String> {
    let Choice::New { .. } = decision.choice else { return Vec::new() };
    if decision.instances.is_empty() {
        return Vec::new();
    }
    let body = decision.desired.spec.create_body();
    if body["HostConfig"]["VolumesFrom"].is_array() {
        // Where those are is known to the Engine alone.
        return Vec::new();
    }
    let mut mounted = mounted(&body);
    if !decision.desired.spec.files.is_empty() {
        mounted.insert(FOLDER.to_owned());
    }
    let image = decision.source.on_host(context).map(|image| image.volumes.clone()).unwrap_or_default();
    let old =
        decision.instances.all().filter(|old| runs(old) || decision.instances.holder.is_some()).flat_map(own);
    let paths: BTreeSet<String> =
        image.into_iter().chain(old).filter(|path| !mounted.contains(path)).collect();
    paths
        .into_iter()
        .map(|path| {
            format!(
                "container {}: nothing is mounted at {}, a volume of its image: the new container starts \
                 empty there, the old volume stays on the host",
                decision.desired.name,
                escaped(&path)
            )
        })
        .collect()
}

/// Where a create body mounts something.
fn mounted(body: &Value) -> BTreeSet<String> {
    let host = &body["HostConfig"];
    let mounts = host["Mounts"].as_array().into_iter().flatten();
    let mounts = mounts.filter_map(|mount| mount["Target"].as_str().map(str::to_owned));
    let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let binds = binds.filter_map(|bind| bind.split(':').nth(1).map(str::to_owned));
    let tmpfs = host["Tmpfs"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
    let bare = body["Volumes"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
    mounts.chain(binds).chain(tmpfs).chain(bare).map(|path| path.trim_end_matches('/').to_owned()).collect()
}

/// Paths where a container has a volume without a name of its own: 64 hexadecimal digits.
fn own(container: &Container) -> Vec<String> {
    let mounts = container.inspect.compare("/Mounts").and_then(Value::as_array).into_iter().flatten();
    let anonymous = mounts.filter(|mount| {
        let name = mount["Name"].as_str().unwrap_or_default();
        mount["Type"] == "volume" && name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
    });
    anonymous.filter_map(|mount| mount["Destination"].as_str().map(str::to_owned)).collect()
}

/// What carries the name of this workspace on the host and is another's: said, because it looks like ours.
fn namesakes(context: &PlanContext<'_>) -> Vec<String> {
    let others = context.containers().filter_map(|one| {
        let namesake = one.namesake(context.workspace())?;
        let hints = namesake.hints.iter().map(|hint| format!("; {hint}")).collect::<String>();
        Some(format!("container {} {}; it is left alone{hints}", escaped(&one.name), namesake.what))
    });
    others.collect()
}

/// Declared absent, and a container of that name is not managed by pillarbox.
fn absent_but_foreign(context: &PlanContext<'_>) -> Vec<String> {
    let names = context.items().filter_map(|item| match &item.want {
        crate::desired::DesiredState::ContainerAbsent { name, .. } => Some(name.as_str()),
        _ => None,
    });
    names
        .filter_map(|name| context.named(name))
        .filter(|container| container.ours.is_none() && !container.impostor)
        .filter(|container| container.namesake(context.workspace()).is_none())
        .map(|container| {
            format!(
                "container {}: declared absent, but workspace {} did not make it; it is left alone",
                container.name,
                context.workspace()
            )
        })
        .collect()
}
