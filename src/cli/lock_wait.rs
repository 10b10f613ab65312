//! Whether a command waits for hosts that another run has locked.

use super::commands::time;
use crate::session::LockWait;
use std::time::Duration;

/// For how long locks of other runs are waited for.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct LockWaitArgs {
    /// Wait so long for hosts that another run has locked (90s, 10m) [default: exit with 6 at once]
    #[arg(long, value_name = "TIME", value_parser = time)]
    lock_wait: Option<Duration>,
}

impl LockWaitArgs {
    /// For one run of the command.
    pub(in crate::cli) fn begin(self) -> LockWait {
        LockWait::new(self.lock_wait.unwrap_or_default())
    }
}
