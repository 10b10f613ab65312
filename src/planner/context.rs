//! What the planner looks at: what is desired, what was observed, and the options of one host. Both are
//! looked through once; from then on a thing is found by its name, id, service or digest.

use super::options::Options;
use super::renamed::Renamed;
use super::work;
use crate::desired::{Desired, DesiredState, Item, Kind};
use crate::name::{ContainerName, Digest, HostName, ImageRef, Owner};
use crate::observed::{Container, Facts, HelperContainer, Image, InstanceRole, KeptImage, Network, Observed};
use crate::observed::{Ownership, Ran, Record, Resolution, SeenFile, Stop, User, Volume, instance};
use crate::plan::{keep_repository, keep_tag, kept_by};
use crate::problem::{Problem, Problems, Result, escaped};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Everything a decision may depend on.
pub(super) struct PlanContext<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    pub(super) options: &'a Options,
    /// Containers that get their names back before anything else is done with them.
    pub(super) renamed: &'a [Renamed],
    index: Index<'a>,
    going: OnceCell<BTreeSet<String>>,
}

/// Where things are found.
#[derive(Default)]
struct Index<'a> {
    by_name: BTreeMap<&'a str, &'a Container>,
    by_id: BTreeMap<&'a str, &'a Container>,
    by_image: BTreeMap<&'a str, Vec<&'a Container>>,
    /// Ours, by service and by plain name.
    by_service: BTreeMap<&'a str, Vec<&'a Container>>,
    by_slot: BTreeMap<&'a str, Vec<&'a Container>>,
    /// Containers of tasks, by task.
    by_task: BTreeMap<&'a str, Vec<&'a Container>>,
    /// Tasks that some container of ours was made after, with what they ran as.
    labelled_tasks: BTreeSet<(&'a str, &'a str)>,
    image_by_id: BTreeMap<&'a str, &'a Image>,
    image_by_digest: BTreeMap<ImageRef, &'a Image>,
    networks: BTreeMap<&'a str, Vec<&'a Network>>,
    volumes: BTreeMap<&'a str, &'a Volume>,
    /// Volumes of secrets by whose they are.
    secrets: BTreeMap<&'a str, Vec<&'a str>>,
    /// What remembers that a task ran, by task, the oldest first.
    ran: BTreeMap<&'a str, Vec<&'a Ran>>,
    /// Generations of which a tag keeps the image, by the repository of the tag.
    kept: BTreeMap<&'a str, BTreeMap<u64, Vec<&'a str>>>,
    /// Names that some state says anything about.
    declared: BTreeMap<(Kind, &'a str), &'a Item>,
    declared_names: BTreeSet<&'a str>,
}

impl<'a> Index<'a> {
    fn of(desired: &'a Desired, observed: &'a Observed) -> Self {
        let mut index = Self::default();
        for container in work::each(&observed.containers) {
            index.container(container);
        }
        for image in work::each(observed.images.values()) {
            index.image_by_id.entry(&image.id).or_insert(image);
            for digest in image.repo_digests.iter().filter_map(|text| ImageRef::parse(text).ok()) {
                index.image_by_digest.entry(digest).or_insert(image);
            }
        }
        for network in work::each(&observed.networks) {
            index.networks.entry(&network.name).or_default().push(network);
        }
        index.volumes = work::each(&observed.volumes).map(|volume| (volume.name.as_str(), volume)).collect();
        for (volume, whose) in work::each(&observed.own_volumes.secrets) {
            index.secrets.entry(whose).or_default().push(volume);
        }
        for ran in work::each(&observed.own_volumes.ran) {
            index.ran.entry(&ran.task).or_default().push(ran);
        }
        for tag in work::each(observed.keeps.keys()) {
            let Some(kept) = kept_by(tag) else { continue };
            index.kept.entry(kept.repository).or_default().entry(kept.generation).or_default().push(tag);
        }
        for item in work::each(&desired.items) {
            let Item { address, .. } = item;
            index.declared.entry((address.kind, &address.name)).or_insert(item);
            index.declared_names.insert(&address.name);
        }
        index
    }

