//! `pillarbox unset KEY`.

use crate::cli::target::{TargetArgs, Verb};
use crate::cli::{Context, Exit};
use crate::problem::Result;
use crate::session::Vault;

/// Remove a value, sealed or in clear, or a table with all that is in it
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct UnsetArgs {
    /// Dotted key; in single quotes where a part has quotes: 'a."b.c".d'
    key: String,
    #[command(flatten)]
    place: TargetArgs,
}

pub(in crate::cli) fn run(args: &UnsetArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let (origin, _) = args.place.value(&vault, &args.key, Verb("unset", ""))?;
    let held_secret = vault.document(&origin.file).is_some_and(|document| {
        document.sealed().iter().any(|sealed| sealed.origin.key.is_within(&origin.key))
    });
    vault.edit(&origin.file, |document| document.unset(&origin.key))?;
    vault.commit()?;
    ctx.out.say(format_args!("removed {origin}"));
    if held_secret {
        ctx.out.say("what was sealed there can still be opened from older commits by its readers");
    }
    Ok(Exit::Done)
}
