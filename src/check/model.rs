//! A host as a few facts on each container, on which steps are carried out.

use crate::observed::{Label, Observed, Standing};
use crate::plan::{Action, Target};
use std::collections::{BTreeMap, BTreeSet};

/// All containers of a host.
#[derive(Clone, Debug)]
pub(super) struct Model {
    held: BTreeMap<String, Held>,
    /// Slots whose container was removed after it had held the plain name and run.
    lost: BTreeSet<String>,
}

/// A container.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Its id; of one that the plan creates what stands for it.
    pub(super) id: String,
    pub(super) name: String,
    generation: u64,
    /// It held the plain name and has run.
    committed: bool,
    /// It ran when the plan was made.
    pub(super) ran: bool,
    /// `None` if it is not ours, or no instance.
    pub(super) service: Option<String>,
    /// It is ours, and no instance.
    errand: bool,
    /// The plain name that it has, had or is to have.
    pub(super) slot: String,
    /// It ran before, or somebody waited for it to work.
    pub(super) works: bool,
    pub(super) running: bool,
    pub(super) spec: String,
}

impl Model {
    pub(super) fn of(observed: &Observed) -> Self {
        let all = observed.containers.iter().map(|container| {
            let ours = container.ours.as_ref().filter(|_| !container.impostor);
            let running = container.state.running || container.state.restarting;
            let usable = !matches!(container.state.status.as_str(), "dead" | "removing");
            let held = Held {
                id: container.id.clone(),
                name: container.name.clone(),
                generation: container.generation(),
                committed: container.standing() == Standing::Committed && container.has_run() && usable,
                ran: running,
                service: ours.map(|ours| ours.service.clone()),
                errand: container.errand.is_some(),
                slot: ours.map(|ours| slot(&ours.instance)).unwrap_or_default(),
                works: running,
                running,
                spec: ours.map(|ours| ours.spec.0.clone()).unwrap_or_default(),
            };
            (container.id.clone(), held)
        });
        Self { held: all.collect(), lost: BTreeSet::new() }
    }

    /// Whether the container that held a plain name and ran was removed.
    pub(super) fn lost(&self, slot: &str) -> bool {
        self.lost.contains(slot)
    }

    /// Ours of a service.
    pub(super) fn of_service<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Held> {
        self.held.values().filter(move |held| held.service.as_deref() == Some(service))
    }

    /// Ours of one container of a service, by its plain name.
    pub(super) fn of_slot<'a>(&'a self, slot: &'a str) -> impl Iterator<Item = &'a Held> {
        self.held.values().filter(move |held| held.service.is_some() && held.slot == slot)
    }

    /// The plain name of the container that an action is about.
    pub(super) fn slot(&self, action: &Action) -> Option<String> {
        match action {
            Action::Create(create) => Some(create.service.clone()),
            _ => {
                let held = self.held.get(&key(action.target()?))?;
                held.service.is_some().then(|| held.slot.clone())
            }
        }
    }

    /// Carries out a step, or says why an Engine would not.
    pub(super) fn apply(&mut self, step: u32, action: &Action) -> Result<(), String> {
        let taken = |name: &str| self.held.values().any(|held| held.name == name);
        match action {
            Action::Create(create) if taken(&create.name) => return Err("the name is taken".to_owned()),
            Action::Rename { from, to, .. } if from != to && taken(to) => {
                return Err("the name is taken".to_owned());
            }
            _ => {}
        }
        if let Action::Create(create) = action {
            let label = |name: &str| create.body["Labels"][name].as_str().unwrap_or_default().to_owned();
            let errand = [Label::FILLS, Label::TASK].iter().any(|name| !label(name).is_empty());
            let held = Held {
                id: key(&Target::CreatedBy(step)),
                name: create.name.clone(),
                generation: label(Label::GENERATION).parse().unwrap_or_default(),
                committed: false,
                ran: false,
                service: Some(label(Label::SERVICE)).filter(|_| !errand),
                errand,
                slot: slot(&label(Label::INSTANCE)),
                works: false,
                running: false,
                spec: label(Label::SPEC),
            };
            self.held.insert(key(&Target::CreatedBy(step)), held);
            return Ok(());
        }
        let Some(target) = action.target() else { return Ok(()) };
        let key = key(target);
        let Some(held) = self.held.get_mut(&key) else { return Err("there is no such container".to_owned()) };
        if held.service.is_none() && !held.errand {
            return Err("it is not ours".to_owned());
        }
        match action {
            Action::Start { .. } | Action::StartFilled { .. } => held.running = true,
            Action::PutFiles { .. } if !held.errand => return Err("it is an instance".to_owned()),
            Action::AwaitExit { .. } if !held.running => return Err("it does not run".to_owned()),
            Action::AwaitExit { .. } => (held.running, held.works) = (false, false),
            Action::Stop { .. } => (held.running, held.works) = (false, false),
            Action::Exec { .. } | Action::Signal { .. } if !held.running => {
                return Err("it does not run".to_owned());
            }
            // Out of a network it is not found; it is waited for again.
            Action::Disconnect { .. } => held.works = false,
            Action::Rename { to, .. } => held.name.clone_from(to),
            Action::Remove { .. } | Action::Discard { .. } if held.running => {
                return Err("it runs".to_owned());
            }
            Action::Discard { .. } if !held.errand => return Err("it is an instance".to_owned()),
            Action::Remove { .. } | Action::Discard { .. } => {
                if held.committed {
                    self.lost.insert(held.slot.clone());
                }
                self.held.remove(&key);
            }
            Action::AwaitHealthy { .. } if !held.running => return Err("it does not run".to_owned()),
            Action::AwaitHealthy { .. } => held.works = true,
            _ => {}
        }
        Ok(())
    }
}

impl Held {
    /// What its name says of it.
    pub(super) fn standing(&self) -> Standing {
        Standing::of(&self.name, &self.slot, self.generation)
    }
}

/// The plain name in an instance.
pub(super) fn slot(instance: &str) -> String {
    instance.rsplit_once(".g").map_or(instance, |(slot, _)| slot).to_owned()
}

fn key(target: &Target) -> String {
    match target {
        Target::Id(id) => id.clone(),
        // No id of an Engine looks like this.
        Target::CreatedBy(step) => format!("created by step {step}"),
    }
}
