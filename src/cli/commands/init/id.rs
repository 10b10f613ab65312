//! The id of a workspace: made with it, or added to one from before there were ids.

use crate::cli::{Context, Exit};
use crate::inventory::{self, add_id};
use crate::name::WorkspaceId;
use crate::pillar::known::SeenWorkspace;
use crate::problem::{Problem, Result};
use crate::session::Vault;

/// A new one.
pub(super) fn new() -> Result<WorkspaceId> {
    let mut bits = [0; 8];
    getrandom::fill(&mut bits)
        .map_err(|error| Problem::failed("the system gives no random bits").cause(error.to_string()))?;
    Ok(WorkspaceId::from_bits(bits))
}

/// `pillarbox init --id`: what carries the name on hosts and no id stays this workspace's.
pub(super) fn add(ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    if let Some(id) = &workspace.inventory().owner.id {
        ctx.out.say(format_args!("this workspace has an id already: {id}"));
        return Ok(Exit::Done);
    }
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let text = vault.read(inventory::FILE)?.unwrap_or_default();
    let id = new()?;
    vault.put(inventory::FILE, add_id(&text, &id)?);
    let seen = SeenWorkspace { id: Some(id.clone()), ..vault.seen().clone() };
    // A machine that knows the workspace refuses another id from now on.
    vault.known_file().change(|known| known.meet_workspace(&seen))?;
    vault.commit()?;
    if ctx.out.json {
        let object = serde_json::json!({ "format_version": crate::plan::FORMAT_VERSION, "id": id.as_str() });
        ctx.out.object(&object);
    }
    ctx.out.say(format_args!("workspace {} has the id {id} now; commit {}", seen.name, inventory::FILE));
    ctx.out.say(
        "what it made on hosts carries no id and stays its own ('owns_without_id'): nothing is replaced",
    );
    Ok(Exit::Done)
}
