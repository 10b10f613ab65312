//! How hosts are reached, and what becomes of a run where some cannot be.

use crate::engine::docker::limit_logins;

/// How many logins at once, and whether hosts that cannot be reached are left out.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct ReachArgs {
    /// Leave out hosts that cannot be reached; exit code 3 where others were changed
    #[arg(long)]
    pub(in crate::cli) skip_unreachable: bool,
    /// Logins over ssh at the same time [default: 32]; behind one jump host or sshd never more than 8
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: Option<u16>,
}

impl ReachArgs {
    /// Holds from now on in this process.
    pub(in crate::cli) fn begin(self) {
        if let Some(at_once) = self.connections {
            limit_logins(at_once.into());
        }
    }
}
