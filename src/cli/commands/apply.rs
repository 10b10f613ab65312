//! `pillarbox apply`.

mod on_failure;
mod version_before;

use super::plan::{OptionArgs, detailed};
use super::requested::Answered;
use crate::cli::output::hosts::on_hosts;
use crate::cli::output::{plan as print, unreachable};
use crate::cli::{Context, Exit};
use crate::cli::{LockWaitArgs, NewHostsArgs, PaceArgs, PullArgs, ReachArgs, Selection, on_engines};
use crate::execute::{Command, Interrupt, Outcome};
use crate::name::folded;
use crate::plan::Plan;
use crate::problem::{Problems, Result};
use crate::session::{MadeFor, Pipeline, StoredPlan, Vault, declared};
use crate::store;
use on_failure::{Deployed, OnFailure};
use serde_json::json;
use std::path::PathBuf;

/// Make hosts what the states declare: plan, ask, carry out
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox apply
  pillarbox apply --host web1 -y
  pillarbox plan -o plan.json && pillarbox apply plan.json   # exactly what was reviewed, or exit 5
  pillarbox apply --batch-size 1,50% --batch-wait 5m

Hosts are changed in batches: first one alone, then a tenth of them, then quarters. Where a host fails, no
further batch begins (--max-failures). A container that does not start is kept for its log and the one before
it is brought back (exit 3).")]
pub(in crate::cli) struct ApplyArgs {
    /// A plan stored by `plan -o`: done exactly as it says, or not at all
    #[arg(value_name = "PLAN", conflicts_with_all = [
        "host", "host_file", "failed", "prune", "fix_drift", "only", "service", "offline", "batch_size"
    ])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    options: OptionArgs,
    /// Do not ask; needed where there is no terminal and no stored plan
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    pulls: PullArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
    /// Where the run fails, bring the services that it has deployed back to what ran before, with their gates
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", hide_possible_values = true)]
    on_failure: OnFailure,
    /// Exit with 2 if something was changed, 4 if all changes are held
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(in crate::cli) fn run(args: &ApplyArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let stored = match &args.plan {
        Some(file) => {
            let text = store::read_text(&ctx.session.absolute(file))?;
            Some(StoredPlan::parse(&text, &file.display().to_string())?)
        }
        None => None,
    };
    let options = stored.as_ref().map_or_else(|| args.options.options(), |stored| stored.options.clone());
    let (terms, paused) = match &stored {
        Some(stored) => (stored.known_hosts(&vault.inventory().hosts)?, Vec::new()),
        None => {
            let chosen = args.selection.chosen(ctx, &vault)?;
            (chosen.terms, chosen.paused)
        }
    };
    let lock_wait = args.lock_wait.begin();
    let command = Command { pulls: args.pulls.at_once(), ..Command::APPLY };
    args.reach.begin();
    let mut deployed = Deployed::default();
    let ended = on_engines(async |interrupt| {
        let pipeline = Pipeline::new(&vault, args.new_hosts.beside(args.yes), interrupt)
            .waiting(&lock_wait)
            .of_hosts(&terms);
        let mut answered = Answered::default();
        loop {
            let mut planned = pipeline.plan(declared(&vault, &terms)?, &options, MadeFor::Apply).await?;
            planned.plan.paused.clone_from(&paused);
            let left_out =
                if args.reach.skip_unreachable { planned.leave_out_unreachable() } else { Vec::new() };
            Problems::check(planned.problems())?;
            let plan = &planned.plan;
            if let Some(stored) = &stored {
                stored.check(plan)?;
            }
            let is_new = answered.is_new(ctx, plan);
            if is_new && !ctx.out.json {
                ctx.out.data(print::text(plan, print::View::of(&ctx.out)));
                if !left_out.is_empty() {
                    ctx.out.data(unreachable::text(&left_out));
                }
            }
            let exit = if args.detailed_exitcode { detailed(plan) } else { Exit::Done };
            // That is not done in the end, whatever becomes of the rest.
            let not_done = [planned.without_image(), unreachable::problems(&left_out)].concat();
            if plan.is_empty() {
                say_json(ctx, plan, None, !not_done.is_empty());
                return Problems::check(not_done).map(|()| exit);
            }
            // A stored plan was looked at when it was stored, and is done exactly as it was.
            if is_new && !args.yes && stored.is_none() {
                ask(ctx, interrupt, plan).await?;
            }
            let Some(outcome) = pipeline.apply(command, &planned, args.pace.pace(), || Ok(())).await? else {
                answered.with(planned.plan);
                continue;
            };
            // What was left out before the run is no failure of it.
            if args.on_failure == OnFailure::Rollback {
                deployed = Deployed::of(plan, &outcome);
            }
            let outcome = outcome.and(command, not_done);
            finish(ctx, plan, outcome)?;
            return Ok(exit);
        }
    });
    ended.map_err(|failure| deployed.roll_back(ctx, failure))
}

