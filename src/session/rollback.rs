//! Planning the rollback to generations that are kept: no registry is asked, and nothing but the service
//! is looked at.

use super::connect::Connected;
use super::declared::Declared;
use super::hosts::Hosts;
use super::observe::Registries;
use super::pipeline::{Pipeline, unless_interrupted};
use super::plan::PlannedHosts;
use super::plan_file::PlanOptions;
use crate::desired::{
    Address, Desired, DesiredContainer, DesiredState, Item, Kind, PullPolicy, RollbackTarget,
};
use crate::history::Instance;
use crate::name::{HostName, ImageRef};
use crate::problem::Result;
use std::collections::{BTreeMap, BTreeSet};

/// What a host is rolled back to.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The service.
    pub service: String,
    /// The generation's number.
    pub generation: u64,
    /// What a new container is made from; `None` where no registry ever knew it.
    pub image: Option<ImageRef>,
    /// The container that each container of the service becomes again, by plain name; where there is none
    /// it is recreated.
    pub instances: BTreeMap<String, Instance>,
}

/// A kept declaration that is not today's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The host.
    pub host: HostName,
    /// Names of the fields.
    pub fields: BTreeSet<String>,
}

impl<'p> Pipeline<'p> {
    /// Reads and plans the hosts; `declared` is what is declared afterwards.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn plan_rollback(
        &self,
        declared: Vec<Declared<'p>>,
        goals: &BTreeMap<HostName, Goal>,
    ) -> Result<(PlannedHosts, Vec<Differing>)> {
        unless_interrupted(self.interrupt, async {
            let Hosts { ready, failed } = self.connect(declared).await;
            let (mut connected, mut differing) = (Vec::new(), Vec::new());
            for mut one in ready {
                let Some(goal) = goals.get(&one.host.name) else { continue };
                let fields = goal.differences(&one.desired);
                if !fields.is_empty() {
                    differing.push(Differing { host: one.host.name.clone(), fields });
                }
                one.desired = goal.asked_of(&one.desired);
                connected.push(one);
            }
            let verified = self.verify(Hosts { ready: connected, failed }, sends).await;
            let options = PlanOptions::default();
            Ok((self.plan_verified(verified, &options, Registries::NotAsked).await, differing))
        })
        .await
    }
}

/// Whether a container is recreated and gets a secret.
fn sends(connected: &Connected<'_>) -> bool {
    connected.desired.items.iter().any(|item| match &item.want {
        DesiredState::Container(want) => {
            let back = want.replica.as_ref().and_then(|replica| replica.back.as_ref());
            let anew = back.is_some_and(|back| back.container.is_none());
            let files = want.spec.files.values().map(|file| &file.value);
            anew && want.spec.env.values().chain(files).any(|text| text.secrets().next().is_some())
        }
        _ => false,
    })
}

impl Goal {
    /// The containers of the service as they will be, and what they need besides containers.
    fn asked_of(&self, desired: &Desired) -> Desired {
        let mut wanted: BTreeSet<Address> = BTreeSet::new();
        let mut items: Vec<Item> = Vec::new();
        for item in desired.items.iter().rev() {
            let ours = self.is_of(item);
            // A task is not run because of a rollback: what it did may be the reason for it.
            let apart = matches!(item.address.kind, Kind::Container | Kind::Image | Kind::Task);
            let needed = wanted.contains(&item.address) && !apart;
            if ours || needed {
                wanted.extend(item.needs.iter().cloned());
                items.push(self.asked(item));
            }
        }
        items.reverse();
        let there: BTreeSet<Address> = items.iter().map(|item| item.address.clone()).collect();
        for item in &mut items {
            item.needs.retain(|need| there.contains(need));
        }
        Desired { items, notes: Vec::new(), partial: true, ..desired.clone() }
    }

    fn is_of(&self, item: &Item) -> bool {
        matches!(&item.want, DesiredState::Container(want)
            if want.replica.as_ref().is_some_and(|replica| replica.service.as_str() == self.service))
    }

    fn asked(&self, item: &Item) -> Item {
        let mut item = item.clone();
        // A person asks for it now, whatever the gate holds back.
        item.gate = None;
        if let DesiredState::Container(want) = &mut item.want {
            let kept = self.instances.get(want.name.as_str());
            let container = kept.filter(|kept| self.comes_again(want, kept)).map(|kept| kept.id.clone());
            if let Some(image) = &self.image {
                want.image = image.clone();
                want.pull = PullPolicy::Missing;
            }
            if let Some(replica) = &mut want.replica {
                replica.back = Some(RollbackTarget { generation: self.generation, container });
            }
        }
        item
    }

    /// Whether a kept container itself becomes the service again. One that today's declaration would have
    /// made but in other networks cannot leave the one it was created in: a new one stands for it.
    fn comes_again(&self, want: &DesiredContainer, kept: &Instance) -> bool {
        let as_today = kept.spec == want.spec.fingerprint();
        !as_today || self.image.is_none() || want.spec.may_stay(kept.first_network.as_deref())
    }

    /// Fields in which a kept declaration is not today's.
    fn differences(&self, desired: &Desired) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for item in desired.items.iter().filter(|item| self.is_of(item)) {
            let DesiredState::Container(want) = &item.want else { continue };
            let Some(kept) = self.instances.get(want.name.as_str()) else { continue };
            if kept.spec == want.spec.fingerprint() {
                continue;
            }
            let wanted = want.spec.field_fingerprints();
            let names = wanted.keys().chain(kept.fields.keys());
            found.extend(names.filter(|name| wanted.get(*name) != kept.fields.get(*name)).cloned());
        }
        found
    }
}
