//! `pillarbox stop`.

use super::requested::{Request, carry_out};
use crate::cli::{Context, Exit, LockWaitArgs, NewHostsArgs, ReachArgs, Selection};
use crate::problem::{Result, escaped, quoted};
use crate::rollout::BatchSizes;
use crate::session::{Pace, Requested};
use std::time::Duration;

/// Stop a service, and keep it so: no apply starts it again until `start`
///
/// That is remembered on each host, with who did it, why and until when. All who can use its Engine can read that.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox stop api -m 'a new disk' --for 2h
  pillarbox stop api --host web1")]
pub(in crate::cli) struct StopArgs {
    /// Name of the service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    /// For how long: 30m, 2h, 3d; the next apply after that starts it [default: until `start`]
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// Why, for others
    #[arg(short = 'm', long = "message", value_name = "WHY")]
    why: Option<String>,
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

/// The longest time, in days.
const DAYS: u64 = 366;

pub(in crate::cli) fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|_| "give a time such as 30m, 2h or 3d".to_owned())?;
    if time < Duration::from_secs(1) || time > Duration::from_secs(DAYS * 24 * 60 * 60) {
        return Err(format!("give a time from one second to {DAYS} days"));
    }
    Ok(time)
}

pub(in crate::cli) fn run(args: &StopArgs, ctx: &Context) -> Result<Exit> {
    let request = Request {
        command: "stop",
        again: format!("pillarbox stop {}", quoted(&args.service)),
        service: Some(&args.service),
        selection: &args.selection,
        new_hosts: args.new_hosts,
        lock_wait: args.lock_wait,
        reach: ReachArgs::default(),
        yes: args.yes,
        batch_size: Some(BatchSizes::all_at_once()),
        pace: Pace::default(),
        asked: Requested::Stop { why: args.why.clone(), time: args.time },
    };
    carry_out(&request, ctx, &async |hosts, interrupt| {
        if args.yes {
            return Ok(());
        }
        let question = format!("Stop {} on {hosts}?", escaped(&args.service));
        ctx.session.operator.confirm(&question, interrupt).await
    })
    .map(|_| Exit::Done)
}
