//! Files of containers: looked at where they may be rewritten in place, read where a plan shows what changes. What
//! was changed in a container, and what holds a secret, is told by its time and not read.

use super::{AT_ONCE, What};
use crate::desired::container_file::{LARGEST, is_clear, is_time_of};
use crate::engine::{Engine, EngineResult};
use crate::name::HostName;
use crate::observed::{Container, SeenFile};
use crate::problem::{Result, escaped};
use crate::state::FileBytes;
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;

/// A declared file that is looked for in its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its path.
    pub(super) path: String,
    /// Its field; `None` for what is no declared file.
    pub(super) field: Option<String>,
    /// Its fingerprint: it is looked at only where that is another one, or it is rewritten in place.
    pub(super) print: String,
    /// The time that it has if it is as declared.
    pub(super) time: i64,
    /// Whether it is rewritten in place: its label says only as what it was made.
    pub(super) in_place: bool,
}

/// Files by container, by path.
pub(super) type Seen = BTreeMap<String, BTreeMap<String, SeenFile>>;

pub(super) async fn read<E: Engine>(
    engine: &E,
    host: &HostName,
    what: &What,
    containers: &[Container],
) -> Result<Seen> {
    let mut wanted = Vec::new();
    for container in containers {
        let Some(ours) = container.ours.as_ref().filter(|_| !container.impostor) else { continue };
        for look in what.files.get(&container.name).into_iter().flatten() {
            let wants = match &look.field {
                Some(field) => {
                    ours.fields.get(field).is_some_and(|made| look.in_place || *made != look.print)
                }
                None => true,
            };
            if wants {
                wanted.push((container, look));
            }
        }
    }
    let looked = stream::iter(wanted).map(|(container, look)| async move {
        match seen(engine, &container.id, look).await {
            Ok(seen) => Ok((container.id.clone(), look.path.clone(), seen)),
            // Nothing is decided by it.
            Err(_) if !look.in_place => Ok((container.id.clone(), look.path.clone(), SeenFile::Other)),
            Err(error) => Err(error.problem(format!(
                "{} in container {} on host {host} cannot be looked at",
                escaped(&look.path),
                container.name
            ))),
        }
    });
    let mut all = Seen::new();
    for found in looked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        let (container, path, seen) = found?;
        all.entry(container).or_default().insert(path, seen);
    }
    Ok(all)
}

async fn seen<E: Engine>(engine: &E, id: &str, look: &Look) -> EngineResult<SeenFile> {
    let Some(stat) = engine.stat_file(id, &look.path).await? else { return Ok(SeenFile::Missing) };
    if stat.is_regular && stat.time == look.time {
        return Ok(SeenFile::Same);
    }
    let fits = usize::try_from(stat.size).is_ok_and(|size| size <= LARGEST);
    if !stat.is_regular || !is_clear(stat.time) || !fits {
        return Ok(SeenFile::Other);
    }
    let content = engine.file(id, &look.path).await?;
    let content = content.filter(|content| is_time_of(stat.time, content.reveal()));
    Ok(content.map_or(SeenFile::Other, |content| SeenFile::Earlier(FileBytes::new(content.reveal()))))
}
