//! Reading a host once, before anything is decided: containers, then the images that they and the desired state need,
//! then what the wanted references stand for.

mod containers;
mod images;
mod keeps;
mod resolve;
mod resources;
mod what;

pub use resolve::{Ask, Keychain, Resolved, ask_tag};
pub use what::{Need, What};

use crate::engine::Engine;
use crate::name::HostName;
use crate::observed::{Facts, Observed};
use crate::problem::Result;
use futures_util::future::try_join;

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
    let (listed, read) =
        try_join(containers::list(engine, host), resources::read(engine, host, what)).await?;
    let adopted = read.adopted(what);
    let (found, uses) = containers::read(engine, host, what, listed, &adopted).await?;
    let own_volumes = read.own(what);
    let (networks, volumes) = read.judged(what, &uses);
    let mut images = images::read(engine, host, what.looks()).await?;
    let containers = containers::judge(engine, host, what, found, &images, &adopted).await?;
    let resolved = resolve::all(engine, host, what, ask, &containers, &images).await?;
    images::read_digests(engine, host, &resolved, &mut images).await?;
    let keeps = keeps::read(engine, host, what, &containers).await?;
    Ok(Observed {
        host: host.clone(),
        facts,
        containers,
        images,
        resolved,
        own_volumes,
        networks,
        volumes,
        adopted,
        keeps,
    })
}

#[cfg(test)]
mod tests;
