//! Where "back" goes if the command does not say where to.
//!
//! A rollback takes the last deployment away and nothing else. What it was is read from what is there:
//!
//! | on this host | then the service goes to |
//! |---|---|
//! | a failed attempt, later than what is in service | what is in service: it stays |
//! | another version than the declared one in service, which never was | what is in service: it stays |
//! | the same, but the declared one was in service once, and a host of this run has come to it | what is in service: it stays |
//! | the declared version in service in another form, and the deployment failed on another host | what is in service: it stays |
//! | anything else, and a rollback that failed | what was in service before |
//!
//! Versions are compared by digest; by repository and tag where the declaration has no digest.

use super::{Generation, State};
use crate::desired::{Desired, DesiredState, Spec};
use crate::name::ImageRef;
use crate::observed::InstanceRole;
use std::collections::{BTreeMap, BTreeSet};

/// What the states of a host want of a service today.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The image of its containers.
    pub image: ImageRef,
    /// What each of its containers is created from, by plain name.
    pub specs: BTreeMap<String, Spec>,
}

/// A service on one host.
#[derive(Clone, Copy, Debug)]
pub struct OnHost<'a> {
    /// What is left of it there.
    pub generations: &'a [Generation],
    /// What is wanted of it there.
    pub wanted: &'a Wanted,
}

/// Where a rollback goes on one host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Back<'a> {
    /// The generation that is in service afterwards.
    pub generation: &'a Generation,
    /// Why it is that one.
    pub why: Why,
}

/// Why a rollback goes where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was in service before what is in service now.
    Before,
    /// It is in service, and the deployment of this later generation failed.
    Failed(u64),
    /// It is in service, and the declared version never was.
    NeverDeployed,
    /// It is in service, and the deployment of what is declared did not come as far as this host.
    NotReached,
}

impl Why {
    /// Why the service stays at the generation that is in service; `None` where it goes to another.
    pub fn stays(self) -> Option<String> {
        match self {
            Self::Before => None,
            Self::Failed(number) => Some(format!("the deployment of generation {number} failed")),
            Self::NeverDeployed => Some("the declared version was never in service here".to_owned()),
            Self::NotReached => Some("the last deployment did not reach this host".to_owned()),
        }
    }
}

/// Where a rollback goes on each of the hosts that are rolled back together, in their order; `None` where
/// nothing is kept that it could go to.
pub fn back<'a>(hosts: &[OnHost<'a>]) -> Vec<Option<Back<'a>>> {
    let failed_somewhere = hosts.iter().any(|host| host.failed().is_some());
    let begun = failed_somewhere || hosts.iter().any(|host| host.serves_wanted_version());
    hosts.iter().map(|host| host.back(begun, failed_somewhere)).collect()
}

/// Whether all hosts would run one image: a rollback to different ones is not what one command asks for.
pub fn agree(targets: &[&Generation]) -> bool {
    let images: BTreeSet<Option<&String>> = targets.iter().map(|target| target.image.as_ref()).collect();
    images.len() <= 1
}

impl<'a> OnHost<'a> {
    fn back(&self, begun: bool, failed_somewhere: bool) -> Option<Back<'a>> {
        let serves = in_service(self.generations)?;
        let stays = |why| Some(Back { generation: serves, why });
        if let Some(number) = self.failed() {
            return stays(Why::Failed(number));
        }
        if !self.wanted.is_version_of(serves) {
            let mut served = self.generations.iter().filter(|one| one.was_in_service());
            if !served.any(|one| self.wanted.is_version_of(one)) {
                return stays(Why::NeverDeployed);
            }
            if begun {
                return stays(Why::NotReached);
            }
        } else if failed_somewhere && !self.wanted.made(serves) {
            return stays(Why::NotReached);
        }
        before(self.generations, serves).map(|generation| Back { generation, why: Why::Before })
    }

    /// The latest generation of which a container never got into service, if that was the last deployment.
    fn failed(&self) -> Option<u64> {
        let serves = in_service(self.generations)?;
        let later = self.generations.iter().filter(|one| one.number >= serves.number);
        let last = later.filter(|one| one.has_attempt()).max_by_key(|one| one.number)?;
        (!self.was_a_rollback(last, serves)).then_some(last.number)
    }

    /// Whether an attempt was one at a rollback: at a version that was in service earlier.
    fn was_a_rollback(&self, attempt: &Generation, serves: &Generation) -> bool {
        let mut earlier =
            self.generations.iter().filter(|one| one.number < serves.number && one.was_in_service());
        attempt.image != serves.image && earlier.any(|one| one.image == attempt.image)
    }

    fn serves_wanted_version(&self) -> bool {
        in_service(self.generations).is_some_and(|serves| self.wanted.is_version_of(serves))
    }
}

