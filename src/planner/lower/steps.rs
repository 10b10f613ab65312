//! The list of steps as it grows.

use crate::plan::{Action, Cause, Expect, Step, Target};
use std::collections::{BTreeMap, BTreeSet};

/// Steps of a host, numbered from 1.
#[derive(Default)]
pub(in crate::planner) struct Steps {
    all: Vec<Step>,
    /// Tags that containers leave behind when they go.
    tags_stay: BTreeSet<String>,
}

impl Steps {
    /// No steps yet; these tags are not taken off with their containers.
    pub(in crate::planner) fn without_untagging(tags: &BTreeSet<String>) -> Self {
        Self { all: Vec::new(), tags_stay: tags.clone() }
    }

    /// Adds a step; answers its id.
    pub(in crate::planner) fn push(
        &mut self,
        group: &str,
        action: Action,
        cause: &Cause,
        needs: Vec<u32>,
    ) -> u32 {
        let id = u32::try_from(self.all.len() + 1).unwrap_or(u32::MAX);
        let mut needs = needs;
        needs.sort_unstable();
        needs.dedup();
        self.all.push(Step {
            id,
            group: group.to_owned(),
            action,
            needs,
            cause: cause.clone(),
            expects: Vec::new(),
            undo: Vec::new(),
        });
        id
    }

    /// The step that was added last.
    pub(in crate::planner) fn last(&mut self) -> Option<&mut Step> {
        self.all.last_mut()
    }

    /// All of them.
    pub(in crate::planner) fn finish(self) -> Vec<Step> {
        self.all
    }
}

/// Steps of one group, one after another, with what is known of the containers they change.
pub(in crate::planner) struct Group<'s> {
    steps: &'s mut Steps,
    name: String,
    cause: Cause,
    /// Needed by the next step.
    needs: Vec<u32>,
    /// Name and run state of existing containers as the steps leave them, by id.
    known: BTreeMap<String, (String, bool)>,
    /// Those that may end by themselves before their turn comes.
    may_end: BTreeSet<String>,
    /// Ids of those that were removed.
    gone: BTreeSet<String>,
    any: bool,
}

impl<'s> Group<'s> {
    /// An empty group that may begin when `needs` are done.
    pub(in crate::planner) fn new(steps: &'s mut Steps, name: String, cause: Cause, needs: Vec<u32>) -> Self {
        Self {
            steps,
            name,
            cause,
            needs,
            known: BTreeMap::new(),
            may_end: BTreeSet::new(),
            gone: BTreeSet::new(),
            any: false,
        }
    }

    /// Makes an existing container known, so that steps on it carry an expectation.
    pub(in crate::planner) fn know(&mut self, id: &str, name: &str, running: bool) {
        self.known.entry(id.to_owned()).or_insert_with(|| (name.to_owned(), running));
    }

    /// A container ends, or does not, when another one does that it shares something with.
    pub(in crate::planner) fn may_end(&mut self, id: &str) {
        self.may_end.insert(id.to_owned());
    }

    /// Adds a step after the one before.
    pub(in crate::planner) fn push(&mut self, action: Action, undo: Vec<Action>) -> u32 {
        let expects = self.expects(&action);
        self.learn(&action);
        let id = self.steps.push(&self.name, action, &self.cause, std::mem::take(&mut self.needs));
        if let Some(step) = self.steps.last() {
            step.expects = expects;
            step.undo = undo;
        }
        self.needs = vec![id];
        self.any = true;
        id
    }

    /// Whether a tag is taken off with its container.
    pub(in crate::planner) fn takes_off(&self, tag: &str) -> bool {
        !self.steps.tags_stay.contains(tag)
    }

    /// Takes a tag off for which there is no container any more.
    pub(in crate::planner) fn untag(&mut self, tag: &str, undo: Vec<Action>) {
        if self.takes_off(tag) {
            self.push(Action::Untag { name: tag.to_owned() }, undo);
        }
    }

    /// The name that an existing container has after the steps so far.
    pub(in crate::planner) fn name_of(&self, id: &str) -> Option<String> {
        self.known.get(id).map(|(name, _)| name.clone())
    }

    /// Whether a step so far removes a container.
    pub(in crate::planner) fn is_gone(&self, id: &str) -> bool {
        self.gone.contains(id)
    }

    /// What the next group has to wait for; the last step, or nothing if there is none.
    pub(in crate::planner) fn end(self) -> Option<u32> {
        if self.any { self.needs.first().copied() } else { None }
    }

    fn expects(&self, action: &Action) -> Vec<Expect> {
        let mut expects = Vec::new();
        if let Some(Target::Id(id)) = action.target()
            && let Some((name, running)) = self.known.get(id)
        {
            let running = match action {
                Action::Stop { .. } if self.may_end.contains(id) => None,
                Action::Stop { .. } | Action::Remove { .. } => Some(*running),
                // Whether it runs makes no difference to these.
                _ => None,
            };
            expects.push(Expect::Container { id: id.clone(), name: name.clone(), running });
        }
        match action {
            Action::Create(create) => {
                expects.push(Expect::NameFree { name: create.name.clone() });
                expects.push(Expect::Image { image: create.on_host() });
            }
            Action::Tag { source, .. } => expects.push(Expect::Image { image: source.clone() }),
            Action::Rename { to, .. } => expects.push(Expect::NameFree { name: to.clone() }),
            Action::CreateNetwork { name, .. } => expects.push(Expect::NetworkFree { name: name.clone() }),
            Action::RemoveNetwork { id, name } => {
                expects.push(Expect::Network { id: id.clone(), name: name.clone() });
            }
            Action::CreateVolume { name, .. } => expects.push(Expect::VolumeFree { name: name.clone() }),
            Action::RemoveVolume { name, created_at } => {
                expects.push(Expect::Volume { name: name.clone(), created_at: *created_at });
            }
            _ => {}
        }
        expects
    }

    fn learn(&mut self, action: &Action) {
        let Some(Target::Id(id)) = action.target() else { return };
        if matches!(action, Action::Remove { .. }) {
            self.gone.insert(id.clone());
        }
        let Some((name, running)) = self.known.get_mut(id) else { return };
        match action {
            Action::Start { .. } => *running = true,
            Action::Stop { .. } => *running = false,
            Action::Rename { to, .. } => name.clone_from(to),
            _ => {}
        }
    }
}
