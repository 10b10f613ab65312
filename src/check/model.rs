//! A host as a few facts on each container, on which steps are carried out.

use crate::observed::{Container, InstanceRole, Label, Observed, slot_of};
use crate::plan::{Action, Create, Target};
use std::collections::{BTreeMap, BTreeSet};

/// All containers of a host. It is changed in place; what was tried on it is undone from a journal.
#[derive(Debug, Default)]
pub(super) struct Model {
    held: BTreeMap<String, ModelContainer>,
    /// Keys of ours by plain name, and by service.
    by_slot: BTreeMap<String, BTreeSet<String>>,
    by_service: BTreeMap<String, BTreeSet<String>>,
    /// How many containers have a name.
    names: BTreeMap<String, usize>,
    /// Slots whose container was removed after it had held the plain name and run.
    lost: BTreeSet<String>,
    /// What was changed since the last trial began.
    journal: Vec<Replaced>,
}

/// What a step replaced.
#[derive(Debug)]
enum Replaced {
    /// The container of a key, as it was before; `None`: there was none.
    Container(String, Option<ModelContainer>),
    /// A slot that is lost since.
    Lost(String),
}

/// A container.
#[derive(Clone, Debug)]
pub(super) struct ModelContainer {
    /// Its id; of one that the plan creates what stands for it.
    pub(super) id: String,
    pub(super) name: String,
    generation: u64,
    /// It held the plain name and ran last: a rollback that was cut off may have ended it before another.
    committed: bool,
    /// `None` if it is not ours, or no instance.
    pub(super) service: Option<String>,
    /// It is ours, and no instance.
    helper: bool,
    /// The plain name that it has, had or is to have.
    pub(super) slot: String,
    /// It ran before, or a step waited for it to work.
    pub(super) works: bool,
    pub(super) running: bool,
    pub(super) spec: String,
}

impl Model {
    pub(super) fn of(observed: &Observed) -> Self {
        let mut model = Self::default();
        let goes = |one: &Container| one.state.running || one.state.restarting;
        let mut ran: BTreeMap<&str, (bool, Option<jiff::Timestamp>)> = BTreeMap::new();
        for one in observed.containers.iter().filter(|one| one.ours.is_some() && !one.impostor) {
            let last = ran.entry(one.slot()).or_default();
            *last = (*last).max((goes(one), one.ended()));
        }
        for container in &observed.containers {
            let ours = container.ours.as_ref().filter(|_| !container.impostor);
            let running = goes(container);
            let last = ran.get(container.slot());
            let is_last = running || last.is_none_or(|last| *last <= (false, container.ended()));
            let usable = !matches!(container.state.status.as_str(), "dead" | "removing");
            let held = ModelContainer {
                id: container.id.clone(),
                name: container.name.clone(),
                generation: container.generation(),
                committed: container.role() == InstanceRole::Committed
                    && container.has_run()
                    && usable
                    && is_last,
                service: ours.map(|ours| ours.service.clone()),
                helper: container.helper.is_some(),
                slot: ours.map(|ours| slot_of(&ours.instance).to_owned()).unwrap_or_default(),
                works: running,
                running,
                spec: ours.map(|ours| ours.spec.0.clone()).unwrap_or_default(),
            };
            model.set(container.id.clone(), Some(held));
        }
        model
    }

    /// Puts a container under a key, or takes it away; answers what was there.
    fn set(&mut self, key: String, held: Option<ModelContainer>) -> Option<ModelContainer> {
        let before = self.held.remove(&key);
        if let Some(before) = &before {
            if let Some(number) = self.names.get_mut(&before.name) {
                *number = number.saturating_sub(1);
            }
            if let Some(keys) = self.by_slot.get_mut(&before.slot) {
                keys.remove(&key);
            }
            if let Some(keys) = before.service.as_ref().and_then(|service| self.by_service.get_mut(service)) {
                keys.remove(&key);
            }
        }
        if let Some(held) = held {
            *self.names.entry(held.name.clone()).or_default() += 1;
            if let Some(service) = &held.service {
                self.by_slot.entry(held.slot.clone()).or_default().insert(key.clone());
                self.by_service.entry(service.clone()).or_default().insert(key.clone());
            }
            self.held.insert(key, held);
        }
        before
    }

    /// Carries out what is only tried, asks, and undoes it all.
    pub(super) fn tried<T>(&mut self, attempt: impl FnOnce(&mut Self) -> T) -> T {
        self.journal.clear();
        let answer = attempt(self);
        while let Some(change) = self.journal.pop() {
            match change {
                Replaced::Container(key, before) => drop(self.set(key, before)),
                Replaced::Lost(slot) => drop(self.lost.remove(&slot)),
            }
        }
        answer
    }

    /// Whether the container that held a plain name and ran was removed.
    pub(super) fn lost(&self, slot: &str) -> bool {
        self.lost.contains(slot)
    }

