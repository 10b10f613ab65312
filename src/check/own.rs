//! What pillarbox makes for itself: volumes of secrets, the containers that fill them, what remembers tasks.

use super::receivers::Receivers;
use crate::desired::{Desired, Kind};
use crate::observed::{HelperContainer, Label, Observed, OwnVolumes, slot_of};
use crate::plan::{Action, Create, FILLED, FileText, HostPlan, Step, Target};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Carries the steps out on volumes and those who mount them.
pub(super) fn check(
    plan: &HostPlan,
    desired: &Desired,
    observed: &Observed,
    receivers: &Receivers<'_>,
) -> Vec<String> {
    let mut model = VolumeModel::of(observed);
    let mut tasks = Tasks::of(desired, observed);
    let mut broken = Vec::new();
    for step in &plan.steps {
        broken.extend(model.apply(step).into_iter().map(|why| {
            let (id, action) = (step.id, &step.action);
            format!("step {id} cannot be done: {action}: {why}")
        }));
        broken.extend(untold(step, receivers));
        broken.extend(tasks.follow(step));
    }
    broken.extend(
        model
            .fillers
            .by_container
            .iter()
            .map(|_| "a container that fills a volume is left in the end".to_owned()),
    );
    let mounted = model.mounts.volumes();
    let alone = model.volumes.iter().filter(|volume| !mounted.contains(volume.as_str()));
    broken.extend(alone.map(|volume| format!("volume {volume} is left in the end")));
    broken
}

struct VolumeModel {
    /// Volumes of secrets that are there.
    volumes: BTreeSet<String>,
    /// Those that nothing was put into yet.
    empty: BTreeSet<String>,
    /// Which of them each container mounts, but for those that fill them.
    mounts: Mounts,
    fillers: Mounts,
}

/// Which volumes containers mount.
#[derive(Default)]
struct Mounts {
    by_container: BTreeMap<String, Vec<String>>,
    /// How many containers mount a volume.
    numbers: BTreeMap<String, usize>,
}

impl Mounts {
    fn insert(&mut self, container: String, volumes: Vec<String>) {
        for volume in &volumes {
            *self.numbers.entry(volume.clone()).or_default() += 1;
        }
        self.by_container.insert(container, volumes);
    }

    fn remove(&mut self, container: &str) {
        for volume in self.by_container.remove(container).into_iter().flatten() {
            if let Some(number) = self.numbers.get_mut(&volume) {
                *number = number.saturating_sub(1);
            }
        }
    }

    fn has(&self, volume: &str) -> bool {
        self.numbers.get(volume).is_some_and(|number| *number > 0)
    }

    fn volumes(&self) -> BTreeSet<&str> {
        self.by_container.values().flatten().map(String::as_str).collect()
    }
}

impl VolumeModel {
    fn of(observed: &Observed) -> Self {
        let volumes: BTreeSet<String> = observed.own_volumes.secrets.keys().cloned().collect();
        let mut model =
            Self { volumes, empty: BTreeSet::new(), mounts: Mounts::default(), fillers: Mounts::default() };
        for container in &observed.containers {
            let named = |pointer: &str, field: &str| -> Vec<String> {
                let list = container.inspect.compare(pointer).and_then(Value::as_array);
                let names = list.into_iter().flatten().filter_map(|mount| mount[field].as_str());
                names.filter(|name| model.volumes.contains(*name)).map(str::to_owned).collect()
            };
            let mut mounted = named("/HostConfig/Mounts", "Source");
            // What it has of another container (`volumes_from`) is that one's.
            let own = |volume: &String| {
                let whose = observed.own_volumes.secrets.get(volume);
                match (&container.ours, &container.helper) {
                    (Some(ours), _) => whose == Some(&ours.instance),
                    (None, Some(HelperContainer::Task { name, .. })) => {
                        whose == Some(&format!("{name}.task"))
                    }
                    (None, Some(HelperContainer::Run { service })) => {
                        whose.is_some_and(|whose| whose.starts_with(&format!("{service}.run-")))
                    }
                    _ => false,
                }
            };
            mounted.extend(named("/Mounts", "Name").into_iter().filter(own));
            if container.helper == Some(HelperContainer::Filler) {
                model.fillers.insert(container.id.clone(), mounted);
            } else if !mounted.is_empty() {
                model.mounts.insert(container.id.clone(), mounted);
            }
        }
        model
    }

    fn apply(&mut self, step: &Step) -> Option<String> {
        match &step.action {
            Action::CreateOwnVolume { name, labels, memory } if labels.contains_key(Label::SECRETS) => {
                if !memory {
                    self.empty.insert(name.clone());
                }
                (!self.volumes.insert(name.clone())).then(|| "it is there already".to_owned())
            }
            Action::RemoveOwnVolume { name } => {
                self.volumes.remove(name);
                (self.mounts.has(name) || self.fillers.has(name)).then(|| "it is mounted".to_owned())
            }
            Action::Create(create) => self.create(step.id, create),
            Action::PutFiles { container, name, .. } => {
                self.empty.remove(name);
                (!self.fillers.by_container.contains_key(&key(container)))
                    .then(|| "nothing fills it".to_owned())
            }
            Action::Remove { container, .. } | Action::Discard { container, .. } => {
                self.mounts.remove(&key(container));
                self.fillers.remove(&key(container));
                None
            }
            _ => None,
        }
    }

