//! `pillarbox registry remove HOST[/PREFIX]`.

use super::{existing, named, scope};
use crate::cli::{Context, Exit};
use crate::problem::{Problem, Result};
use crate::registry::{Scope, TABLE};
use crate::session::Vault;

/// Remove a credential from the pillar
#[derive(clap::Args, Debug)]
pub(super) struct RegistryRemoveArgs {
    /// As it was added
    #[arg(value_name = "HOST[/PREFIX]")]
    registry: String,
    /// File below pillar/ [default: the one that has it]
    #[arg(long = "in", value_name = "FILE")]
    file: Option<String>,
}

pub(super) fn run(args: &RegistryRemoveArgs, ctx: &Context) -> Result<Exit> {
    let scope = scope(&args.registry)?;
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let file = named(args.file.as_deref())?;
    let Some(origin) = existing(&vault, &scope, file.as_deref(), "remove")? else {
        return Err(missing(&vault, &scope).into());
    };
    let document = vault.document(&origin.file);
    let had_secret = document.is_some_and(|document| {
        document.sealed().iter().any(|sealed| sealed.origin.key.is_within(&origin.key))
    });
    vault.edit(&origin.file, |document| document.unset(&origin.key))?;
    let own = format!("{TABLE}/{}.toml", scope.host().file_stem());
    if origin.file == own && vault.document(&own).is_some_and(|document| document.text().trim().is_empty()) {
        vault.remove_document(&own);
    }
    vault.commit()?;
    ctx.out.say(format_args!("removed {origin}"));
    if had_secret {
        ctx.out.say(
            "its readers can still open it from older commits: revoke it at the registry if nobody needs it",
        );
    }
    Ok(Exit::Done)
}

fn missing(vault: &Vault<'_>, scope: &Scope) -> Problem {
    let known: Vec<String> = vault
        .documents()
        .flat_map(|document| document.keys())
        .filter_map(|key| match key.parts() {
            [top, entry] if top == TABLE => Some(entry.clone()),
            _ => None,
        })
        .collect();
    Problem::failed(format!("there is no entry for {scope}"))
        .nearest(&scope.to_string(), known.iter().map(String::as_str))
        .hint("see which there are: pillarbox registry list")
}