    /// Ours of a service.
    pub(super) fn of_service(&self, service: &str) -> impl Iterator<Item = &ModelContainer> {
        self.by_service.get(service).into_iter().flatten().filter_map(|key| self.look(key))
    }

    /// Ours of one container of a service, by its plain name.
    pub(super) fn of_slot(&self, slot: &str) -> impl Iterator<Item = &ModelContainer> {
        self.by_slot.get(slot).into_iter().flatten().filter_map(|key| self.look(key))
    }

    fn look(&self, key: &str) -> Option<&ModelContainer> {
        #[cfg(test)]
        LOOKED_AT.set(LOOKED_AT.get() + 1);
        self.held.get(key)
    }

    /// The plain name of the container that an action is about.
    pub(super) fn slot(&self, action: &Action) -> Option<String> {
        match action {
            Action::Create(create) => Some(create.service.clone()),
            _ => {
                let held = self.look(&key(action.target()?))?;
                held.service.is_some().then(|| held.slot.clone())
            }
        }
    }

    /// Carries out a step, or says why an Engine would not.
    pub(super) fn apply(&mut self, step: u32, action: &Action) -> Result<(), String> {
        let taken = |name: &str| self.names.get(name).is_some_and(|number| *number > 0);
        match action {
            Action::Create(create) if taken(&create.name) => return Err("the name is taken".to_owned()),
            Action::Rename { from, to, .. } if from != to && taken(to) => {
                return Err("the name is taken".to_owned());
            }
            _ => {}
        }
        if let Action::Create(create) = action {
            let key = key(&Target::CreatedBy(step));
            self.change(key.clone(), Some(ModelContainer::created(key, create)));
            return Ok(());
        }
        let Some(target) = action.target() else { return Ok(()) };
        let key = key(target);
        let Some(held) = self.look(&key) else { return Err("there is no such container".to_owned()) };
        if held.service.is_none() && !held.helper {
            return Err("it is not ours".to_owned());
        }
        let mut then = held.clone();
        match action {
            Action::Start { .. } | Action::StartFilled { .. } => then.running = true,
            Action::WriteFiles { files, .. } if files.values().any(|file| file.sealed().is_some()) => {
                return Err("a file with a secret is put into a container".to_owned());
            }
            Action::PutFiles { .. } if !held.helper => return Err("it is an instance".to_owned()),
            Action::AwaitExit { .. } if !held.running => return Err("it does not run".to_owned()),
            Action::AwaitExit { .. } | Action::Stop { .. } => (then.running, then.works) = (false, false),
            Action::Exec { .. } | Action::Signal { .. } if !held.running => {
                return Err("it does not run".to_owned());
            }
            // Out of a network it is not found; it is waited for again.
            Action::Disconnect { .. } => then.works = false,
            Action::Rename { to, .. } => then.name.clone_from(to),
            Action::Remove { .. } | Action::Discard { .. } if held.running => {
                return Err("it runs".to_owned());
            }
            Action::Discard { .. } if !held.helper => return Err("it is an instance".to_owned()),
            Action::Remove { .. } | Action::Discard { .. } => {
                if then.committed && self.lost.insert(then.slot.clone()) {
                    self.journal.push(Replaced::Lost(then.slot));
                }
                self.change(key, None);
                return Ok(());
            }
            Action::AwaitHealthy { .. } if !held.running => return Err("it does not run".to_owned()),
            Action::AwaitHealthy { .. } => then.works = true,
            _ => return Ok(()),
        }
        self.change(key, Some(then));
        Ok(())
    }

    fn change(&mut self, key: String, held: Option<ModelContainer>) {
        let before = self.set(key.clone(), held);
        self.journal.push(Replaced::Container(key, before));
    }
}

#[cfg(test)]
thread_local! {
    /// How often a container was looked at: what a check costs grows with the plan, not with its square.
    pub(crate) static LOOKED_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl ModelContainer {
    /// A container as it is created.
    fn created(id: String, create: &Create) -> Self {
        let label = |name: &str| create.body["Labels"][name].as_str().unwrap_or_default().to_owned();
        let helper = [Label::FILLS, Label::TASK].iter().any(|name| !label(name).is_empty());
        Self {
            id,
            name: create.name.clone(),
            generation: label(Label::GENERATION).parse().unwrap_or_default(),
            committed: false,
            service: Some(label(Label::SERVICE)).filter(|_| !helper),
            helper,
            slot: slot_of(&label(Label::INSTANCE)).to_owned(),
            works: false,
            running: false,
            spec: label(Label::SPEC),
        }
    }

    /// What its name says of it.
    pub(super) fn role(&self) -> InstanceRole {
        InstanceRole::of(&self.name, &self.slot, self.generation)
    }
}

fn key(target: &Target) -> String {
    match target {
        Target::Id(id) => id.clone(),
        // No id of an Engine looks like this.
        Target::CreatedBy(step) => format!("created by step {step}"),
    }
}
