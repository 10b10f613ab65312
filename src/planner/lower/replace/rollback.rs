//! Rollback: what brings the old container back, wherever a replacement fails.

use crate::observed::{Container, InstanceRole};
use crate::plan::{Action, Target};
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::decide::instances::runs;
use crate::planner::decide::restart::{no_restart, parked, same_policy};
use crate::planner::lower::networks;
use serde_json::{Value, json};

/// How far a replacement is; [`Rollback::actions`] says how to undo it from there.
pub(super) struct Rollback<'a> {
    fallback: Option<&'a Container>,
    /// The policy that the fallback gets back.
    policy: Option<Value>,
    service: String,
    stop_timeout: Option<u32>,
    can_update: bool,
    /// The new container and its name, once there is one.
    target: Option<(Target, String)>,
    /// The tag that keeps the image of one that the plan creates.
    pub(super) keep: Option<String>,
    /// The volume of secrets that the plan makes for it.
    pub(super) volume: Option<String>,
    /// What removes the container that fills that volume, while there is one.
    pub(super) filler: Option<Action>,
    /// The policy of the new container before it got the declared one.
    before: Value,
    /// Attempts that an earlier run left running and that are not stopped yet, where two must not run at once: a
    /// fallback that was down does not start beside them.
    pub(super) beside: Vec<&'a Container>,
    /// The new container may run.
    pub(super) started: bool,
    /// The new container may have a restart policy.
    pub(super) permanent: bool,
    /// The fallback may have been stopped.
    pub(super) stopped: bool,
    /// The fallback may have been parked.
    pub(super) parked: bool,
    /// The container that may have given up the plain name, and the name that it took.
    pub(super) renamed: Option<(&'a Container, String)>,
    /// The new container may have the plain name.
    pub(super) crowned: bool,
    /// The name to which the new container goes back, if it is one that was kept.
    rests_as: Option<String>,
    /// The new container has the plain name: nothing is rolled back any more.
    pub(super) committed: bool,
}

impl<'a> Rollback<'a> {
    pub(super) fn new(decision: &ContainerDecision<'a>) -> Self {
        let service = decision.desired.name.as_str();
        let (existing, before) = match decision.choice {
            Choice::Existing(container) => {
                let policy = container.inspect.compare("/HostConfig/RestartPolicy").cloned();
                (Some((Target::Id(container.id.clone()), container.name.clone())), policy)
            }
            Choice::New { .. } => (None, None),
        };
        Self {
            fallback: decision.fallback,
            policy: decision.fallback.filter(|_| decision.can_update).and_then(|old| policy(decision, old)),
            service: service.to_owned(),
            stop_timeout: decision.desired.stop_timeout,
            can_update: decision.can_update,
            target: existing,
            keep: None,
            volume: None,
            filler: None,
            before: before.unwrap_or_else(no_restart),
            beside: beside(decision),
            started: false,
            permanent: false,
            stopped: false,
            parked: false,
            // Cut in two by an earlier run: it gets its name back.
            renamed: decision
                .fallback
                .filter(|old| old.role() == InstanceRole::Kept)
                .map(|old| (old, old.name.clone())),
            crowned: false,
            rests_as: None,
            committed: false,
        }
    }

    /// The new container is known by another name from now on.
    pub(super) fn called(&mut self, name: &str) {
        if let Some((_, old)) = &mut self.target {
            name.clone_into(old);
        }
    }

    /// The new container was kept, or returns since an earlier run. One that runs already is laid down stopped,
    /// and only where another takes over: nothing looks after a kept one that runs.
    pub(super) fn returns(&mut self, decision: &ContainerDecision<'_>, chosen: &Container, rests_as: &str) {
        if runs(chosen) {
            if self.fallback.is_none() {
                return;
            }
            self.started = true;
            let rest = parked(&self.before);
            self.permanent = decision.can_update && !same_policy(&self.before, &rest);
            self.before = rest;
        }
        self.rests_as = Some(rests_as.to_owned());
    }

    /// The new container is there.
    pub(super) fn created(&mut self, step: u32, name: &str) {
        self.target = Some((Target::CreatedBy(step), name.to_owned()));
    }

