//! `pillarbox start`.

use super::requested::{Request, carry_out};
use crate::cli::{Context, Exit, LockWaitArgs, NewHostsArgs, ReachArgs, Selection};
use crate::problem::{Result, quoted};
use crate::session::{Pace, Requested};

/// Start a service that was stopped, as it is there, and wait until it works
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  pillarbox start api")]
pub(in crate::cli) struct StartArgs {
    /// Name of the service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
}

pub(in crate::cli) fn run(args: &StartArgs, ctx: &Context) -> Result<Exit> {
    let request = Request {
        command: "start",
        again: format!("pillarbox start {}", quoted(&args.service)),
        service: Some(&args.service),
        selection: &args.selection,
        new_hosts: args.new_hosts,
        lock_wait: args.lock_wait,
        reach: ReachArgs::default(),
        yes: false,
        batch_size: None,
        pace: Pace::default(),
        asked: Requested::Start,
    };
    carry_out(&request, ctx, &async |_, _| Ok(())).map(|_| Exit::Done)
}
