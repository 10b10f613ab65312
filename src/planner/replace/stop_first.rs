//! Stop-first: the old container stops before the new one starts.
//!
//! Create under a temporary name with restart policy `no`, join networks, stop and park the old one,
//! start, await, declare the policy, rename old, rename new (the commit), remove what is left. A
//! container that is there already enters where it stands, so that the same order serves to start, to
//! stop, to change in place and to go on where an apply was interrupted.

use super::super::context::PlanContext;
use super::super::course::{Choice, Course};
use super::super::create::{create, instance, no_restart, parked, same_policy};
use super::super::instances::{generation, runs};
use super::super::kept;
use super::super::networks;
use super::super::remove::removal;
use super::super::secrets::Files;
use super::super::sharing;
use super::super::steps::Group;
use super::rest::{lay_down, take_up};
use super::way_back::WayBack;
use crate::desired::{Reaction, Spec};
use crate::observed::{Container, Standing};
use crate::plan::{Action, Target, keep_tag};
use serde_json::{Value, json};

/// Adds the steps of a course to a group; none if all is as wanted.
pub(in super::super) fn lower<'a>(context: &PlanContext<'a>, course: &Course<'a>, group: &mut Group<'_>) {
    let mut back = WayBack::new(course);
    for ours in course.instances.everything() {
        group.know(&ours.id, &ours.name, runs(ours));
        if sharing::may_end(&course.shared) {
            group.may_end(&ours.id);
        }
    }
    let holder_stays = course.instances.holder.is_some_and(|holder| course.choice.is(holder) && runs(holder));
    back.committed = holder_stays;
    let kept = clear(context, course, group, &back);
    let (target, name, was_running) = match &course.choice {
        Choice::Existing(container) => {
            let name = take_up(context, course, group, &mut back);
            join(course, container, &name, group, &back);
            (Target::Id(container.id.clone()), name, runs(container))
        }
        Choice::New { generation, name } => {
            (make(context, course, &course.spec, *generation, name, group, &mut back), name.clone(), false)
        }
    };
    retire(course, group, &mut back);
    let of = |action: fn(Target, String) -> Action| action(target.clone(), name.clone());
    if course.runs && !was_running {
        back.started = true;
        group.push(of(|container, name| Action::Start { container, name }), back.actions());
    }
    if course.runs && !holder_stays {
        // An attempt that is all that runs goes on running, whatever it is worth.
        back.started |= course.fallback.is_some();
        let (monitor, timeout) = (course.wish.monitor, course.wish.start_timeout);
        let wait = Action::AwaitHealthy { container: target.clone(), name: name.clone(), monitor, timeout };
        group.push(wait, back.actions());
    }
    if let Some(body) = final_update(course) {
        back.permanent = true;
        let update = Action::Update { container: target.clone(), name: name.clone(), body };
        group.push(update, back.actions());
    }
    react(course, &target, &name, group);
    commit(context, course, &target, &name, group, &mut back);
    for ours in kept {
        remove(context, ours, group, &[]);
    }
    lay_down(context, course, group);
}

/// What a container that runs and stays does because of what it watches.
fn react(course: &Course<'_>, target: &Target, name: &str, group: &mut Group<'_>) {
    let (container, name) = (target.clone(), name.to_owned());
    for reaction in &course.reactions {
        match reaction {
            Reaction::Signal(signal) => {
                let (container, name, signal) = (container.clone(), name.clone(), signal.clone());
                group.push(Action::Signal { container, name, signal }, Vec::new());
            }
            Reaction::Restart => {
                let (monitor, timeout) = (course.wish.monitor, course.wish.start_timeout);
                let start = Action::Start { container: container.clone(), name: name.clone() };
                let stop = Action::Stop {
                    container: container.clone(),
                    name: name.clone(),
                    timeout: course.wish.stop_timeout,
                };
                group.push(stop, vec![start.clone()]);
                group.push(start.clone(), vec![start]);
                let (container, name) = (container.clone(), name.clone());
                group.push(Action::AwaitHealthy { container, name, monitor, timeout }, Vec::new());
            }
            // Then it is not the one that stays.
            Reaction::Replace => {}
        }
    }
}

/// Removes attempts that an earlier apply left, but for the latest, whose log may still be of use; and
/// answers what is to be removed in the end.
pub(super) fn clear<'a>(
    context: &PlanContext<'_>,
    course: &Course<'a>,
    group: &mut Group<'_>,
    back: &WayBack<'_>,
) -> Vec<&'a Container> {
    let rest = course.instances.all().filter(|ours| !course.choice.is(ours) && !kept::stays(course, ours));
    let rest: Vec<&Container> = rest.collect();
    let is = |ours: &Container, other: Option<&Container>| other.is_some_and(|other| other.id == ours.id);
    let idle: Vec<&Container> = course
        .instances
        .others
        .iter()
        .copied()
        .filter(|ours| !course.choice.is(ours) && !runs(ours) && !is(ours, course.fallback))
        .filter(|ours| !kept::stays(course, ours))
        .collect();
    let early = match course.choice {
        Choice::New { .. } => &idle[..idle.len().saturating_sub(1)],
        Choice::Existing(_) => &[],
    };
    for ours in early {
        remove(context, ours, group, &back.actions());
    }
    rest.into_iter().filter(|ours| !early.iter().any(|gone| gone.id == ours.id)).collect()
}

