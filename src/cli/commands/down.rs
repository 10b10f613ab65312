//! `pillarbox down`.

use super::requested::{Carried, Request, carry_out};
use crate::cli::{Context, Exit, LockWaitArgs, NewHostsArgs, ReachArgs, Selection};
use crate::problem::{Code, Problem, Result, escaped, quoted};
use crate::rollout::BatchSizes;
use crate::session::{Pace, Requested, Vault};

/// Remove a service from hosts: containers, images, networks; its data only with --volumes
///
/// Containers that are kept for a rollback go as well. Networks go where nothing else uses them, volumes only with
/// --volumes, and nothing that pillarbox did not make. The next apply creates the service again, unless its state is
/// removed.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox down api                          # the name is asked for once more
  pillarbox down api --yes-remove=api         # without a terminal
  pillarbox down --all --volumes              # everything of the workspace, with its data")]
pub(in crate::cli) struct DownArgs {
    /// Name of the service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    service: Option<String>,
    /// All services of the workspace
    #[arg(long)]
    all: bool,
    /// Their volumes as well: the data is lost
    #[arg(long)]
    volumes: bool,
    /// Do not ask: the name of the service once more, with --all that of the workspace
    #[arg(long, value_name = "NAME", require_equals = true)]
    yes_remove: Option<String>,
    /// Not enough here: `--yes-remove` names what goes
    #[arg(short, long, hide = true)]
    yes: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
}

pub(in crate::cli) fn run(args: &DownArgs, ctx: &Context) -> Result<Exit> {
    let name = match &args.service {
        Some(service) => service.clone(),
        None => {
            let workspace = ctx.session.workspace()?;
            Vault::load(&ctx.session, &workspace)?.name().to_string()
        }
    };
    if let Some(given) = args.yes_remove.as_ref().filter(|given| **given != name) {
        let what = format!("`--yes-remove` says {}, but {} would be removed", escaped(given), escaped(&name));
        return Err(Problem::new(Code::Usage, what).into());
    }
    let what = args.service.as_ref().map_or_else(|| "--all".to_owned(), |service| quoted(service));
    let volumes = if args.volumes { " --volumes" } else { "" };
    let again = format!("pillarbox down {what}{volumes}");
    if args.yes && args.yes_remove.is_none() {
        let problem = Problem::usage("`-y` is not enough to remove something: its name is needed");
        return Err(problem.hint(format!("{again} --yes-remove={}", quoted(&name))).into());
    }
    let request = Request {
        command: "down",
        again: again.clone(),
        service: args.service.as_deref(),
        selection: &args.selection,
        new_hosts: args.new_hosts,
        lock_wait: args.lock_wait,
        reach: ReachArgs::default(),
        yes: args.yes_remove.is_some(),
        batch_size: Some(BatchSizes::all_at_once()),
        pace: Pace::default(),
        asked: Requested::Down { volumes: args.volumes },
    };
    let done = carry_out(&request, ctx, &async |hosts, interrupt| {
        if args.yes_remove.is_some() {
            return Ok(());
        }
        let data = if args.volumes { ", with the data in its volumes" } else { "" };
        let question = format!("This removes {} from {hosts}{data}", escaped(&name));
        let hint = format!("{again} --yes-remove={}", quoted(&name));
        ctx.console.confirm_name(&question, &name, &hint, interrupt).await
    })?;
    if done == Carried::Out {
        ctx.out.say("the next apply creates what is declared again");
    }
    Ok(Exit::Done)
}
