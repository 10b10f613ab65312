//! What a plan says without doing anything about it.

use super::data;
use crate::name::ImageRef;
use crate::observed::{Container, Health, HealthCheck, ResolvedBy, slot_of};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::problem::escaped;

/// All notes on a host, services in the order of declaration.
pub(super) fn of(context: &PlanContext<'_>, containers: &[&ContainerDecision<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for container in containers {
        notes.extend(drift(container));
        notes.extend(condition(container));
        notes.extend(of_compose(container));
        notes.extend(unchecked(context, container));
        notes.extend(slow(context, container));
        notes.extend(data::of(container));
        notes.extend(moved(context, container));
    }
    notes.extend(context.containers().filter_map(renamed));
    let impostors = context.containers().filter(|container| container.impostor);
    notes.extend(impostors.filter(|container| container.renamed.is_none()).map(|container| {
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

/// One that was renamed and does not get its name back: nothing that is declared here has it.
fn renamed(container: &Container) -> Option<String> {
    let ours = container.renamed.as_ref()?;
    let (name, slot) = (escaped(&container.name), escaped(slot_of(&ours.instance)));
    Some(format!(
        "container {name}: by its labels it is {slot}, renamed by hand; it is left alone, since {slot} is held, \
         taken or not declared: 'docker rename {name} {slot}' gives it its name back"
    ))
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
    if context.facts().runs_health_checks || !begins(decision) {
        return None;
    }
    decision.health_check(context)?;
    Some(format!(
        "container {}: Podman runs no health checks on this host, because it runs without systemd; pillarbox has them \
         run while it waits, and after that nothing does",
        decision.desired.name
    ))
}

/// A container that may take longer to start than Docker's own default lets it.
fn slow(context: &PlanContext<'_>, decision: &ContainerDecision<'_>) -> Option<String> {
    let desired = decision.desired;
    let seconds = desired.start_timeout.unwrap_or_else(|| decision.patience(context));
    (begins(decision) && seconds > HealthCheck::start_timeout(Some(&HealthCheck::default()))).then(|| {
        format!(
            "container {}: it may take up to {} min to become healthy (start_timeout)",
            desired.name,
            seconds.div_ceil(60)
        )
    })
}

/// Whether it is started.
fn begins(decision: &ContainerDecision<'_>) -> bool {
    let stands = matches!(&decision.choice, Choice::Existing(container) if runs(container));
    decision.runs && !stands
}

/// A predecessor that Compose knows by its labels, which stay on it while it is kept.
fn of_compose(decision: &ContainerDecision<'_>) -> Option<String> {
    let leaving = decision.aside.leaves.iter().find(|one| one.name == decision.desired.name.as_str())?;
    let project = escaped(&leaving.compose.as_ref()?.project);
    Some(format!(
        "container {}: the old one carries the labels of Docker Compose (project {project}); it leaves its networks \
         while it is kept for a rollback, so that 'docker compose up' cannot put it into service",
        decision.desired.name
    ))
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
        .filter(|container| container.ours.is_none() && !container.impostor && container.renamed.is_none())
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
