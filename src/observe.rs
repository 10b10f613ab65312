//! Reading a host once, before anything is decided: containers, then the images that they and the desired state need,
//! then what the wanted references stand for.

mod containers;
mod files;
mod images;
mod keeps;
mod replicas;
mod resolve;
mod resources;
mod what;

pub use containers::alone;
pub use files::Look;
pub use keeps::names;
pub use replicas::{Replica, replicas};
pub use resolve::{Ask, Keychain, Resolved, ask_tag};
pub use what::{Need, What};

use crate::engine::{Engine, EngineError};
use crate::name::{HostName, ImageRef};
use crate::observed::{Container, Facts, Image, KeptImage, Network, Observed, OwnVolumes, Record, Volume};
use crate::problem::Result;
use futures_util::future::{try_join, try_join3};
use std::collections::{BTreeMap, BTreeSet};

/// How many calls are under way at once on one host.
const AT_ONCE: usize = 8;

/// Reads a host; `facts` were read before compiling.
///
/// # Errors
/// Where the Engine fails, a registry refuses, or a credential that is needed cannot be opened; all
/// references that cannot be resolved are named.
pub async fn observe<E: Engine>(
    engine: &E,
    host: &HostName,
    facts: Facts,
    what: &What,
    ask: &Ask<'_>,
) -> Result<Observed> {
    read(engine, host, what).await?.resolved(engine, host, facts, what, ask).await
}

/// What was read of a host without a word to a registry, and so without a credential.
pub struct Read {
    containers: Vec<Container>,
    images: BTreeMap<ImageRef, Image>,
    networks: Vec<Network>,
    network_names: Option<BTreeSet<String>>,
    volumes: Vec<Volume>,
    own_volumes: OwnVolumes,
    anonymous: BTreeMap<String, BTreeSet<String>>,
    adopted: BTreeMap<String, Record>,
    keeps: BTreeMap<String, KeptImage>,
    kept_images: BTreeMap<String, Image>,
    files: files::Seen,
}

/// Reads a host, all but what references stand for.
///
/// # Errors
/// Where the Engine fails.
pub async fn read<E: Engine>(engine: &E, host: &HostName, what: &What) -> Result<Read> {
    let (listed, resources, tags) = try_join3(
        containers::list(engine, host),
        resources::read(engine, host, what),
        keeps::list(engine, host, what),
    )
    .await?;
    let adopted = resources.adopted(what);
    // A container that is on the list had its image on the host before images are read.
    let full = containers::read(engine, host, what, listed, &adopted);
    let ((found, uses), images) = try_join(full, images::read(engine, host, what.looks())).await?;
    let mut own_volumes = resources.own(what);
    if own_volumes.stops.values().any(|stop| stop.until.is_some()) {
        let failed = |error: EngineError| error.problem(format!("the clock of host {host} cannot be read"));
        let now = engine.now().await.map_err(failed)?;
        own_volumes.stops.values_mut().for_each(|stop| *stop = stop.clone().at(now));
    }
    let anonymous = resources::anonymous(&uses);
    let network_names = resources.network_names();
    let (networks, volumes) = resources.judged(what, &uses);
    let containers = containers::judge(engine, host, what, found, &images, &adopted).await?;
    let (keeps, kept_images) = keeps::read(engine, host, tags, &containers).await?;
    let files = files::read(engine, host, what, &containers).await?;
    Ok(Read {
        containers,
        images,
        networks,
        network_names,
        volumes,
        own_volumes,
        anonymous,
        adopted,
        keeps,
        kept_images,
        files,
    })
}

impl Read {
    /// The rest: what references stand for.
    ///
    /// # Errors
    /// Those of [`observe`].
    pub async fn resolved<E: Engine>(
        self,
        engine: &E,
        host: &HostName,
        facts: Facts,
        what: &What,
        ask: &Ask<'_>,
    ) -> Result<Observed> {
        let Self {
            containers,
            mut images,
            networks,
            network_names,
            volumes,
            own_volumes,
            anonymous,
            adopted,
            keeps,
            kept_images,
            files,
        } = self;
        let resolve::Resolutions { resolved, unresolved } =
            resolve::all(engine, host, what, ask, &containers, &images).await?;
        images::read_digests(engine, host, &resolved, &mut images).await?;
        let host = host.clone();
        Ok(Observed {
            host,
            facts,
            containers,
            images,
            resolved,
            unresolved,
            own_volumes,
            networks,
            network_names,
            volumes,
            anonymous,
            adopted,
            keeps,
            kept_images,
            files,
        })
    }
}

#[cfg(test)]
mod tests;
