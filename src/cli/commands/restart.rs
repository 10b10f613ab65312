//! `pillarbox restart`.

use super::requested::{Request, carry_out};
use crate::cli::{BatchSizeArgs, Context, Exit, LockWaitArgs, NewHostsArgs, PaceArgs, ReachArgs, Selection};
use crate::problem::{Result, escaped, quoted};
use crate::session::Requested;

/// Restart a service, one container after another, each until it works
///
/// No image is pulled, and no gate is read. With --new each container is replaced by a new one in the service's own
/// order, without a gap where that is start-first; what runs must be what is declared.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox restart api
  pillarbox restart api --new -y")]
pub(in crate::cli) struct RestartArgs {
    /// Name of the service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    /// New containers as they are declared, in the place of those that run
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    selection: Selection,
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    batches: BatchSizeArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
}

pub(in crate::cli) fn run(args: &RestartArgs, ctx: &Context) -> Result<Exit> {
    let new = if args.new { " --new" } else { "" };
    let request = Request {
        command: "restart",
        again: format!("pillarbox restart {}{new}", quoted(&args.service)),
        service: Some(&args.service),
        selection: &args.selection,
        new_hosts: args.new_hosts,
        lock_wait: args.lock_wait,
        reach: args.reach,
        yes: args.yes,
        batch_size: args.batches.batch_size.clone(),
        pace: args.pace.pace(),
        asked: if args.new { Requested::Renew } else { Requested::Restart },
    };
    carry_out(&request, ctx, &async |hosts, interrupt| {
        if args.yes {
            return Ok(());
        }
        let question = format!("Restart {} on {hosts}?", escaped(&args.service));
        ctx.session.operator.confirm(&question, interrupt).await
    })
    .map(|_| Exit::Done)
}
