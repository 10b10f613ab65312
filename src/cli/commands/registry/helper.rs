//! `pillarbox registry helper`: whether docker and podman ask pillarbox for credentials.

mod files;
mod install;
mod remove;
mod workspace;

use crate::cli::{Context, Exit};
use crate::problem::Result;

pub(in crate::cli) use files::{Client, Files, home_shown, registries};
pub(in crate::cli) use install::how_to_find;

/// Have docker and podman ask pillarbox for credentials: install, remove
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    Install(install::Args),
    Remove(remove::Args),
}

pub(super) fn run(args: &Args, ctx: &Context) -> Result<Exit> {
    match &args.action {
        Action::Install(args) => install::run(args, ctx),
        Action::Remove(args) => remove::run(args, ctx),
    }
}
