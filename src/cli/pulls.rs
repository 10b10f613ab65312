//! How many hosts pull at the same time.

use crate::execute::Command;

/// How many hosts pull at the same time.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct PullArgs {
    /// Hosts that pull images at the same time [default: 16]; each pulls up to four
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pulls: Option<u16>,
}

impl PullArgs {
    /// That number.
    pub(in crate::cli) fn at_once(self) -> usize {
        self.pulls.map_or(Command::PULLS, usize::from)
    }
}
