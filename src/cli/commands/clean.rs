//! `pillarbox clean`.

use super::requested::{Request, carry_out};
use super::stop::time;
use crate::cli::{Context, Exit, LockWaitArgs, NewHostsArgs, ReachArgs, Selection};
use crate::problem::Result;
use crate::rollout::BatchSizes;
use crate::session::{Pace, Requested};
use std::time::Duration;

/// Remove failed attempts and images of this workspace that nothing needs any more
///
/// Failed attempts are kept for their log until then or until the next success. Volumes with data stay, and so does
/// everything that pillarbox did not create.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox df                # what it would remove
  pillarbox clean --older 7d -y")]
pub(in crate::cli) struct CleanArgs {
    /// Images alone
    #[arg(long, conflicts_with = "older")]
    images: bool,
    /// Only failed attempts that ended longer ago: 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    older: Option<Duration>,
    #[command(flatten)]
    selection: Selection,
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
}

pub(in crate::cli) fn run(args: &CleanArgs, ctx: &Context) -> Result<Exit> {
    let request = Request {
        command: "clean",
        again: "pillarbox clean".to_owned(),
        service: None,
        selection: &args.selection,
        new_hosts: args.new_hosts,
        lock_wait: args.lock_wait,
        reach: ReachArgs::default(),
        yes: args.yes,
        batch_size: Some(BatchSizes::all_at_once()),
        pace: Pace::default(),
        asked: Requested::Clean { images: args.images, older: args.older },
    };
    carry_out(&request, ctx, &async |hosts, interrupt| {
        if args.yes {
            return Ok(());
        }
        ctx.session.operator.confirm(&format!("Remove that from {hosts}?"), interrupt).await
    })
    .map(|_| Exit::Done)
}