    fn container(&mut self, container: &'a Container) {
        self.by_name.entry(&container.name).or_insert(container);
        self.by_id.insert(&container.id, container);
        self.by_image.entry(&container.image_id).or_default().push(container);
        if let Some(HelperContainer::Task { name, .. }) = &container.helper {
            self.by_task.entry(name).or_default().push(container);
        }
        let Some(labels) = container.ours.as_ref().filter(|_| !container.impostor) else { return };
        self.by_service.entry(&labels.service).or_default().push(container);
        self.by_slot.entry(container.slot()).or_default().push(container);
        let tasks = labels.tasks.iter().map(|(task, ran)| (task.as_str(), ran.as_str()));
        self.labelled_tasks.extend(tasks);
    }
}

impl<'a> PlanContext<'a> {
    pub(super) fn new(desired: &'a Desired, observed: &'a Observed, options: &'a Options) -> Self {
        let (index, going) = (Index::of(desired, observed), OnceCell::new());
        Self { desired, observed, options, renamed: &[], index, going }
    }

    /// With containers that get their names back.
    pub(super) fn and_renamed(self, renamed: &'a [Renamed]) -> Self {
        Self { renamed, ..self }
    }

    pub(super) fn host(&self) -> &'a HostName {
        &self.observed.host
    }

    pub(super) fn facts(&self) -> &'a Facts {
        &self.observed.facts
    }

    pub(super) fn workspace(&self) -> &'a Owner {
        &self.desired.workspace
    }

    /// Everything that is desired, in the order of execution.
    pub(super) fn items(&self) -> impl Iterator<Item = &'a Item> + use<'a> {
        work::each(&self.desired.items)
    }

    /// Notes of compiling.
    pub(super) fn notes(&self) -> &'a [String] {
        &self.desired.notes
    }

    /// What is declared of a thing.
    pub(super) fn declared(&self, kind: Kind, name: &str) -> Option<&'a Item> {
        work::one(self.index.declared.get(&(kind, name)).copied())
    }

    /// All containers of the host, ours or not.
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Container> + use<'a> {
        work::each(&self.observed.containers)
    }

    /// Who holds a name, ours or not.
    pub(super) fn named(&self, name: &str) -> Option<&'a Container> {
        work::one(self.index.by_name.get(name).copied())
    }

    /// The container of an id, ours or not.
    pub(super) fn by_id(&self, id: &str) -> Option<&'a Container> {
        work::one(self.index.by_id.get(id).copied())
    }

    /// The ids of all containers that mount an anonymous volume, ours or not.
    pub(super) fn mounting(&self, volume: &str) -> BTreeSet<String> {
        self.observed.anonymous.get(volume).cloned().unwrap_or_default()
    }

    /// The container of an id, if it is ours.
    pub(super) fn our(&self, id: &str) -> Option<&'a Container> {
        self.by_id(id).filter(|container| container.ours.is_some() && !container.impostor)
    }

    /// Ours of a service, with their labels.
    pub(super) fn of_service(&self, service: &str) -> impl Iterator<Item = (&'a Container, &'a Ownership)> {
        let found = work::each(self.index.by_service.get(service).into_iter().flatten().copied());
        found.filter_map(|container| container.ours.as_ref().map(|labels| (container, labels)))
    }

    /// Ours of a plain name, with their labels; of whichever service.
    pub(super) fn of_slot(&self, slot: &str) -> impl Iterator<Item = (&'a Container, &'a Ownership)> {
        let found = work::each(self.index.by_slot.get(slot).into_iter().flatten().copied());
        found.filter_map(|container| container.ours.as_ref().map(|labels| (container, labels)))
    }

    /// Containers of a task, running or not.
    pub(super) fn of_task(&self, task: &str) -> impl Iterator<Item = &'a Container> {
        work::each(self.index.by_task.get(task).into_iter().flatten().copied())
    }

    /// Whether a container of ours was made after a task had run as this.
    pub(super) fn is_labelled(&self, task: &str, fingerprint: &str) -> bool {
        self.index.labelled_tasks.contains(&(task, fingerprint))
    }

    /// What remembers that a task ran, the oldest first.
    pub(super) fn ran(&self, task: &str) -> &[&'a Ran] {
        self.index.ran.get(task).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether this host remembers that a task ran as this.
    pub(super) fn has_run(&self, task: &str, fingerprint: &str) -> bool {
        self.ran(task).iter().any(|ran| ran.fingerprint == fingerprint)
    }

    /// Declared files of a container that were looked at.
    pub(super) fn files_of(&self, id: &str) -> Option<&'a BTreeMap<String, SeenFile>> {
        self.observed.files.get(id)
    }

    /// Volumes with the secrets of an instance or task.
    pub(super) fn secrets_of(&self, whose: &str) -> &[&'a str] {
        self.index.secrets.get(whose).map(Vec::as_slice).unwrap_or_default()
    }

    /// All volumes of secrets, each with whose they are.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let all = work::each(&self.observed.own_volumes.secrets);
        all.map(|(volume, whose)| (volume.as_str(), whose.as_str()))
    }

    /// Records of containers that were taken over.
    pub(super) fn adopted(&self) -> impl Iterator<Item = &'a Record> + use<'a> {
        work::each(self.observed.adopted.values())
    }

    /// The record of a container that was taken over.
    pub(super) fn record(&self, id: &str) -> Option<&'a Record> {
        self.observed.adopted.get(id)
    }

    /// A name `service.g<n>`, `n` at least `from`, that is free and not `taken`.
    pub(super) fn free_name(&self, service: &str, from: u64, taken: &str) -> (u64, String) {
        let mut generation = from;
        loop {
            let name = instance(service, generation);
            if name != taken && self.is_free(&name) {
                return (generation, name);
            }
            generation += 1;
        }
    }

    /// The first of some names that is free.
    pub(super) fn first_free(&self, name: impl Fn(u32) -> String) -> String {
        (0..).map(name).find(|name| self.is_free(name)).unwrap_or_default()
    }

    /// Whether no container has a name and no state wants it.
    pub(super) fn is_free(&self, name: &str) -> bool {
        self.named(name).is_none() && !self.index.declared_names.contains(name)
    }

    /// Whether limits and restart policies can be changed in place.
    pub(super) fn can_update(&self) -> bool {
        self.observed.facts.can_update
    }

    /// Generations of one container of a service of which there is a tag that keeps the image, but no
    /// container any more, the latest first.
    pub(super) fn images_alone(&self, slot: &str) -> Vec<u64> {
        let repository = keep_repository(self.workspace(), slot);
        let Some(kept) = self.index.kept.get(repository.as_str()) else { return Vec::new() };
        let there: BTreeSet<u64> = self.of_slot(slot).map(|(ours, _)| ours.generation()).collect();
        work::each(kept.keys().rev()).copied().filter(|generation| !there.contains(generation)).collect()
    }

    /// The tags that keep the image of a generation of one container of a service.
    pub(super) fn kept_tags(&self, slot: &str, generation: u64) -> &[&'a str] {
        let of_slot = self.index.kept.get(keep_repository(self.workspace(), slot).as_str());
        of_slot.and_then(|kept| kept.get(&generation)).map_or(&[], Vec::as_slice)
    }

    /// The tags that keep the image of a container of ours: those that are there; where none was read, the one that
    /// it got. An image that no registry knows got none.
    pub(super) fn tags_of(&self, ours: &Container) -> Vec<String> {
        let Some(labels) = ours.ours.as_ref().filter(|labels| !labels.image.starts_with("id:")) else {
            return Vec::new();
        };
        let (slot, generation) = (ours.slot(), ours.generation());
        match self.kept_tags(slot, generation) {
            [] => vec![keep_tag(self.workspace(), slot, generation, &labels.version)],
            there => there.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    /// The image that is kept of a generation, as the label of a container made from it names it; the tag that
    /// keeps it where no registry knows the image.
    pub(super) fn kept_image(&self, slot: &str, generation: u64) -> String {
        let Some(tag) = self.kept_tags(slot, generation).first() else { return String::new() };
        let known = self.observed.keeps.get(*tag).and_then(|kept| kept.digests.first());
        known.map_or_else(|| (*tag).to_owned(), ToString::to_string)
    }

    /// All tags of ours that keep an image, with that.
    pub(super) fn keeps(&self) -> &'a BTreeMap<String, KeptImage> {
        &self.observed.keeps
    }

    /// An image that a tag of ours keeps, if all its names are known.
    pub(super) fn kept_by_id(&self, id: &str) -> Option<&'a Image> {
        self.observed.kept_images.get(id)
    }

    /// Containers that were made from an image of this id, ours or not.
    pub(super) fn made_from_id(&self, id: &str) -> impl Iterator<Item = &'a Container> + '_ {
        work::each(self.index.by_image.get(id).into_iter().flatten().copied())
    }

    /// Records of services that were stopped by request.
    pub(super) fn stops(&self) -> impl Iterator<Item = &'a Stop> + use<'a> {
        self.observed.own_volumes.stops.values()
    }

    /// Why a service is to stay down, if that is so.
    pub(super) fn stop_of(&self, service: &str) -> Option<&'a Stop> {
        let stop = self.observed.own_volumes.stops.get(service)?;
        (!stop.over && !self.options.forgets.contains(&stop.volume)).then_some(stop)
    }

    /// Whether the record of a stop goes.
    pub(super) fn ends(&self, stop: &Stop) -> bool {
        let is_there = || {
            let declared = self.desired.items.iter().filter_map(Item::service);
            self.desired.partial
                || self.of_service(&stop.service).next().is_some()
                || declared.into_iter().any(|service| service.as_str() == stop.service)
        };
        stop.over || self.options.forgets.contains(&stop.volume) || !is_there()
    }

    /// Volumes that are to be forgotten, beside records of stops.
    pub(super) fn forgets(&self) -> impl Iterator<Item = &'a str> + '_ {
        let stops = |volume: &&String| !self.stops().any(|stop| stop.volume == **volume);
        self.options.forgets.iter().filter(stops).map(String::as_str)
    }

    /// What a wanted reference stands for.
    pub(super) fn resolution(&self, image: &ImageRef) -> Option<&'a Resolution> {
        self.observed.resolved.get(image)
    }

    /// Why a registry did not say what a reference stands for.
    pub(super) fn unresolved(&self, image: &ImageRef) -> Option<&'a Problems> {
        self.observed.unresolved.get(image)
    }

    /// An image on the host under `repo@digest`.
    pub(super) fn by_digest(&self, image: &ImageRef, digest: &Digest) -> Option<&'a Image> {
        let wanted = image.by_digest(digest);
        let named = self.observed.images.get(&wanted);
        work::one(named.or_else(|| self.index.image_by_digest.get(&wanted).copied()))
    }

    /// The image that `repo:tag` stands for on the host.
    pub(super) fn by_tag(&self, image: &ImageRef) -> Option<&'a Image> {
        self.observed.images.get(&ImageRef { digest: None, ..image.clone() })
    }

    /// The image of an id.
    pub(super) fn image(&self, id: &str) -> Option<&'a Image> {
        work::one(self.index.image_by_id.get(id).copied())
    }

    /// Containers that were made from an image, running or not.
    pub(super) fn made_from(&self, image: &Image) -> Vec<User> {
        let containers = work::each(self.index.by_image.get(image.id.as_str()).into_iter().flatten());
        let user = |container: &&Container| User {
            id: container.id.clone(),
            name: container.name.clone(),
            running: container.state.running,
        };
        containers.map(user).collect()
    }

    /// The network of a name.
    ///
    /// # Errors
    /// Where several have it, as some Engines let them.
    pub(super) fn network(&self, name: &str) -> Result<Option<&'a Network>> {
        match self.index.networks.get(name).map(Vec::as_slice) {
            Some([_, _, ..]) => {
                let host = self.host();
                let what = format!("host {host} has more than one network of the name {}", escaped(name));
                Err(Problem::failed(what)
                    .hint("remove all but one there: 'docker network ls', 'docker network rm ID'")
                    .into())
            }
            Some([found]) => Ok(Some(found)),
            _ => Ok(None),
        }
    }

    /// Whether there is a network of this name or id, as far as that can be told.
    pub(super) fn has_network(&self, name: &str) -> bool {
        self.observed.network_names.as_ref().is_none_or(|names| names.contains(name))
    }

    /// The first network of a name.
    pub(super) fn any_network(&self, name: &str) -> Option<&'a Network> {
        self.index.networks.get(name)?.first().copied()
    }

    /// The volume of a name.
    pub(super) fn volume(&self, name: &str) -> Option<&'a Volume> {
        self.index.volumes.get(name).copied()
    }

    /// Containers of ours that no state says anything about, each a service and the plain name of one of
    /// its containers.
    pub(super) fn undeclared(&self) -> BTreeSet<(&'a str, &'a str)> {
        if self.desired.partial {
            return BTreeSet::new();
        }
        let (mut services, mut names) = (BTreeSet::new(), BTreeSet::new());
        for item in self.items() {
            match &item.want {
                DesiredState::Container(want) => drop(names.insert(want.name.as_str())),
                DesiredState::ContainerAbsent { name, .. } | DesiredState::Surplus { service: name, .. } => {
                    services.insert(name.as_str());
                }
                _ => {}
            }
        }
        let ours = self.containers().filter(|container| !container.impostor);
        let ours = ours.filter_map(|ours| Some((ours.ours.as_ref()?.service.as_str(), ours.slot())));
        ours.filter(|(service, slot)| !services.contains(service) && !names.contains(slot)).collect()
    }

    /// Whether a container goes because it is declared absent, or declared no more. What is kept for a
    /// rollback is not among them.
    pub(super) fn goes(&self, id: &str) -> bool {
        self.going.get_or_init(|| self.going()).contains(id)
    }

    fn going(&self) -> BTreeSet<String> {
        let mut going = BTreeSet::new();
        let mut add = |ours: &'a Container| {
            if ours.role() != InstanceRole::Kept {
                going.insert(ours.id.clone());
            }
        };
        for item in self.items().filter(|item| item.hold().is_none()) {
            match &item.want {
                DesiredState::ContainerAbsent { name, .. } => {
                    self.of_service(name.as_str()).for_each(|(ours, _)| add(ours));
                }
                DesiredState::Surplus { service, keep, .. } => {
                    let keep: BTreeSet<&str> = keep.iter().map(ContainerName::as_str).collect();
                    let ours = self.of_service(service.as_str()).map(|(ours, _)| ours);
                    ours.filter(|ours| !keep.contains(ours.slot())).for_each(&mut add);
                }
                _ => {}
            }
        }
        if self.options.prune {
            for (service, slot) in self.undeclared() {
                let ours = self.of_slot(slot).filter(|(_, labels)| labels.service == service);
                ours.for_each(|(ours, _)| add(ours));
            }
        }
        going
    }

    /// Networks of ours that no state names.
    pub(super) fn undeclared_networks(&self) -> impl Iterator<Item = &'a Network> + '_ {
        let ours = work::each(&self.observed.networks).filter(|network| network.ours.is_some());
        let ours = ours.filter(|_| !self.desired.partial);
        ours.filter(|network| self.declared(Kind::Network, &network.name).is_none())
    }

    /// Volumes of ours that no state names.
    pub(super) fn undeclared_volumes(&self) -> impl Iterator<Item = &'a Volume> + '_ {
        let ours = work::each(&self.observed.volumes).filter(|volume| volume.ours.is_some());
        let ours = ours.filter(|_| !self.desired.partial);
        ours.filter(|volume| self.declared(Kind::Volume, &volume.name).is_none())
    }

    /// Containers of tasks that no state declares any more, and that do not run.
    pub(super) fn undeclared_tasks(&self) -> impl Iterator<Item = &'a Container> + '_ {
        let tasks = self.containers().filter(|_| !self.desired.partial);
        tasks.filter(|container| {
            matches!(&container.helper, Some(HelperContainer::Task { name, .. }) if !self.declares_task(name))
                && !(container.state.running || container.state.restarting)
                && container.state.status != "removing"
        })
    }

    fn declares_task(&self, name: &str) -> bool {
        self.declared(Kind::Task, name).is_some_and(|item| matches!(item.want, DesiredState::Task(_)))
    }
}
