//! Foreign containers that have a name of ours: no name is taken; some containers may be adopted.

use super::instances::Instances;
use crate::desired::Kind;
use crate::name::{HostName, Owner};
use crate::observed::{Container, Label};
use crate::planner::context::PlanContext;
use crate::problem::{Problem, escaped, quoted};
use serde_json::Value;

/// Why a name cannot be used: a container of others has it.
pub(in crate::planner) fn held_by_others(
    context: &PlanContext<'_>,
    instances: &Instances<'_>,
    service: &str,
) -> Option<Problem> {
    let holder = context.named(service)?;
    let host = context.host();
    if let Some(ours) = instances.holder {
        return (ours.state.status == "removing").then(|| {
            Problem::failed(format!("container {service} on host {host} is being removed"))
                .hint("try again when it is gone")
        });
    }
    let namesake = holder.namesake(context.workspace());
    let who = match &holder.ours {
        _ if holder.impostor => {
            "has the labels of pillarbox, but they came with its image or belong to another container"
                .to_owned()
        }
        Some(labels) => format!("is an instance of {} that was renamed", escaped(&labels.service)),
        None => match &namesake {
            Some(namesake) => namesake.what.clone(),
            None => format!("was not made by workspace {}", context.workspace()),
        },
    };
    let problem =
        Problem::failed(format!("the name {service} on host {host} is taken by a container that {who}"))
            .hint(format!("rename it on the host: 'docker rename {service} {service}-old'"))
            .hint(format!("or remove it there: 'docker rm {service}' (stop it before)"));
    let hints = namesake.into_iter().flat_map(|namesake| namesake.hints);
    let problem = hints.fold(problem, Problem::hint);
    let adopt = holder.ours.is_none() && refusal(context.workspace(), host, holder).is_none();
    if !adopt {
        return Some(problem);
    }
    let what = match project(context, service, holder) {
        Some(project) => format!("its whole project over: pillarbox adopt --compose {}", quoted(project)),
        None => format!("it over: pillarbox adopt {service}"),
    };
    Some(problem.hint(format!("or take {what} --host {host}")))
}

/// The Compose project that made a container and is declared here.
fn project<'c>(context: &PlanContext<'_>, name: &str, container: &'c Container) -> Option<&'c str> {
    let project = container.compose.as_ref()?.project.as_str();
    let item = context.declared(Kind::Container, name)?;
    let own = |id: &String| id.strip_prefix(project).is_some_and(|rest| rest.starts_with('.'));
    item.declared.iter().any(|(id, _)| own(id)).then_some(project)
}

/// Why a container of others is not taken over.
pub(in crate::planner) fn refusal(
    workspace: &Owner,
    host: &HostName,
    container: &Container,
) -> Option<Problem> {
    let name = &container.name;
    let label = |name: &str| container.inspect.compare("/Config/Labels")?.get(name)?.as_str();
    let cause = if container.impostor {
        "it has the labels of pillarbox, but they came with its image or belong to another container"
            .to_owned()
    } else if let Some(other) = label(Label::WORKSPACE).filter(|other| *other != workspace.name.as_str()) {
        format!("it belongs to workspace {}", escaped(other))
    } else if let Some(namesake) = container.namesake(workspace) {
        format!("it {}", namesake.what)
    } else if label("com.docker.swarm.task.id").is_some() {
        "it is a task of Swarm, which would create it again".to_owned()
    } else if container.inspect.compare("/HostConfig/AutoRemove") == Some(&Value::Bool(true)) {
        "it was started with '--rm': it is removed when it stops, and cannot be rolled back to".to_owned()
    } else if matches!(container.state.status.as_str(), "dead" | "removing") {
        format!("it is {}", escaped(&container.state.status))
    } else {
        return None;
    };
    let problem = Problem::failed(format!("container {name} on host {host} cannot be adopted"));
    Some(problem.cause(cause).hint(format!("make room for a new one: docker rename {name} {name}-old")))
}
