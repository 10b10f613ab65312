//! Parts of both ways of replacing a container.

use super::rollback::Rollback;
use crate::desired::{ContainerFile, SecretFile, Spec};
use crate::observed::{Container, instance};
use crate::plan::{Action, Target, keep_tag};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::decide::restart::{no_restart, parked, same_policy};
use crate::planner::decide::sharing;
use crate::planner::lower::create::create;
use crate::planner::lower::files;
use crate::planner::lower::networks;
use crate::planner::lower::remove::{drop_data, removal};
use crate::planner::lower::secrets::Files;
use crate::planner::lower::steps::Group;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tells a group which containers of the service are there before its first step.
pub(super) fn introduce(decision: &ContainerDecision<'_>, group: &mut Group<'_>) {
    for ours in decision.instances.everything() {
        group.know(&ours.id, &ours.name, runs(ours));
        if sharing::may_end(&decision.shared) {
            group.may_end(&ours.id);
        }
    }
}

/// Removes attempts that an earlier apply left, but for the latest, whose log may still be of use; and
/// answers what is to be removed in the end.
pub(super) fn clear<'a>(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'a>,
    group: &mut Group<'_>,
    rollback: &Rollback<'_>,
) -> Vec<&'a Container> {
    let rest = decision.instances.all().filter(|ours| !decision.choice.is(ours) && !decision.stays(ours));
    let rest: Vec<&Container> = rest.collect();
    let is = |ours: &Container, other: Option<&Container>| other.is_some_and(|other| other.id == ours.id);
    let idle: Vec<&Container> = decision
        .instances
        .others
        .iter()
        .copied()
        .filter(|ours| !decision.choice.is(ours) && !runs(ours) && !is(ours, decision.fallback))
        .filter(|ours| !decision.stays(ours))
        .collect();
    let early = match decision.choice {
        Choice::New { .. } => &idle[..idle.len().saturating_sub(1)],
        Choice::Existing(_) => &[],
    };
    for ours in early {
        remove(context, decision, ours, group, &rollback.actions());
    }
    rest.into_iter().filter(|ours| !early.iter().any(|gone| gone.id == ours.id)).collect()
}

/// Creates the new container from a spec and joins its further networks.
pub(super) fn make(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    spec: &Spec,
    generation: u64,
    name: &str,
    group: &mut Group<'_>,
    rollback: &mut Rollback<'_>,
) -> Target {
    // What cannot be declared later is declared at once.
    let policy = if decision.runs && decision.can_update { no_restart() } else { decision.policy() };
    let whose = instance(decision.desired.name.as_str(), generation);
    let service = decision.desired.name.as_str();
    let (mounted, written) = files::apart(spec, |path| decision.mounts_file(path));
    let files = Files::of(context, service, whose, &spec.secrets, mounted, &decision.source);
    if let Some(files) = &files {
        fill(files, group, rollback);
    }
    if let Some(image) = &decision.source.pull {
        // With the container, not with the pull: the tag of one that is never created would be a version to go
        // back to. An image that was pulled by digest alone is taken by the next prune of the host.
        let keep = keep_tag(context.workspace(), service, generation, &decision.source.version);
        let tag = Action::Tag { source: image.to_string(), name: keep.clone() };
        rollback.keep = Some(keep);
        group.push(tag, rollback.actions());
    }
    let body = create(context.workspace(), decision, spec, name, generation, &policy, files.as_ref());
    let step = group.push(Action::Create(Box::new(body)), rollback.actions());
    rollback.created(step, name);
    let container = Target::CreatedBy(step);
    if !written.is_empty() {
        let (container, name) = (container.clone(), name.to_owned());
        group.push(Action::WriteFiles { container, name, files: written }, rollback.actions());
    }
    for (network, endpoint) in spec.further_networks() {
        let (container, name) = (container.clone(), name.to_owned());
        group.push(Action::Connect { container, name, network, endpoint }, rollback.actions());
    }
    container
}

/// Makes and fills the volume of secrets of a container that is created next.
fn fill(files: &Files<'_>, group: &mut Group<'_>, rollback: &mut Rollback<'_>) {
    // Only when a volume was made tells whose it is.
    group.push(files.create_volume(), rollback.actions());
    rollback.volume = Some(files.volume.clone());
    let filler = Target::CreatedBy(group.push(files.create_filler(), rollback.actions()));
    rollback.filler = Some(files.discard(filler.clone()));
    group.push(files.put(filler.clone()), rollback.actions());
    group.push(files.discard(filler), rollback.actions());
    rollback.filler = None;
}

/// Fills the volume of a container that is there with files that it mounts.
pub(super) fn fill_again(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    instance: &str,
    mounted: BTreeMap<String, ContainerFile>,
    group: &mut Group<'_>,
    undo: &[Action],
) {
    static NONE: BTreeMap<String, SecretFile> = BTreeMap::new();
    let (service, whose) = (decision.desired.name.as_str(), instance.to_owned());
    let Some(files) = Files::of(context, service, whose, &NONE, mounted, &decision.source) else { return };
    let filler = Target::CreatedBy(group.push(files.create_filler(), undo.to_vec()));
    let discard = files.discard(filler.clone());
    let with_filler: Vec<Action> = std::iter::once(discard.clone()).chain(undo.iter().cloned()).collect();
    group.push(files.put(filler), with_filler.clone());
    group.push(discard, with_filler);
}

