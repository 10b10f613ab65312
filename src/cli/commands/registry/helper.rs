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
pub(super) struct RegistryHelperArgs {
    #[command(subcommand)]
    action: RegistryHelperCommand,
}

#[derive(clap::Subcommand, Debug)]
enum RegistryHelperCommand {
    Install(install::RegistryHelperInstallArgs),
    Remove(remove::RegistryHelperRemoveArgs),
}

pub(super) fn run(args: &RegistryHelperArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        RegistryHelperCommand::Install(args) => install::run(args, ctx),
        RegistryHelperCommand::Remove(args) => remove::run(args, ctx),
    }
}
