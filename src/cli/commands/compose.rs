//! `pillarbox compose …`: projects of Docker Compose.

pub(super) mod add;
mod show;

use crate::cli::{Context, Exit};
use crate::problem::Result;

/// Look at projects of Docker Compose, and take one into the workspace
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ComposeArgs {
    #[command(subcommand)]
    action: ComposeCommand,
}

#[derive(clap::Subcommand, Debug)]
enum ComposeCommand {
    Add(add::ComposeAddArgs),
    Show(show::ComposeShowArgs),
}

pub(in crate::cli) fn run(args: &ComposeArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        ComposeCommand::Add(args) => add::run(args, ctx),
        ComposeCommand::Show(args) => show::run(args, ctx),
    }
}
