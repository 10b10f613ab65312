//! Which hosts a command is for, and which of them are accepted.

use crate::session::NewHosts;

/// Which hosts.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct Selection {
    /// Only hosts whose name matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub host: Vec<String>,
}

/// Whether hosts that are new on this machine are accepted as they are.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct NewHostsArgs {
    /// Send credentials and secrets to hosts that were not known on this machine, and remember them
    #[arg(long)]
    accept_new_hosts: bool,
}

impl NewHostsArgs {
    /// For a command whose `-y` says yes to what it does.
    pub(in crate::cli) fn beside(self, yes: bool) -> NewHosts {
        match (self.accept_new_hosts, yes) {
            (true, _) => NewHosts::Accept,
            (false, true) => NewHosts::Refuse,
            (false, false) => NewHosts::Ask,
        }
    }
}