/// The generation that is in service: the newest whose containers hold the plain names. One of which only some
/// got so far is passed over while an older one still holds the names of the others; and where an apply ended
/// between two renames, the last of the kept ones held the name.
fn in_service(all: &[Generation]) -> Option<&Generation> {
    let holds = |one: &&Generation| matches!(one.state, State::Runs | State::Down);
    let whole = all.iter().filter(holds).find(|one| !one.has_attempt());
    let cut = || {
        let kept = all.iter().filter(|one| one.state == State::Kept);
        kept.max_by_key(|one| (one.ended, one.number)).filter(|_| all.iter().any(Generation::has_attempt))
    };
    whole.or_else(|| all.iter().find(holds)).or_else(cut)
}

/// What was in service before another: of the earlier ones the last to end. Containers count before images
/// alone; an image alone that is the same would only make the same again.
fn before<'a>(all: &'a [Generation], serves: &Generation) -> Option<&'a Generation> {
    let earlier = all.iter().filter(|one| one.number < serves.number && one.is_usable());
    let other = earlier.filter(|one| one.state != State::ImageOnly || one.image != serves.image);
    other.max_by_key(|one| {
        let runs = one.instances.iter().any(|one| one.running);
        (one.state != State::ImageOnly, runs, one.ended, one.number)
    })
}

impl Wanted {
    /// What a host's desired state wants of a service; `None` where it declares no service of this name.
    pub fn of(desired: &Desired, service: &str) -> Option<Self> {
        let containers = desired.items.iter().filter_map(|item| match &item.want {
            DesiredState::Container(want) if want.replica.is_some() && want.service().as_str() == service => {
                Some(want)
            }
            _ => None,
        });
        let mut containers = containers.peekable();
        let image = containers.peek()?.image.clone();
        let specs = containers.map(|want| (want.name.to_string(), want.spec.clone()));
        Some(Self { image, specs: specs.collect() })
    }

    /// Whether a generation has the version that is wanted.
    pub fn is_version_of(&self, generation: &Generation) -> bool {
        let made = generation.image.as_deref().and_then(|image| ImageRef::parse(image).ok());
        match (&self.image.digest, made) {
            (Some(wanted), made) => made.and_then(|made| made.digest).as_ref() == Some(wanted),
            (None, Some(made)) => made.name == self.image.name && generation.version == self.image.tag,
            // It never came from a registry.
            (None, None) => generation.version == self.image.tag,
        }
    }

    /// Whether the containers of a generation were created from what is wanted.
    fn made(&self, generation: &Generation) -> bool {
        self.specs.iter().all(|(slot, spec)| {
            let mut of_slot = generation.instances.iter().filter(|one| one.slot == *slot);
            of_slot.any(|one| one.role == InstanceRole::Committed && spec.has_made(&one.spec, &one.fields))
        })
    }
}

impl Generation {
    /// Whether a container says so. An image alone does not: it is there before its container is made, and stays
    /// where that was skipped because something else failed.
    fn was_in_service(&self) -> bool {
        self.is_usable() && self.state != State::ImageOnly
    }

    /// Whether some container of it never got into service.
    fn has_attempt(&self) -> bool {
        self.instances.iter().any(|one| one.role == InstanceRole::Attempt)
    }
}

#[cfg(test)]
mod tests;
