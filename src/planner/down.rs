//! Taking services down: what is desired then, and what is forgotten.

use crate::desired::{Address, Desired, DesiredState, Item, Kind, Requisites};
use crate::name::ContainerName;
use crate::observed::{Observed, User};
use crate::problem::Result;
use std::collections::BTreeSet;

/// A desired state in which nothing is left of services, and volumes that remember something of them and go, too.
pub struct TakenDown {
    /// What is desired.
    pub desired: Desired,
    /// Names of volumes, see [`Options::forgets`](super::Options::forgets).
    pub forgets: BTreeSet<String>,
}

/// What is desired of a host where services are taken down; `None`: all of the workspace. Of networks, and with
/// `volumes` of volumes, only those go that are ours and that nothing else uses. Without the data of a service the
/// tasks that it requires have to run again, so it is forgotten that they did.
///
/// # Errors
/// Where a label names a service that cannot be one.
pub fn taken_down(
    desired: &Desired,
    observed: &Observed,
    only: Option<&str>,
    volumes: bool,
) -> Result<TakenDown> {
    let goes = |service: &str| only.is_none_or(|only| only == service);
    let ours = observed.containers.iter().filter(|one| !one.impostor);
    let ours =
        ours.filter_map(|one| one.ours.as_ref().map(|labels| (one.id.as_str(), labels.service.as_str())));
    let ours: Vec<(&str, &str)> = ours.filter(|(_, service)| goes(service)).collect();
    let one_offs = observed.containers.iter().filter_map(|one| Some((one.id.as_str(), one.ended_one_off()?)));
    let one_offs: Vec<(&str, &str)> = one_offs.filter(|(_, service)| goes(service)).collect();
    let ids: BTreeSet<&str> = ours.iter().chain(&one_offs).map(|(id, _)| *id).collect();
    let declared = desired.items.iter().filter_map(Item::service).map(ContainerName::as_str);
    let services: BTreeSet<&str> = ours
        .iter()
        .chain(&one_offs)
        .map(|(_, service)| *service)
        .chain(declared.filter(|name| goes(name)))
        .collect();

    let mut items = Vec::new();
    for service in &services {
        let want = DesiredState::Surplus {
            service: ContainerName::parse(service)?,
            keep: BTreeSet::new(),
            stop_timeout: stop_timeout(desired, service),
        };
        items.push(item(Kind::Service, service, want, Vec::new()));
    }
    let after: Vec<Address> = items.iter().map(|item| item.address.clone()).collect();
    let alone = |users: &[User]| {
        users.iter().all(|user| ids.contains(user.id.as_str())) && (only.is_none() || !users.is_empty())
    };
    let networks = observed.networks.iter().filter(|one| one.ours.is_some() && alone(&one.users));
    let networks: BTreeSet<&String> = networks.map(|one| &one.name).collect();
    items.extend(networks.into_iter().map(|name| {
        item(Kind::Network, name, DesiredState::NetworkAbsent { name: name.clone() }, after.clone())
    }));
    if volumes {
        let going = observed.volumes.iter().filter(|one| one.ours.is_some() && alone(&one.users));
        items.extend(going.map(|one| {
            let want = DesiredState::VolumeAbsent { name: one.name.clone() };
            item(Kind::Volume, &one.name, want, after.clone())
        }));
    }
    let stops = observed.own_volumes.stops.values().filter(|stop| goes(&stop.service));
    let mut forgets: BTreeSet<String> = stops.map(|stop| stop.volume.clone()).collect();
    if volumes {
        let of_service =
            |item: &&Item| item.service().is_some_and(|service| services.contains(service.as_str()));
        let needs = desired.items.iter().filter(of_service).flat_map(|item| &item.needs);
        let tasks: BTreeSet<&str> =
            needs.filter(|need| need.kind == Kind::Task).map(|need| need.name.as_str()).collect();
        let ran = observed.own_volumes.ran.iter();
        let ran = ran.filter(|ran| only.is_none() || tasks.contains(ran.task.as_str()));
        forgets.extend(ran.map(|ran| ran.volume.clone()));
    }
    let desired = Desired { items, notes: Vec::new(), partial: true, ..desired.clone() };
    Ok(TakenDown { desired, forgets })
}

fn item(kind: Kind, name: &str, want: DesiredState, needs: Vec<Address>) -> Item {
    let address = Address { kind, name: name.to_owned() };
    let (declared, gate, requisites) = (Vec::new(), None, Requisites::default());
    Item { address, want, declared, needs, gate, requisites }
}

fn stop_timeout(desired: &Desired, service: &str) -> Option<u32> {
    desired.items.iter().find_map(|item| match &item.want {
        DesiredState::Container(want) if want.service().as_str() == service => want.stop_timeout,
        _ => None,
    })
}
