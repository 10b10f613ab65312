//! The generations of a service on a host: what runs, what is kept, what failed, and which of them a
//! rollback means.

mod back;

pub use back::{Back, OnHost, Wanted, Why, agree, back};

use crate::desired::Fingerprint;
use crate::name::{ContainerName, ImageRef, Owner};
use crate::observed::{Container, InstanceRole, Observed};
use crate::plan::kept_for;
use std::collections::{BTreeMap, BTreeSet};

/// The n-th deployment of a service on a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Counts from 1.
    pub number: u64,
    /// The tag it was created from, for display; `None` if only its image is left and the tag is not known.
    pub version: Option<String>,
    /// `repo@sha256:…`, or `id:sha256:…`.
    pub image: Option<String>,
    /// When the first of its containers was created, as the Engine prints it.
    pub created: Option<String>,
    /// What is left of it.
    pub state: State,
    /// Its containers by name.
    pub instances: Vec<Instance>,
    /// Tasks that had run when it was created, each with its fingerprint.
    pub tasks: BTreeMap<String, String>,
    /// When the last of its containers ended, if one did.
    pub ended: Option<jiff::Timestamp>,
}

/// A container of a generation.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The plain name that it has, had or was to have.
    pub slot: String,
    /// Its role, as its name says.
    pub role: InstanceRole,
    /// A process of it runs.
    pub running: bool,
    /// What it was created from.
    pub spec: Fingerprint,
    /// A short fingerprint for each field that it was created from.
    pub fields: BTreeMap<String, String>,
    /// The network that it was created in, unless it is one of the Engine's own.
    pub first_network: Option<String>,
}

/// What is left of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is what the service runs.
    Runs,
    /// It is the current one of the service, and is down.
    Down,
    /// Its containers are kept.
    Kept,
    /// Its containers are gone, its image is kept.
    ImageOnly,
    /// It never became the current one of the service.
    Attempt,
}

impl State {
    /// The word for display and data.
    pub fn words(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Down => "down",
            Self::Kept => "kept",
            Self::ImageOnly => "image only",
            Self::Attempt => "failed attempt",
        }
    }
}

/// What is left of a service on a host, the newest generation first.
pub fn generations(observed: &Observed, workspace: &Owner, service: &str) -> Vec<Generation> {
    let mut found: BTreeMap<u64, Vec<&Container>> = BTreeMap::new();
    let ours = observed.containers.iter().filter(|one| !one.impostor);
    for one in ours.filter(|one| one.ours.as_ref().is_some_and(|ours| ours.service == service)) {
        found.entry(one.generation()).or_default().push(one);
    }
    let slots: BTreeSet<&str> = found.values().flatten().map(|one| one.slot()).chain([service]).collect();
    let mut alone: BTreeMap<u64, (Option<String>, Option<String>)> = BTreeMap::new();
    for (tag, image_kept) in &observed.keeps {
        let kept = slots.iter().find_map(|slot| kept_for(workspace, slot, tag));
        if let Some(kept) = kept.filter(|kept| !found.contains_key(&kept.generation)) {
            let (image, version) = alone.entry(kept.generation).or_default();
            *image = image_kept.digests.first().map(ToString::to_string).or_else(|| image.take());
            *version = kept.version.map(str::to_owned).or_else(|| version.take());
        }
    }
    let mut all: Vec<Generation> = found.iter().map(|(number, made)| Generation::of(*number, made)).collect();
    let versions: BTreeMap<String, String> =
        all.iter().filter_map(|one| Some((one.image.clone()?, one.version.clone()?))).collect();
    // Tags of earlier releases do not say the version; a container of the same image may.
    all.extend(alone.into_iter().map(|(number, (image, version))| Generation {
        number,
        version: version.or_else(|| versions.get(image.as_ref()?).cloned()),
        image,
        created: None,
        state: State::ImageOnly,
        instances: Vec::new(),
        tasks: BTreeMap::new(),
        ended: None,
    }));
    all.sort_by_key(|one| std::cmp::Reverse(one.number));
    all
}

/// The current generation of the service, running or down; the newest, if its containers differ.
pub fn current(all: &[Generation]) -> Option<&Generation> {
    all.iter().find(|one| matches!(one.state, State::Runs | State::Down))
}