/// Creates the new container from a spec and joins its further networks.
pub(super) fn make(
    context: &PlanContext<'_>,
    course: &Course<'_>,
    spec: &Spec,
    generation: u64,
    name: &str,
    group: &mut Group<'_>,
    back: &mut WayBack<'_>,
) -> Target {
    // What cannot be declared later is declared at once.
    let policy = if course.runs && course.can_update { no_restart() } else { course.policy() };
    let whose = instance(&course.wish.name, generation);
    let files = Files::of(context, course.wish.name.as_str(), whose, &spec.files, &course.source);
    if let Some(files) = &files {
        fill(files, group, back);
    }
    let body = create(context.workspace(), course, spec, name, generation, &policy, files.as_ref());
    let step = group.push(Action::Create(Box::new(body)), back.actions());
    let service = course.wish.name.as_str();
    let keep = course.source.pull.is_some().then(|| keep_tag(context.workspace(), service, generation));
    back.created(step, name, keep);
    let container = Target::CreatedBy(step);
    for (network, endpoint) in spec.further_networks() {
        let (container, name) = (container.clone(), name.to_owned());
        group.push(Action::Connect { container, name, network, endpoint }, back.actions());
    }
    container
}

/// Makes and fills the volume of secrets of a container that is created next.
fn fill(files: &Files<'_>, group: &mut Group<'_>, back: &mut WayBack<'_>) {
    // Whose volume it is that is there is known when it was made.
    group.push(files.create_volume(), back.actions());
    back.volume = Some(files.volume.clone());
    let filler = Target::CreatedBy(group.push(files.create_filler(), back.actions()));
    back.filler = Some(files.discard(filler.clone()));
    group.push(files.put(filler.clone()), back.actions());
    group.push(files.discard(filler), back.actions());
    back.filler = None;
}

/// Brings the networks of an existing container in line.
pub(super) fn join(
    course: &Course<'_>,
    container: &Container,
    name: &str,
    group: &mut Group<'_>,
    back: &WayBack<'_>,
) {
    let spec = &course.spec;
    if course.runs && !runs(container) {
        for action in networks::rejoin_declared(spec, container) {
            group.push(networks::called(action, name), back.actions());
        }
        return;
    }
    for (action, mut undo) in networks::changes(spec, container, &course.networks) {
        undo.extend(back.actions());
        group.push(networks::called(action, name), undo);
    }
}

/// Stops and parks what shall not run any more.
pub(super) fn retire(course: &Course<'_>, group: &mut Group<'_>, back: &mut WayBack<'_>) {
    for old in &course.retire {
        let is_fallback = course.fallback.is_some_and(|fallback| fallback.id == old.id);
        let (container, name) = (Target::Id(old.id.clone()), old.name.clone());
        back.stopped |= is_fallback;
        let stop = Action::Stop {
            container: container.clone(),
            name: name.clone(),
            timeout: course.wish.stop_timeout,
        };
        group.push(stop, back.actions());
        let policy = old.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
        // A container that stays gets its policy with its other live fields.
        if course.can_update && !course.choice.is(old) && !same_policy(policy, &parked(policy)) {
            back.parked |= is_fallback;
            let body = json!({ "RestartPolicy": parked(policy) });
            group.push(Action::Update { container, name, body }, back.actions());
        }
    }
}

/// The body that gives the container its declared live fields, where they are not so already.
pub(super) fn final_update(course: &Course<'_>) -> Option<Value> {
    match &course.choice {
        Choice::New { .. } => {
            let differs = course.runs && course.can_update && !same_policy(&no_restart(), &course.policy());
            differs.then(|| json!({ "RestartPolicy": course.policy() }))
        }
        Choice::Existing(_) if course.live.is_empty() => None,
        Choice::Existing(container) => {
            let mut body = course.spec.update_body_of(&container.inspect);
            body["RestartPolicy"] = course.policy();
            Some(body)
        }
    }
}

/// The old one gives up the plain name, the new one takes it.
pub(super) fn commit<'a>(
    context: &PlanContext<'a>,
    course: &Course<'a>,
    target: &Target,
    name: &str,
    group: &mut Group<'_>,
    back: &mut WayBack<'a>,
) {
    let service = course.wish.name.as_str();
    if name == service {
        back.committed = true;
        return;
    }
    if let Some(holder) = course.instances.holder {
        let aside = match kept::stays(course, holder) {
            true => context.first_free(|number| Standing::kept(service, generation(holder), number)),
            false => context.free_name(service, generation(holder), name).1,
        };
        back.renamed = Some((holder, aside.clone()));
        let rename =
            Action::Rename { container: Target::Id(holder.id.clone()), from: service.to_owned(), to: aside };
        group.push(rename, back.actions());
    }
    back.crowned = true;
    let rename = Action::Rename { container: target.clone(), from: name.to_owned(), to: service.to_owned() };
    group.push(rename, back.actions());
    back.committed = true;
}

pub(super) fn remove(context: &PlanContext<'_>, ours: &Container, group: &mut Group<'_>, undo: &[Action]) {
    for action in removal(context, ours, group.name_of(&ours.id)) {
        group.push(action, undo.to_vec());
    }
}
