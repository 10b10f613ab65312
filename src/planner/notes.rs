//! What a plan says without doing anything about it.

use super::context::PlanContext;
use super::course::{Choice, Course};
use super::instances::runs;
use crate::desired::secret_file::FOLDER;
use crate::name::ImageRef;
use crate::observed::{Container, Health, ResolvedBy};
use crate::problem::escaped;
use serde_json::Value;
use std::collections::BTreeSet;

/// All notes on a host, services in the order of declaration.
pub(super) fn of(context: &PlanContext<'_>, courses: &[&Course<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for course in courses {
        notes.extend(drift(course));
        notes.extend(condition(course));
        notes.extend(by_hand(course));
        notes.extend(volumes(context, course));
        notes.extend(moved(context, course));
    }
    notes.extend(context.containers().filter(|container| container.impostor).map(|container| {
        format!(
            "container {}: carries our labels, but they came with its image, belong to an older container or do not go with \
             its name; \
             it is left alone",
            escaped(&container.name)
        )
    }));
    if !context.options.prune {
        notes.extend(context.undeclared().into_iter().map(|(_, name)| {
            let name = escaped(name);
            format!("container {name}: ours, and no state declares it any more; --prune removes it")
        }));
        notes.extend(context.undeclared_networks().map(|network| {
            let name = escaped(&network.name);
            format!("network {name}: ours, and no state declares it any more; --prune removes it")
        }));
    }
    if !context.options.prune {
        notes.extend(context.undeclared_tasks().map(|task| {
            let name = escaped(&task.name);
            format!("container {name}: of a task that no state declares any more; --prune removes it")
        }));
    }
    notes.extend(context.undeclared_volumes().map(|volume| {
        format!(
            "volume {}: ours, and no state declares it any more; it stays with its data until a state says \
             volume.absent",
            escaped(&volume.name)
        )
    }));
    notes.extend(absent_but_foreign(context));
    notes.extend(namesakes(context));
    notes
}

fn drift(course: &Course<'_>) -> Option<String> {
    let fields = course.drift.join(", ");
    let service = &course.wish.name;
    (!fields.is_empty())
        .then(|| format!("container {service}: changed by hand: {fields}; --fix-drift replaces it"))
}

fn condition(course: &Course<'_>) -> Option<String> {
    let Choice::Existing(container) = course.choice else { return None };
    let name = &course.wish.name;
    if !course.runs || !runs(container) {
        return None;
    }
    let state = &container.state;
    let what = match state.status.as_str() {
        "paused" => format!("is paused and left so; 'docker unpause {name}' lets it go on"),
        "restarting" => format!("crashes and is restarted again and again (exit code {})", state.exit_code),
        _ if state.health == Some(Health::Unhealthy) => "is unhealthy".to_owned(),
        _ => return None,
    };
    Some(format!("container {name}: {what}"))
}

/// Kept ones that run: none of ours to stop, and none that a state asks for.
fn by_hand(course: &Course<'_>) -> Vec<String> {
    let running = course.instances.kept.iter().filter(|kept| runs(kept) && !course.choice.is(kept));
    running
        .map(|kept| {
            let name = &kept.name;
            format!(
                "container {name}: kept for a rollback, and somebody started it; it is left alone: \
                 'docker stop {name}' ends that"
            )
        })
        .collect()
}

/// The tag beside a digest that pins the image stands for another one, as the registry said for a state
/// that has no digest; nobody is asked for this alone.
fn moved(context: &PlanContext<'_>, course: &Course<'_>) -> Option<String> {
    let image = &course.wish.image;
    let (tag, pinned) = (image.tag.as_ref()?, image.digest.as_ref()?);
    let now = context.resolution(&ImageRef { digest: None, ..image.clone() })?;
    (now.by == ResolvedBy::Registry && now.digest != *pinned).then(|| {
        format!(
            "container {}: the tag {tag} of {} was moved, from {} to {}; it stays at the one that its gate or \
             state names",
            course.wish.name,
            image.name,
            pinned.short(),
            now.digest.short()
        )
    })
}

/// Data in volumes that the new container will not have. The old volumes stay on the host.
fn volumes(context: &PlanContext<'_>, course: &Course<'_>) -> Vec<String> {
    let Choice::New { .. } = course.choice else { return Vec::new() };
    if course.instances.is_empty() {
        return Vec::new();
    }
    let body = course.wish.spec.create_body();
    if body["HostConfig"]["VolumesFrom"].is_array() {
        // Where those are is known to the Engine alone.
        return Vec::new();
    }
    let mut mounted = mounted(&body);
    if !course.wish.spec.files.is_empty() {
        mounted.insert(FOLDER.to_owned());
    }
    let image = course.source.on_host(context).map(|image| image.volumes.clone()).unwrap_or_default();
    let old =
        course.instances.all().filter(|old| runs(old) || course.instances.holder.is_some()).flat_map(own);
    let paths: BTreeSet<String> =
        image.into_iter().chain(old).filter(|path| !mounted.contains(path)).collect();
    paths
        .into_iter()
        .map(|path| {
            format!(
                "container {}: nothing is mounted at {}, a volume of its image: the new container starts \
                 empty there, the old volume stays on the host",
                course.wish.name,
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
    let containers = context.containers();
    let others = containers.filter_map(|one| {
        let namesake = one.namesake(context.workspace())?;
        let hints = namesake.hints.iter().map(|hint| format!("; {hint}")).collect::<String>();
        Some(format!("container {} {}; it is left alone{hints}", escaped(&one.name), namesake.what))
    });
    others.collect()
}

/// Declared absent, and somebody else has a container of that name.
fn absent_but_foreign(context: &PlanContext<'_>) -> Vec<String> {
    let names = context.items().filter_map(|item| match &item.wish {
        crate::desired::Wish::ContainerAbsent { name, .. } => Some(name.as_str()),
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