impl Generation {
    fn of(number: u64, made: &[&Container]) -> Self {
        // A failed attempt says least.
        let rank = |one: &&&Container| match one.role() {
            InstanceRole::Committed => 2,
            InstanceRole::Kept | InstanceRole::Returning => 1,
            InstanceRole::Attempt => 0,
        };
        let first = made.iter().max_by_key(rank);
        let labels = first.and_then(|one| one.ours.as_ref());
        let any = |role: InstanceRole| made.iter().any(|one| one.role() == role);
        let committed = || made.iter().filter(|one| one.role() == InstanceRole::Committed);
        let state = if committed().any(|one| one.state.running) {
            State::Runs
        } else if any(InstanceRole::Committed) {
            State::Down
        } else if any(InstanceRole::Kept) || any(InstanceRole::Returning) {
            State::Kept
        } else {
            State::Attempt
        };
        let mut instances: Vec<Instance> = made.iter().filter_map(|one| Instance::of(one)).collect();
        instances.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            number,
            version: labels.map(|ours| ours.version.clone()).filter(|version| !version.is_empty()),
            image: labels.map(|ours| ours.image.clone()),
            created: made.iter().map(|one| one.state.created_at.clone()).min(),
            state,
            instances,
            tasks: first.map(|one| tasks(one)).unwrap_or_default(),
            ended: made.iter().filter_map(|one| one.ended()).max(),
        }
    }

    /// Whether a rollback can start it again: it was the current one once.
    pub fn is_usable(&self) -> bool {
        self.state != State::Attempt
    }

    /// Whether nothing of it is in service, so that going to it leaves another generation: what runs of that one beside
    /// the containers that are declared today does not stay.
    pub fn is_out_of_service(&self) -> bool {
        matches!(self.state, State::Kept | State::ImageOnly)
    }

    /// Its image as a reference with a digest, if it came from a registry; with the tag, if that is known.
    pub fn reference(&self) -> Option<ImageRef> {
        let image = ImageRef::parse(self.image.as_ref()?).ok().filter(|image| image.digest.is_some())?;
        let tag = self.version.clone().filter(|version| {
            let digest = image.digest.as_ref().map(crate::name::Digest::short);
            ImageRef::check_tag(version).is_ok() && digest != Some(version.as_str())
        });
        Some(ImageRef { tag, ..image })
    }

    /// Whether a user's text names its version: its tag, its digest, or the first twelve or more
    /// digits of the digest.
    pub fn is_version(&self, said: &str) -> bool {
        let digest = self.image.as_deref().and_then(|image| image.rsplit_once("sha256:")).map(|(_, hex)| hex);
        let hex = said.strip_prefix("sha256:").unwrap_or(said);
        let begins = hex.len() >= 12 && digest.is_some_and(|digest| digest.starts_with(hex));
        self.version.as_deref() == Some(said) || begins
    }

    /// What means it, and no other image, in a command: its version, or twelve digits of its digest where others
    /// have the same version.
    pub fn named_among<'a>(&self, all: impl IntoIterator<Item = &'a Self>) -> Option<String> {
        let image = self.image.as_deref()?;
        let mut others = all.into_iter().filter(|other| other.image.as_deref() != Some(image));
        let version = self.version.clone().filter(|version| !others.any(|other| other.is_version(version)));
        version.or_else(|| Some(image.rsplit_once(':')?.1.get(..12)?.to_owned()))
    }

    /// The container of this generation for one container of the service: its own; else one that was created
    /// from the same; else the one in service, where that has the same image. Where this generation is in service
    /// with others of its image, after a rollback of some of its containers, what works stays.
    pub fn instance<'a>(&'a self, all: &'a [Generation], slot: &ContainerName) -> Option<&'a Instance> {
        let usable = |one: &&Instance| one.slot == slot.as_str() && one.role != InstanceRole::Attempt;
        let own = self.instances.iter().find(usable);
        let spec = self.instances.iter().find(|one| one.role != InstanceRole::Attempt).map(|one| &one.spec);
        let same = || all.iter().filter(|other| other.image == self.image);
        let made_of_the_same =
            || same().flat_map(|other| &other.instances).filter(usable).find(|one| Some(&one.spec) == spec);
        let serves = |until: u64| {
            let same = same().filter(move |other| other.number <= until);
            same.flat_map(|other| &other.instances)
                .filter(usable)
                .find(|one| one.role == InstanceRole::Committed)
        };
        match self.state {
            State::Runs | State::Down => {
                serves(self.number).or(own).or_else(|| serves(u64::MAX)).or_else(made_of_the_same)
            }
            State::Kept | State::ImageOnly | State::Attempt => {
                own.or_else(made_of_the_same).or_else(|| serves(u64::MAX))
            }
        }
    }

    /// `1.0.0 (generation 2, kept)`.
    pub fn in_words(&self) -> String {
        let version =
            self.version.as_deref().or_else(|| self.image.as_deref()?.rsplit_once(':')?.1.get(..12));
        let version = crate::problem::escaped(version.unwrap_or("an unknown version"));
        format!("{version} (generation {}, {})", self.number, self.state.words())
    }
}

impl Instance {
    fn of(container: &Container) -> Option<Self> {
        let labels = container.ours.as_ref()?;
        Some(Self {
            id: container.id.clone(),
            name: container.name.clone(),
            slot: container.slot().to_owned(),
            role: container.role(),
            running: container.state.running || container.state.restarting,
            spec: labels.spec.clone(),
            fields: labels.fields.clone(),
            first_network: container.first_network().map(str::to_owned),
        })
    }
}

/// Tasks that ran somewhere between two generations, or again, by name.
pub fn tasks_between(one: &Generation, other: &Generation) -> Vec<String> {
    let names: BTreeSet<&String> = one.tasks.keys().chain(other.tasks.keys()).collect();
    let differs = names.into_iter().filter(|name| one.tasks.get(*name) != other.tasks.get(*name));
    differs.cloned().collect()
}

/// The label that says which tasks had run: `task=fingerprint` each.
fn tasks(container: &Container) -> BTreeMap<String, String> {
    let label =
        container.inspect.compare("/Config/Labels/io.pillarbox.tasks").and_then(|label| label.as_str());
    let each = label.unwrap_or_default().split(',').filter_map(|task| task.rsplit_once('='));
    each.map(|(task, ran)| (task.to_owned(), ran.to_owned())).collect()
}

#[cfg(test)]
pub(crate) mod sample;