/// Brings the networks of an existing container in line.
pub(super) fn join(
    decision: &ContainerDecision<'_>,
    container: &Container,
    name: &str,
    group: &mut Group<'_>,
    rollback: &Rollback<'_>,
) {
    let spec = &decision.spec;
    if decision.runs && !runs(container) {
        for action in networks::rejoin_declared(spec, container) {
            group.push(networks::called(action, name), rollback.actions());
        }
        return;
    }
    for (action, mut undo) in networks::changes(spec, container, &decision.networks) {
        undo.extend(rollback.actions());
        group.push(networks::called(action, name), undo);
    }
}

/// Stops and parks what is not to run any more.
pub(super) fn stop_and_park(
    decision: &ContainerDecision<'_>,
    group: &mut Group<'_>,
    rollback: &mut Rollback<'_>,
) {
    for old in &decision.to_stop {
        let is_fallback = decision.fallback.is_some_and(|fallback| fallback.id == old.id);
        let (container, name) = (Target::Id(old.id.clone()), old.name.clone());
        rollback.stopped |= is_fallback;
        let stop = Action::Stop {
            container: container.clone(),
            name: name.clone(),
            timeout: decision.desired.stop_timeout,
        };
        group.push(stop, rollback.actions());
        rollback.beside.retain(|one| one.id != old.id);
        let policy = old.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
        // A container that stays gets its policy with its other live fields.
        if decision.can_update && !decision.choice.is(old) && !same_policy(policy, &parked(policy)) {
            rollback.parked |= is_fallback;
            let body = json!({ "RestartPolicy": parked(policy) });
            group.push(Action::Update { container, name, body }, rollback.actions());
        }
    }
}

/// Waits until a container works: it must stay up, or be healthy, for `monitor` seconds.
pub(super) fn await_healthy(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    target: &Target,
    name: &str,
    monitor: u32,
) -> Action {
    let desired = decision.desired;
    Action::AwaitHealthy {
        container: target.clone(),
        name: name.to_owned(),
        monitor,
        timeout: desired.start_timeout.unwrap_or_else(|| decision.patience(context)),
        follows_check: desired.start_timeout.is_none(),
        probes: !context.facts().runs_health_checks,
        declared: ["start_timeout", "image", "gate"]
            .iter()
            .find_map(|field| desired.sources.get(*field)?.last().cloned()),
    }
}

/// Gives the container its declared live fields, where they are not so already.
pub(super) fn declare_live(
    decision: &ContainerDecision<'_>,
    target: &Target,
    name: &str,
    group: &mut Group<'_>,
    rollback: &mut Rollback<'_>,
) {
    if let Some(body) = live_fields(decision) {
        rollback.permanent = true;
        let update = Action::Update { container: target.clone(), name: name.to_owned(), body };
        group.push(update, rollback.actions());
    }
}

fn live_fields(decision: &ContainerDecision<'_>) -> Option<Value> {
    match &decision.choice {
        Choice::New { .. } => {
            let differs =
                decision.runs && decision.can_update && !same_policy(&no_restart(), &decision.policy());
            differs.then(|| json!({ "RestartPolicy": decision.policy() }))
        }
        Choice::Existing(_) if decision.live.is_empty() => None,
        Choice::Existing(container) => {
            let mut body = decision.spec.update_body_of(&container.inspect);
            body["RestartPolicy"] = decision.policy();
            Some(body)
        }
    }
}

/// The old one gives up the plain name, the new one takes it.
pub(super) fn commit<'a>(
    decision: &ContainerDecision<'a>,
    target: &Target,
    name: &str,
    group: &mut Group<'_>,
    rollback: &mut Rollback<'a>,
) {
    let service = decision.desired.name.as_str();
    if name == service {
        rollback.committed = true;
        return;
    }
    if let (Some(holder), Some(aside)) = (decision.instances.holder, decision.names.aside.clone()) {
        rollback.renamed = Some((holder, aside.clone()));
        let rename =
            Action::Rename { container: Target::Id(holder.id.clone()), from: service.to_owned(), to: aside };
        group.push(rename, rollback.actions());
    }
    rollback.crowned = true;
    let rename = Action::Rename { container: target.clone(), from: name.to_owned(), to: service.to_owned() };
    group.push(rename, rollback.actions());
    rollback.committed = true;
}

pub(super) fn remove(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    ours: &Container,
    group: &mut Group<'_>,
    undo: &[Action],
) {
    let name = group.name_of(&ours.id);
    for action in removal(context, ours, name.clone(), group) {
        group.push(action, undo.to_vec());
    }
    drop_data(&decision.data, ours, name.as_deref().unwrap_or(&ours.name), group, undo);
}
