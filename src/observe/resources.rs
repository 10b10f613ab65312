//! Networks and volumes: ours, and those that have a wanted name, each with who uses it.

use super::What;
use super::containers::Uses;
use crate::engine::{self, Engine, EngineError};
use crate::name::{HostName, is_anonymous};
use crate::observed::{Label, Made, Network, OwnVolumes, Record, User, Volume};
use crate::problem::Result;
use futures_util::future::try_join;
use std::collections::{BTreeMap, BTreeSet};

/// What was read, before it is known who uses it.
pub(super) struct Read {
    networks: Vec<engine::Network>,
    volumes: Vec<engine::Volume>,
}

/// Reads the networks of a host with one call, its volumes with one, and one for each wanted volume that
/// is not ours.
pub(super) async fn read<E: Engine>(engine: &E, host: &HostName, what: &What) -> Result<Read> {
    let failed = |what: &'static str| {
        move |error: EngineError| error.problem(format!("the {what} of host {host} cannot be read"))
    };
    let networks = async { engine.networks().await.map_err(failed("networks")) };
    let label = what.workspace.name.as_str();
    let volumes = async { engine.volumes(Label::WORKSPACE, label).await.map_err(failed("volumes")) };
    let (networks, mut volumes) = try_join(networks, volumes).await?;
    let known: BTreeSet<String> = volumes.iter().map(|volume| volume.name.clone()).collect();
    for name in what.volumes.iter().filter(|name| !known.contains(*name)) {
        volumes.extend(engine.volume(name).await.map_err(failed("volumes"))?);
    }
    Ok(Read { networks, volumes })
}

impl Read {
    /// Volumes that pillarbox makes for itself.
    pub(super) fn own(&self, what: &What) -> OwnVolumes {
        let each = self.volumes.iter();
        let each = each.map(|volume| (volume.name.clone(), volume.labels.clone(), volume.created_at));
        OwnVolumes::sort(&what.workspace, each)
    }

    /// Which containers were taken over, by id.
    pub(super) fn adopted(&self, what: &What) -> BTreeMap<String, Record> {
        let each = self.volumes.iter();
        let records = each.filter_map(|one| Record::read(&what.workspace, &one.name, &one.labels));
        records.map(|record| (record.container.clone(), record)).collect()
    }

    /// Names of all networks, and their ids, whole and as Engines print them; `None` where there may be more.
    pub(super) fn network_names(&self) -> Option<BTreeSet<String>> {
        let swarm =
            |one: &engine::Network| one.inspect.compare("/Scope").is_some_and(|scope| scope == "swarm");
        if self.networks.iter().any(swarm) {
            return None;
        }
        let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
        Some(
            self.networks.iter().flat_map(|one| [one.name.clone(), one.id.clone(), short(&one.id)]).collect(),
        )
    }

    /// Those that can matter, with who uses them.
    pub(super) fn judged(self, what: &What, uses: &[Uses]) -> (Vec<Network>, Vec<Volume>) {
        let in_networks = users(uses, |uses| &uses.networks);
        let of_volumes = users(uses, |uses| &uses.volumes);
        let of = |all: &BTreeMap<&str, Vec<User>>, name: &str| all.get(name).cloned().unwrap_or_default();
        let networks = self.networks.into_iter().map(|found| Network {
            ours: Made::of(&what.workspace, &found.labels),
            users: of(&in_networks, &found.name),
            id: found.id,
            name: found.name,
            created_at: found.created_at,
            inspect: found.inspect,
        });
        let networks = networks.filter(|found| found.ours.is_some() || what.networks.contains(&found.name));
        let volumes = self.volumes.into_iter().map(|found| Volume {
            ours: Made::of(&what.workspace, &found.labels),
            users: of(&of_volumes, &found.name),
            name: found.name,
            created_at: found.created_at,
            inspect: found.inspect,
        });
        let volumes = volumes.filter(|found| found.ours.is_some() || what.volumes.contains(&found.name));
        let (mut networks, mut volumes): (Vec<_>, Vec<_>) = (networks.collect(), volumes.collect());
        networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        (networks, volumes)
    }
}

/// The containers that mount each anonymous volume.
pub(super) fn anonymous(uses: &[Uses]) -> BTreeMap<String, BTreeSet<String>> {
    let mut mounted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in uses {
        for name in one.volumes.iter().filter(|name| is_anonymous(name)) {
            mounted.entry(name.clone()).or_default().insert(one.user.id.clone());
        }
    }
    mounted
}

/// Who uses each thing, by its name.
fn users(all: &[Uses], of: fn(&Uses) -> &BTreeSet<String>) -> BTreeMap<&str, Vec<User>> {
    let mut users: BTreeMap<&str, Vec<User>> = BTreeMap::new();
    for uses in all {
        for name in of(uses) {
            users.entry(name).or_default().push(uses.user.clone());
        }
    }
    for users in users.values_mut() {
        users.sort_by(|a, b| a.name.cmp(&b.name));
    }
    users
}
