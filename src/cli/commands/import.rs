//! `pillarbox import …`: what another tool manages, as a workspace.

mod salt;

use crate::cli::{Context, Exit};
use crate::problem::Result;

/// Import the states, pillar and hosts of another tool
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ImportArgs {
    #[command(subcommand)]
    action: ImportCommand,
}

#[derive(clap::Subcommand, Debug)]
enum ImportCommand {
    Salt(salt::SaltArgs),
}

pub(in crate::cli) fn run(args: &ImportArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        ImportCommand::Salt(args) => salt::run(args, ctx),
    }
}
