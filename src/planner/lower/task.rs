//! Steps of a task: its container is created, waited for, remembered and removed.

use super::files;
use super::secrets::Files;
use super::steps::Group;
use crate::observed::{HelperContainer, Label, OwnVolumes};
use crate::plan::{Action, Create, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::instances::runs;
use crate::planner::decide::restart::no_restart;
use crate::planner::decide::secrets;
use crate::planner::decide::task::{TaskRun, TaskState, of, was_stopped};
use crate::planner::options::Part;
use serde_json::json;
use std::collections::BTreeMap;

/// How many versions of a task are remembered.
const REMEMBERED: usize = 50;

/// Adds its steps to a group.
pub(super) fn lower(context: &PlanContext<'_>, task: &TaskRun<'_>, group: &mut Group<'_>) {
    for container in &task.found {
        group.know(&container.id, &container.name, runs(container));
    }
    match &task.state {
        // Its container is gone, but for an apply that was cut off.
        TaskState::Known => clear(context, task, true, group),
        TaskState::Labelled | TaskState::Part(_) => {
            clear(context, task, false, group);
            remember(context, task, &task.fingerprint, group);
        }
        TaskState::Here(_) => {
            clear(context, task, true, group);
            if task.is_created() {
                run(context, task, group);
            }
        }
    }
}

/// What is there: awaited if it runs, remembered if it succeeded, removed. What waits for nothing on this
/// host may not wait for those either.
fn clear(context: &PlanContext<'_>, task: &TaskRun<'_>, running_too: bool, group: &mut Group<'_>) {
    for container in task.found.iter().filter(|container| running_too || !runs(container)) {
        let Some(HelperContainer::Task { fingerprint, .. }) = &container.helper else { continue };
        let (target, name) = (Target::Id(container.id.clone()), container.name.clone());
        if runs(container) && was_stopped(container) {
            let (container, name) = (target.clone(), name.clone());
            let timeout = task.desired.container.stop_timeout;
            group.push(Action::Stop { container, name, timeout }, Vec::new());
        } else if runs(container) {
            group.push(wait(task, target.clone(), name.clone()), Vec::new());
        }
        if of(container).is_some() && !context.has_run(task.name(), fingerprint) {
            remember(context, task, fingerprint, group);
        }
        group.push(Action::Discard { container: target, name }, Vec::new());
        if let Some(volume) = secrets::of(context, container) {
            group.push(Action::RemoveOwnVolume { name: volume.to_owned() }, Vec::new());
        }
    }
}

/// Creates its container and waits for its end. Nothing is rolled back once it was started: what it did
/// cannot be, and its container is kept for its log.
fn run(context: &PlanContext<'_>, task: &TaskRun<'_>, group: &mut Group<'_>) {
    let desired = &task.desired.container;
    let whose = secrets::whose_task(desired.name.as_str());
    let mounted = |path: &str| desired.spec.is_mounted(path);
    let (mounted, written) = files::apart(&desired.spec, mounted);
    let files =
        Files::of(context, desired.name.as_str(), whose, &desired.spec.secrets, mounted, &task.source);
    let mut undo: Vec<Action> = Vec::new();
    let mut filler = None;
    if let Some(files) = &files {
        group.push(files.create_volume(), Vec::new());
        undo = vec![Action::RemoveOwnVolume { name: files.volume.clone() }];
        let target = Target::CreatedBy(group.push(files.create_filler(), undo.clone()));
        undo.insert(0, files.discard(target.clone()));
        if files.in_memory() {
            filler = Some(target);
        } else {
            group.push(files.put(target.clone()), undo.clone());
            group.push(files.discard(target), undo.clone());
            undo.remove(0);
        }
    }
    let name = container_name(context, task.name());
    let create = create(context, task, &name, files.as_ref());
    let container = Target::CreatedBy(group.push(Action::Create(Box::new(create)), undo.clone()));
    undo.insert(0, Action::Discard { container: container.clone(), name: name.clone() });
    if !written.is_empty() {
        let (container, name) = (container.clone(), name.clone());
        group.push(Action::WriteFiles { container, name, files: written }, undo.clone());
    }
    for (network, endpoint) in desired.spec.further_networks() {
        let (container, name) = (container.clone(), name.clone());
        group.push(Action::Connect { container, name, network, endpoint }, undo.clone());
    }
    match (&files, filler) {
        (Some(files), Some(filler)) => {
            let start = Action::StartFilled {
                container: container.clone(),
                name: name.clone(),
                filler: filler.clone(),
                service: desired.name.to_string(),
                files: files.files.clone(),
            };
            let discard = files.discard(filler);
            group.push(start, vec![discard.clone()]);
            group.push(discard, Vec::new());
        }
        _ => {
            let (container, name) = (container.clone(), name.clone());
            group.push(Action::Start { container, name }, Vec::new());
        }
    }
    group.push(wait(task, container.clone(), name.clone()), Vec::new());
    remember(context, task, &task.fingerprint, group);
    group.push(Action::Discard { container, name }, Vec::new());
    if let Some(files) = files {
        group.push(Action::RemoveOwnVolume { name: files.volume }, Vec::new());
    }
}

fn create(context: &PlanContext<'_>, task: &TaskRun<'_>, name: &str, files: Option<&Files<'_>>) -> Create {
    let spec = &task.desired.container.spec;
    let mut body = spec.create_body();
    body["HostConfig"]["RestartPolicy"] = no_restart();
    for (label, value) in labels(context, task, &task.fingerprint) {
        body["Labels"][label] = json!(value);
    }
    if let Some(files) = files {
        files.mount(&mut body);
    }
    Create {
        name: name.to_owned(),
        service: task.name().to_owned(),
        image: task.source.create_from.clone(),
        digest: task.source.pull.as_ref().and_then(|image| image.digest.clone()),
        body,
        env: spec.env.clone(),
        mounted: files.map(Files::mounts).unwrap_or_default(),
    }
}

fn labels(context: &PlanContext<'_>, task: &TaskRun<'_>, fingerprint: &str) -> BTreeMap<String, String> {
    let version = task.found.iter().find_map(|container| match &container.helper {
        Some(HelperContainer::Task { fingerprint: found, version, .. }) if found == fingerprint => {
            Some(version)
        }
        _ => None,
    });
    let version = if fingerprint == task.fingerprint { Some(&task.source.version) } else { version };
    let own = [
        (Label::TASK, task.name().to_owned()),
        (Label::RAN, fingerprint.to_owned()),
        (Label::VERSION, version.cloned().unwrap_or_default()),
    ];
    let all = Label::of(context.workspace()).chain(own);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn wait(task: &TaskRun<'_>, container: Target, name: String) -> Action {
    let (timeout, stop_timeout) = (task.desired.timeout, task.desired.container.stop_timeout);
    Action::AwaitExit { container, name, timeout, stop_timeout }
}

/// Remembers that a task ran, and forgets what is long ago.
fn remember(context: &PlanContext<'_>, task: &TaskRun<'_>, fingerprint: &str, group: &mut Group<'_>) {
    let workspace = context.workspace();
    let mut labels = labels(context, task, fingerprint);
    let on = match &task.state {
        TaskState::Part(Part::Elsewhere(host) | Part::Ran(host)) => Some(host),
        // Instances say that it ran, and not where.
        TaskState::Labelled => None,
        _ => Some(context.host()),
    };
    labels.extend(on.map(|host| (Label::RAN_ON.to_owned(), host.to_string())));
    let name = OwnVolumes::of_task(workspace, task.name(), fingerprint);
    group.push(Action::CreateOwnVolume { name, labels, memory: false }, Vec::new());
    let remembered = context.ran(task.name());
    let old = remembered.len().saturating_sub(REMEMBERED - 1);
    for ran in &remembered[..old] {
        group.push(Action::RemoveOwnVolume { name: ran.volume.clone() }, Vec::new());
    }
}

/// The name of the container of a task; it is no service, and none has this name.
fn container_name(context: &PlanContext<'_>, task: &str) -> String {
    format!("pillarbox-task.{}.{task}", context.workspace().scope())
}