async fn ask(ctx: &Context, interrupt: &Interrupt, plan: &Plan) -> Result<()> {
    let busy = plan.hosts.iter().filter(|host| !host.steps.is_empty());
    let names: Vec<&str> = busy.map(|host| host.host.as_str()).collect();
    let question = format!("Apply these changes to {}?", folded(&names));
    ctx.session.operator.confirm(&question, interrupt).await
}

fn finish(ctx: &Context, plan: &Plan, outcome: Outcome) -> Result<()> {
    let outcome = version_before::hinted(plan, outcome);
    say_json(ctx, plan, Some(&outcome), outcome.failure.is_some());
    end(ctx, outcome, Command::APPLY.again)
}

/// What is said to people in the end; `again` is typed to go on where the run was to end early.
pub(super) fn end(ctx: &Context, outcome: Outcome, again: &str) -> Result<()> {
    match outcome.failure {
        Some(problems) => Err(problems),
        None => {
            let left = outcome.left;
            let changed = outcome.hosts.iter().filter(|host| host.changed);
            let names: Vec<&str> = changed.map(|host| host.host.as_str()).collect();
            match names.as_slice() {
                [] => ctx.out.say("done: images are there, no container was changed"),
                names => ctx.out.say(on_hosts("done on", names, ctx.out.level)),
            }
            if left > 0 {
                ctx.out.say(format_args!("paused: {} left; go on with: {again}", hosts_in_words(left)));
            }
            Ok(())
        }
    }
}

/// The one object of `--json`: what became of each host; beside it the error, if there is one.
fn say_json(ctx: &Context, plan: &Plan, outcome: Option<&Outcome>, beside_error: bool) {
    if !ctx.out.json {
        return;
    }
    let object = object(plan, outcome);
    ctx.out.object_of(object, beside_error);
}

/// What became of each host, as data.
pub(super) fn object(plan: &Plan, outcome: Option<&Outcome>) -> serde_json::Value {
    let hosts: Vec<serde_json::Value> = plan
        .hosts
        .iter()
        .map(|host| {
            let ended =
                outcome.and_then(|outcome| outcome.hosts.iter().find(|ended| ended.host == host.host));
            let groups = ended.map(|ended| ended.groups.as_slice()).unwrap_or_default();
            let groups = groups.iter().map(|(group, end)| json!({ "group": group, "end": end.words() }));
            json!({
                "host": host.host,
                "changed": ended.is_some_and(|ended| ended.changed),
                "changes": host.changes,
                "groups": groups.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "workspace": plan.workspace,
        "changed": outcome.is_some_and(Outcome::changed),
        "left": outcome.map_or(0, |outcome| outcome.left),
        "hosts": hosts,
    })
}

fn hosts_in_words(count: usize) -> String {
    if count == 1 { "1 host is".to_owned() } else { format!("{count} hosts are") }
}
