//! What pillarbox makes for itself: volumes of secrets, the containers that fill them, what remembers tasks.

use crate::desired::Desired;
use crate::observed::{Errand, Label, Observed, OwnVolumes};
use crate::plan::{Action, Create, FILLED, HostPlan, Step, Target};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Carries the steps out on volumes and those who mount them.
pub(super) fn check(plan: &HostPlan, desired: &Desired, observed: &Observed) -> Vec<String> {
    let mut model = Model::of(observed);
    let mut broken = Vec::new();
    for step in &plan.steps {
        broken.extend(model.apply(step).into_iter().map(|why| {
            let (id, action) = (step.id, &step.action);
            format!("step {id} cannot be done: {action}: {why}")
        }));
        broken.extend(receivers(plan, step));
        if let Action::Create(create) = &step.action {
            broken.extend(after_tasks(plan, step, create, desired, observed));
        }
    }
    broken.extend(
        model.fillers.iter().map(|_| "a container that fills a volume is left in the end".to_owned()),
    );
    let mounted: BTreeSet<&String> = model.mounts.values().flatten().collect();
    let alone = model.volumes.iter().filter(|volume| !mounted.contains(volume));
    broken.extend(alone.map(|volume| format!("volume {volume} is left in the end")));
    broken
}

struct Model {
    /// Volumes of secrets that are there.
    volumes: BTreeSet<String>,
    /// Those that nothing was put into yet.
    empty: BTreeSet<String>,
    /// Which of them each container mounts, but for those that fill them.
    mounts: BTreeMap<String, Vec<String>>,
    fillers: BTreeMap<String, Vec<String>>,
}

impl Model {
    fn of(observed: &Observed) -> Self {
        let volumes: BTreeSet<String> = observed.own_volumes.secrets.keys().cloned().collect();
        let mut model =
            Self { volumes, empty: BTreeSet::new(), mounts: BTreeMap::new(), fillers: BTreeMap::new() };
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
                match (&container.ours, &container.errand) {
                    (Some(ours), _) => whose == Some(&ours.instance),
                    (None, Some(Errand::Task { name, .. })) => whose == Some(&format!("{name}.task")),
                    _ => false,
                }
            };
            mounted.extend(named("/Mounts", "Name").into_iter().filter(own));
            if container.errand == Some(Errand::Filler) {
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
                let all = self.mounts.values().chain(self.fillers.values());
                all.flatten().any(|volume| volume == name).then(|| "it is mounted".to_owned())
            }
            Action::Create(create) => self.create(step.id, create),
            Action::PutFiles { container, name, .. } => {
                self.empty.remove(name);
                (!self.fillers.contains_key(&key(container))).then(|| "nothing fills it".to_owned())
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
            let shared = self.mounts.values().flatten().any(|volume| volume == name);
            wrong = wrong.or(match () {
                () if !self.volumes.contains(name) => Some(format!("volume {name} is not there")),
                () if shared => Some(format!("another container mounts volume {name}")),
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
fn receivers(plan: &HostPlan, step: &Step) -> Vec<String> {
    let Some((service, files)) = step.action.files() else { return Vec::new() };
    let mut broken = Vec::new();
    for (name, file) in files {
        for secret in file.value.secrets() {
            let told = plan.receivers.iter().any(|receiver| {
                receiver.secret == secret.origin.key.to_string()
                    && receiver.container == service
                    && receiver.field == format!("file /run/secrets/{name}")
            });
            if !told {
                broken.push(format!("file {name} of {service} receives a secret and nobody says so"));
            }
        }
    }
    broken
}

/// What requires a task is created after it is remembered that it ran, and says so.
fn after_tasks(
    plan: &HostPlan,
    step: &Step,
    create: &Create,
    desired: &Desired,
    observed: &Observed,
) -> Vec<String> {
    let label = |name: &str| create.body["Labels"][name].as_str().unwrap_or_default();
    let slot = super::model::slot(label(Label::INSTANCE));
    let items = desired
        .items
        .iter()
        .filter(|item| item.address.kind == crate::desired::Kind::Container && item.address.name == slot);
    let needed = items.flat_map(|item| &item.needs).filter(|need| need.kind == crate::desired::Kind::Task);
    let said: BTreeMap<&str, &str> =
        label(Label::TASKS).split(',').filter_map(|part| part.split_once('=')).collect();
    let before = before(plan, step);
    needed
        .filter_map(|task| {
            let name = task.name.as_str();
            let Some(fingerprint) = said.get(name) else {
                return Some(format!("step {} does not say that it comes after task {name}", step.id));
            };
            let known = observed.own_volumes.ran(name, fingerprint).is_some();
            let volume = OwnVolumes::of_task(&desired.workspace, name, fingerprint);
            let remembered = plan.steps.iter().any(|step| {
                before.contains(&step.id)
                    && matches!(&step.action, Action::CreateOwnVolume { name, .. } if *name == volume)
            });
            (!known && !remembered).then(|| format!("step {} does not wait for task {name}", step.id))
        })
        .collect()
}

/// All that is done before a step.
fn before(plan: &HostPlan, step: &Step) -> BTreeSet<u32> {
    let mut before: BTreeSet<u32> = step.needs.iter().copied().collect();
    for earlier in plan.steps.iter().rev().filter(|earlier| earlier.id < step.id) {
        if before.contains(&earlier.id) {
            before.extend(&earlier.needs);
        }
    }
    before
}

fn key(target: &Target) -> String {
    match target {
        Target::Id(id) => id.clone(),
        Target::CreatedBy(step) => format!("created by step {step}"),
    }
}
