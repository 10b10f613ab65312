//! Planning the rollback to generations that are kept: no registry is asked, and nothing but the service
//! is looked at.

use super::connect::{Connected, Reading};
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
use crate::rollout::BatchSizes;
use std::collections::{BTreeMap, BTreeSet};

/// What a host is rolled back to.
#[derive(Clone, Debug)]
pub struct Goal<'d> {
    /// All that is declared today, before a gate is written.
    pub today: &'d Desired,
    /// The service.
    pub service: String,
    /// The generation's number.
    pub generation: u64,
    /// What a new container is made from; `None` where no registry ever knew it.
    pub image: Option<ImageRef>,
    /// The container that each container of the service becomes again, by plain name; where there is none
    /// it is recreated.
    pub instances: BTreeMap<String, Instance>,
    /// Whether containers beside those that it has today go: they would be of another version.
    pub surplus_goes: bool,
}

/// What a rollback does, and what it means for what is declared.
pub struct RollbackPlan {
    /// What is done on each host.
    pub planned: PlannedHosts,
    /// Fields in which what comes back is not as it is declared afterwards, where there are any.
    pub differing: BTreeMap<HostName, BTreeSet<String>>,
    /// Other resources that the written gates change in what is declared: the next apply changes them.
    pub others: BTreeMap<HostName, BTreeSet<String>>,
}

impl<'p> Pipeline<'p> {
    /// Reads and plans the hosts; `declared` is what is declared afterwards.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn plan_rollback(
        &self,
        declared: Vec<Declared<'p>>,
        goals: &BTreeMap<HostName, Goal<'_>>,
        batch_size: Option<BatchSizes>,
    ) -> Result<RollbackPlan> {
        unless_interrupted(self.interrupt, async {
            let Hosts { ready, failed } = self.connect(declared, Reading::Facts).await;
            let mut connected = Vec::new();
            let (mut differing, mut others) = (BTreeMap::new(), BTreeMap::new());
            for mut one in ready {
                let Some(goal) = goals.get(&one.host.name) else { continue };
                let host = &one.host.name;
                differing.insert(host.clone(), goal.differences(&one.desired));
                others.insert(host.clone(), goal.others(&one.desired));
                one.desired = goal.asked_of(&one.desired);
                connected.push(one);
            }
            let verified = self.verify(Hosts { ready: connected, failed }, sends).await;
            let options = PlanOptions { batch_size, ..PlanOptions::default() };
            differing.retain(|_, fields| !fields.is_empty());
            others.retain(|_, others: &mut BTreeSet<String>| !others.is_empty());
            let planned = self.plan_verified(verified, &options, Registries::NotAsked).await;
            Ok(RollbackPlan { planned, differing, others })
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
            anew && want.spec.texts().any(|(_, text)| text.secrets().next().is_some())
        }
        _ => false,
    })
}

impl Goal<'_> {
    /// The containers of the service as they will be, and what they need besides containers.
    pub(crate) fn asked_of(&self, desired: &Desired) -> Desired {
        let mut wanted: BTreeSet<Address> = BTreeSet::new();
        let mut items: Vec<Item> = Vec::new();
        for item in desired.items.iter().rev() {
            let ours = self.is_of(item) || self.surplus_goes && self.is_surplus(item);
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

    fn is_surplus(&self, item: &Item) -> bool {
        matches!(&item.want, DesiredState::Surplus { service, .. } if service.as_str() == self.service)
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

    /// Other resources of which the image or the options will be declared otherwise.
    fn others(&self, afterwards: &Desired) -> BTreeSet<String> {
        let form = |item: &Item| match &item.want {
            DesiredState::ImagePulled { image, .. } => Some((image.clone(), None)),
            want => want.container().map(|made| (made.image.clone(), Some(made.spec.fingerprint()))),
        };
        let today: BTreeMap<&Address, _> =
            self.today.items.iter().map(|item| (&item.address, form(item))).collect();
        let others = afterwards.items.iter().filter(|item| !self.is_of(item));
        let changed = others.filter(|item| today.get(&item.address).is_some_and(|was| *was != form(item)));
        changed.map(|item| item.address.to_string()).collect()
    }

    /// Fields in which a kept declaration is not the one that is given.
    pub fn differences(&self, desired: &Desired) -> BTreeSet<String> {
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