    fn create(&mut self, step: u32, create: &Create) -> Option<String> {
        let mounts = create.body.pointer("/HostConfig/Mounts").and_then(Value::as_array);
        let named = mounts.into_iter().flatten().filter_map(|mount| {
            let name = mount["Source"].as_str().filter(|name| name.starts_with("pillarbox-secrets."))?;
            Some((name.to_owned(), mount["ReadOnly"] == true, mount["Target"] == FILLED))
        });
        let named: Vec<(String, bool, bool)> = named.collect();
        let key = key(&Target::CreatedBy(step));
        let fills = create.body["Labels"].get(Label::FILLS).is_some();
        let mut wrong = None;
        for (name, read_only, filled) in &named {
            let shared = self.mounts.has(name);
            wrong = wrong.or(match () {
                () if !self.volumes.contains(name) => Some(format!("volume {name} is not there")),
                // A file that is mounted is rewritten through a container that fills it.
                () if shared && !fills => Some(format!("another container mounts volume {name}")),
                () if fills != *filled || fills == *read_only => Some("it mounts it wrongly".to_owned()),
                () if !fills && self.empty.contains(name) => Some(format!("volume {name} is empty")),
                () => None,
            });
        }
        let names: Vec<String> = named.into_iter().map(|(name, ..)| name).collect();
        if fills {
            self.fillers.insert(key, names);
        } else if !names.is_empty() {
            self.mounts.insert(key, names);
        }
        wrong
    }
}

/// Every secret in a file is said to be received.
fn untold(step: &Step, receivers: &Receivers<'_>) -> Vec<String> {
    let Some((service, files)) = step.action.texts() else { return Vec::new() };
    let mut broken = Vec::new();
    for FileText { path, text, .. } in files {
        let field = format!("file {path}");
        for _ in text.secrets().filter(|secret| !receivers.say(secret, service, &field)) {
            broken.push(format!("file {path} of {service} receives a secret, and the plan does not say so"));
        }
    }
    broken
}

/// What requires a task is created after it is remembered that it ran, and says so.
struct Tasks<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    /// Tasks that each container requires, by plain name.
    needed: BTreeMap<&'a str, Vec<&'a str>>,
    /// Volumes that remember a task and are made before a step is done, or by it. Steps that add none have
    /// the set of the step that they need.
    made: BTreeMap<u32, Rc<BTreeSet<String>>>,
}

impl<'a> Tasks<'a> {
    fn of(desired: &'a Desired, observed: &'a Observed) -> Self {
        let mut needed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for item in desired.items.iter().filter(|item| item.address.kind == Kind::Container) {
            let tasks = item.needs.iter().filter(|need| need.kind == Kind::Task);
            needed.entry(&item.address.name).or_default().extend(tasks.map(|task| task.name.as_str()));
        }
        Self { desired, observed, needed, made: BTreeMap::new() }
    }

    /// Goes on by a step; answers what is wrong with it.
    fn follow(&mut self, step: &Step) -> Vec<String> {
        let mut before: Option<Rc<BTreeSet<String>>> = None;
        for more in step.needs.iter().filter_map(|need| self.made.get(need)) {
            match &mut before {
                None => before = Some(Rc::clone(more)),
                Some(before) if more.is_subset(before) => {}
                Some(before) => Rc::make_mut(before).extend(more.iter().cloned()),
            }
        }
        let mut before = before.unwrap_or_default();
        let broken = match &step.action {
            Action::Create(create) => self.created(step.id, create, &before),
            _ => Vec::new(),
        };
        if let Action::CreateOwnVolume { name, labels, .. } = &step.action
            && labels.contains_key(Label::RAN)
        {
            Rc::make_mut(&mut before).insert(name.clone());
        }
        self.made.insert(step.id, before);
        broken
    }

    fn created(&self, step: u32, create: &Create, before: &BTreeSet<String>) -> Vec<String> {
        let label = |name: &str| create.body["Labels"][name].as_str().unwrap_or_default();
        let slot = slot_of(label(Label::INSTANCE)).to_owned();
        let said: BTreeMap<&str, &str> =
            label(Label::TASKS).split(',').filter_map(|part| part.split_once('=')).collect();
        let needed = self.needed.get(slot.as_str()).into_iter().flatten();
        needed
            .filter_map(|name| {
                let Some(fingerprint) = said.get(name) else {
                    return Some(format!("step {step} does not say that it comes after task {name}"));
                };
                let known = self.observed.own_volumes.ran(name, fingerprint).is_some();
                let volume = OwnVolumes::of_task(&self.desired.workspace, name, fingerprint);
                (!known && !before.contains(&volume))
                    .then(|| format!("step {step} does not wait for task {name}"))
            })
            .collect()
    }
}

fn key(target: &Target) -> String {
    match target {
        Target::Id(id) => id.clone(),
        Target::CreatedBy(step) => format!("created by step {step}"),
    }
}
