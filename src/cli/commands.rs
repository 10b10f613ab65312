//! One file per command, with two items each: `Args` and `run`. To add one: its file, a line in each
//! of the three lists below.

mod completions;
mod man;
mod version;

use super::{Context, Exit};
use crate::problem::Result;
use clap::Subcommand;

/// The commands, in the order of `--help`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Completions(completions::Args),
    Man(man::Args),
    Version(version::Args),
}

impl Command {
    pub(super) fn run(&self, ctx: &Context) -> Result<Exit> {
        match self {
            Self::Completions(args) => completions::run(args, ctx),
            Self::Man(args) => man::run(args, ctx),
            Self::Version(args) => version::run(args, ctx),
        }
    }
}
