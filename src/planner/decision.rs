//! What is to become of each thing, decided from its wish and what is seen.

use super::context::PlanContext;
use super::course::Course;
use super::images::{self, tag_stands_for};
use super::instances::Instances;
use super::kept;
use super::resource::ResourceCourse;
use super::sharing;
use super::task::Errands;
use super::watch::Doings;
use crate::desired::{Address, Item, Kind, Wish};
use crate::name::ImageRef;
use crate::observed::User;
use crate::plan::{Cause, Change};
use crate::problem::{Problem, Result};
use std::collections::{BTreeMap, BTreeSet};

/// One thing, what must be done before it, and what is to become of it.
pub(super) struct Entry<'a> {
    pub(super) address: Address,
    pub(super) needs: Vec<Address>,
    pub(super) decision: Decision<'a>,
}

/// What was decided so far, in the order of declaration.
#[derive(Default)]
pub(super) struct Decided<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    containers: BTreeMap<String, usize>,
}

impl<'a> Decided<'a> {
    pub(super) fn push(&mut self, entry: Entry<'a>) {
        if entry.address.kind == Kind::Container {
            self.containers.entry(entry.address.name.clone()).or_insert(self.entries.len());
        }
        self.entries.push(entry);
    }

    /// What is to become of a container, by its plain name.
    pub(super) fn container(&self, name: &str) -> Option<&Decision<'a>> {
        let at = self.containers.get(name)?;
        self.entries.get(*at).map(|entry| &entry.decision)
    }
}

/// What is to become of one thing.
pub(super) enum Decision<'a> {
    Container(Box<Course<'a>>),
    Absent {
        group: String,
        instances: Instances<'a>,
        /// Tags that keep images for containers that are gone already.
        tags: Vec<String>,
        timeout: Option<u32>,
        cause: Cause,
    },
    Pulled {
        image: &'a ImageRef,
        by_digest: Option<ImageRef>,
        absent: bool,
        tag: bool,
    },
    Untagged {
        image: &'a ImageRef,
        there: bool,
        /// It is the last name of the image.
        last: bool,
        /// Containers made from the image.
        users: Vec<User>,
    },
    Task(Box<Errands<'a>>),
    Resource(ResourceCourse<'a>),
    /// It would be changed, but none of the things that it waits for is.
    Waits(&'a Item),
    /// It is left out on this host, for this reason.
    LeftOut(&'a str),
    /// Its gate is held: what would be done otherwise.
    Held(Vec<Change>),
}

/// Ours that no state declares, if they shall go.
pub(super) fn undeclared<'a>(context: &PlanContext<'a>) -> Vec<Entry<'a>> {
    if !context.options.prune {
        return Vec::new();
    }
    let networks = context.undeclared_networks().map(|network| Entry {
        address: Address { kind: Kind::Network, name: network.name.clone() },
        needs: Vec::new(),
        decision: Decision::Resource(ResourceCourse::undeclared(network)),
    });
    let gone = context.undeclared().into_iter();
    gone.map(|(service, slot)| Entry {
        address: Address { kind: Kind::Container, name: slot.to_owned() },
        needs: Vec::new(),
        decision: Decision::Absent {
            group: format!("remove {slot}"),
            instances: Instances::of_slot(context, service, slot),
            tags: Vec::new(),
            timeout: None,
            cause: Cause::Undeclared,
        },
    })
    .chain(networks)
    .collect()
}

impl<'a> Decision<'a> {
    pub(super) fn of(
        context: &PlanContext<'a>,
        item: &'a Item,
        decided: &Decided<'a>,
        doings: &Doings,
    ) -> Result<Self> {
        Ok(match &item.wish {
            Wish::Container(wish) => {
                let shared = sharing::of(context, &wish.spec, decided);
                Self::Container(Box::new(Course::of(context, wish, shared, doings.owed(context, item))?))
            }
            Wish::Network(wish) => Self::Resource(ResourceCourse::network(context, wish)?),
            Wish::NetworkAbsent { name } => Self::Resource(ResourceCourse::no_network(context, name)?),
            Wish::Volume(wish) => Self::Resource(ResourceCourse::volume(context, wish)?),
            Wish::VolumeAbsent { name } => Self::Resource(ResourceCourse::no_volume(context, name)),
            Wish::LeftOut { why } => Self::LeftOut(why),
            Wish::Surplus { service, keep, stop_timeout } => Self::Absent {
                group: format!("remove surplus of {service}"),
                instances: Instances::but(context, service.as_str(), keep),
                tags: kept::tags_left(context, service, keep),
                timeout: *stop_timeout,
                cause: Cause::Surplus,
            },
            Wish::ContainerAbsent { name, stop_timeout } => Self::Absent {
                group: format!("remove {name}"),
                instances: Instances::of(context, name.as_str()),
                tags: kept::tags_left(context, name, &BTreeSet::new()),
                timeout: *stop_timeout,
                cause: Cause::Unwanted,
            },
            Wish::ImagePulled { image, force } => Self::pulled(context, image, *force)?,
            Wish::ImageAbsent { image } => {
                let found = match (&image.tag, &image.digest) {
                    (None, Some(digest)) => context.by_digest(image, digest),
                    _ => context.by_tag(image),
                };
                Self::Untagged {
                    image,
                    there: found.is_some(),
                    last: found.is_some_and(|found| images::is_last(found, image)),
                    users: found.map(|found| context.made_from(found)).unwrap_or_default(),
                }
            }
            Wish::Task(wish) => Self::Task(Box::new(Errands::of(context, wish)?)),
        })
    }

    /// With the tasks that have run before.
    pub(super) fn after(mut self, tasks: BTreeMap<String, String>) -> Self {
        if let Self::Container(course) = &mut self {
            course.tasks = tasks;
        }
        self
    }

    /// Whether files of secrets are put into a container for it.
    pub(super) fn has_files(&self) -> bool {
        match self {
            Self::Container(course) => !course.wish.spec.files.is_empty(),
            Self::Task(task) => task.is_created() && !task.wish.container.spec.files.is_empty(),
            _ => false,
        }
    }

    fn pulled(context: &PlanContext<'a>, image: &'a ImageRef, force: bool) -> Result<Self> {
        let digest = context.resolution(image).map(|resolution| &resolution.digest).or(image.digest.as_ref());
        if let Some(digest) = digest {
            let wanted = image.by_digest(digest);
            let absent = context.by_digest(image, digest).is_none();
            let tag = image.tag.is_some() && !tag_stands_for(context, image, &wanted);
            return Ok(Self::Pulled { image, by_digest: Some(wanted), absent, tag });
        }
        if !force && context.by_tag(image).is_some() {
            return Ok(Self::Pulled { image, by_digest: None, absent: false, tag: false });
        }
        let host = context.host();
        Err(Problem::failed(format!("nobody says which image {image} stands for on host {host}"))
            .hint("pin it with a digest, or plan with an identity that opens its registry")
            .into())
    }

    pub(super) fn course(&self) -> Option<&Course<'a>> {
        match self {
            Self::Container(course) => Some(course),
            _ => None,
        }
    }
}