    /// What takes back everything that has been done so far, in this order.
    pub(super) fn actions(&self) -> Vec<Action> {
        if self.committed {
            return Vec::new();
        }
        let mut undo = Vec::new();
        if self.stays() {
            // It may hold the ports of the old one.
            undo.extend(self.put_away());
            undo.extend(self.bring_back());
        } else {
            undo.extend(self.bring_back());
            undo.extend(self.put_away());
        }
        if let (true, Some((container, temporary))) = (self.crowned && self.stays(), self.target.clone()) {
            let (from, to) = (self.service.clone(), temporary);
            undo.push(Action::Rename { container, from, to });
        }
        if let (Some(kept), Some((container, from))) = (&self.rests_as, self.target.clone()) {
            undo.push(Action::Rename { container, from, to: kept.clone() });
        }
        if let Some((holder, aside)) = &self.renamed {
            let (from, to) = (aside.clone(), self.service.clone());
            undo.push(Action::Rename { container: Target::Id(holder.id.clone()), from, to });
        }
        undo
    }

    /// The old one runs as it did.
    fn bring_back(&self) -> Vec<Action> {
        let Some(old) = self.fallback else { return Vec::new() };
        let was_down = !runs(old);
        let mut undo = Vec::new();
        if was_down {
            undo.extend(self.beside.iter().flat_map(|one| self.stop_for_good(one)));
        }
        let (container, name) = (Target::Id(old.id.clone()), old.name.clone());
        if let Some(policy) = self.policy.as_ref().filter(|_| self.parked || was_down) {
            let body = json!({ "RestartPolicy": policy });
            undo.push(Action::Update { container: container.clone(), name: name.clone(), body });
        }
        if was_down {
            undo.extend(networks::rejoin(old));
        }
        if self.stopped || was_down {
            undo.push(Action::Start { container, name });
        }
        undo
    }

    /// Stops an attempt, and where that is possible it stays so when its Engine starts again.
    fn stop_for_good(&self, one: &Container) -> Vec<Action> {
        let (container, name) = (Target::Id(one.id.clone()), one.name.clone());
        let policy = one.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
        let update = (self.can_update && !same_policy(policy, &parked(policy))).then(|| Action::Update {
            container: container.clone(),
            name: name.clone(),
            body: json!({ "RestartPolicy": parked(policy) }),
        });
        let stop = Action::Stop { container, name, timeout: self.stop_timeout };
        std::iter::once(stop).chain(update).collect()
    }

    /// Whether the new container is kept for inspection.
    fn stays(&self) -> bool {
        self.started || matches!(self.target, Some((Target::Id(_), _)))
    }

    /// The new one is stopped and kept for inspection; one that never ran goes.
    fn put_away(&self) -> Vec<Action> {
        let Some((container, name)) = self.target.clone() else {
            return self.filler.iter().cloned().chain(self.untag()).chain(self.drop_volume()).collect();
        };
        if self.started {
            let body = json!({ "RestartPolicy": self.before });
            let update = Action::Update { container: container.clone(), name: name.clone(), body };
            let stop = Action::Stop { container, name, timeout: self.stop_timeout };
            return Vec::from_iter(self.permanent.then_some(update)).into_iter().chain([stop]).collect();
        }
        if self.stays() {
            return Vec::new();
        }
        // What an Engine made for it has nothing in it but what its image has.
        let remove = Action::Discard { container, name };
        std::iter::once(remove).chain(self.untag()).chain(self.drop_volume()).collect()
    }

    fn untag(&self) -> Option<Action> {
        self.keep.clone().map(|name| Action::Untag { name })
    }

    fn drop_volume(&self) -> Option<Action> {
        self.volume.clone().map(|name| Action::RemoveOwnVolume { name })
    }
}

/// Those that are stopped beside the fallback before the new one starts.
fn beside<'a>(decision: &ContainerDecision<'a>) -> Vec<&'a Container> {
    let is_other = |one: &&Container| {
        !decision.choice.is(one) && decision.fallback.is_none_or(|fallback| fallback.id != one.id)
    };
    match decision.start_first {
        true => Vec::new(),
        false => decision.to_stop.iter().copied().filter(is_other).collect(),
    }
}

/// The policy that an old container gets back: what it had when it ran. One that we may have parked in
/// an earlier run keeps `unless-stopped`, which a start makes permanent again; `no` becomes
/// `on-failure` again where that is declared.
fn policy(decision: &ContainerDecision<'_>, old: &Container) -> Option<Value> {
    let observed = old.inspect.compare("/HostConfig/RestartPolicy").cloned();
    if runs(old) {
        return observed;
    }
    let name = |policy: &Value| policy.get("Name").and_then(Value::as_str).map(str::to_owned);
    let declared = decision.desired.spec.restart_policy();
    let no = observed.as_ref().and_then(name).is_none_or(|name| name.is_empty() || name == "no");
    (no && name(&declared).as_deref() == Some("on-failure")).then_some(declared)
}
