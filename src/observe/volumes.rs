//! Volumes that pillarbox makes for itself.

use super::What;
use crate::engine::{Engine, EngineError, Volume};
use crate::name::HostName;
use crate::observed::{Label, OwnVolumes};
use crate::problem::{Problem, Result};

/// Ours on a host.
pub(super) async fn read<E: Engine>(engine: &E, host: &HostName, what: &What) -> Result<OwnVolumes> {
    let listed = engine.volumes(Label::WORKSPACE, what.workspace.as_str()).await;
    let listed = listed.map_err(|error: EngineError| -> Problem {
        error.problem(format!("the volumes of host {host} cannot be read"))
    })?;
    let each = listed.into_iter().map(|Volume { name, labels, created_at }| (name, labels, created_at));
    Ok(OwnVolumes::sort(&what.workspace, each))
}
