//! `pillarbox rollback`.
//!
//! The order of things, so that no crash undoes it silently: look at all hosts, choose, make sure that
//! every host can, show the plan, ask, take all locks, write the gates, change the hosts. Cut off before
//! the gates are written nothing was done; cut off after, the gates name what was asked for, and a
//! rollback or an apply goes on from there.

mod again;
mod choose;
mod gates;
mod host;
#[cfg(test)]
mod laws;
mod notes;

use super::apply;
use super::requested::Answered;
use crate::cli::output::{plan as print, unreachable};
use crate::cli::{
    BatchSizeArgs, LockWaitArgs, NewHostsArgs, PaceArgs, PullArgs, ReachArgs, Selection, on_engines,
};
use crate::cli::{Context, Exit};
use crate::execute::{Command, Interrupt, Outcome};
use crate::history::Generation;
use crate::name::{HostName, folded};
use crate::plan::Plan;
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use crate::rollout::BatchSizes;
use crate::session::{FailedHost, Pipeline, PlannedHosts, Vault, declared};
use gates::Change;
use serde_json::json;

/// Bring back what a service ran before: on every selected host, or on none
///
/// A kept container is started again; where it is gone, a new one is made from its image. No registry is
/// asked. The gate is written back, and held where the kept declaration is not today's.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  pillarbox rollback api
  pillarbox rollback api --to 1.42.0
  pillarbox rollback api --to 3 --host web1      # generations count per host: see 'pillarbox history api'")]
pub(in crate::cli) struct RollbackArgs {
    /// Name of the service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    /// A version, a digest, or on one host a generation [default: what ran before the last deployment]
    #[arg(long, value_name = "GENERATION|VERSION")]
    to: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    pulls: PullArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
    /// Write no gate: the next apply undoes the rollback
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    batches: BatchSizeArgs,
    #[command(flatten)]
    pace: PaceArgs,
}

impl RollbackArgs {
    /// To a version, or to what ran before, on these hosts, without a question.
    pub(super) fn of<'h>(
        service: &str,
        version: Option<&str>,
        hosts: impl IntoIterator<Item = &'h HostName>,
    ) -> Self {
        Self {
            service: service.to_owned(),
            to: version.map(str::to_owned),
            selection: Selection::of(hosts),
            yes: true,
            new_hosts: NewHostsArgs::default(),
            once: false,
            batches: BatchSizeArgs { batch_size: Some(BatchSizes::all_at_once()) },
            pace: PaceArgs::default(),
            reach: ReachArgs::default(),
            pulls: PullArgs::default(),
            lock_wait: LockWaitArgs::default(),
        }
    }
}

pub(in crate::cli) fn run(args: &RollbackArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    let lock_wait = args.lock_wait.begin();
    args.reach.begin();
    on_engines(async |interrupt| {
        let (mut answered, mut goes_to) = (Answered::default(), None);
        loop {
            let (service, hosts, left_out) = host::look(args, &chosen.terms, &vault, interrupt).await?;
            let args = &RollbackArgs { service, ..args.clone() };
            let targets = choose::targets(&args.service, &hosts, args.to.as_deref())?;
            unmoved(&mut goes_to, &hosts, &targets)?;
            let goals = host::goals(&args.service, &hosts, &targets);
            // As it will be afterwards: a declaration that names its version is compared with that.
            let mut then = Vault::load(&ctx.session, &workspace)?;
            let mut changes =
                if args.once { Vec::new() } else { gates::changes(&vault, &args.service, &hosts, &targets)? };
            for change in &changes {
                change.write(&mut then)?;
            }
            let names: Vec<String> = goals.keys().map(ToString::to_string).collect();
            let declared = declared(&then, &names).map_err(|problems| problems.map(not_compiled))?;
            let pipeline = Pipeline::new(&then, args.new_hosts.beside(args.yes), interrupt)
                .waiting(&lock_wait)
                .of_hosts(&chosen.terms);
            let plan = pipeline.plan_rollback(declared, &goals, args.batches.batch_size.clone()).await?;
            Problems::check(plan.planned.problems())?;
            gates::hold(&mut changes, &args.service, &targets, &plan.differing);
            let mut notes = notes::of(args, &hosts, &targets, &plan);
            let mut planned = plan.planned;
            planned.plan.paused.clone_from(&chosen.paused);
            planned.left_out = left_out.iter().map(|one| one.host.clone()).collect();
            for plan in &mut planned.plan.hosts {
                let of_host = notes.remove(&plan.host).unwrap_or_default();
                plan.notes.extend(of_host);
            }
            if let Some(plan) = planned.plan.hosts.first_mut() {
                plan.notes.extend(changes.iter().map(Change::in_words));
            }
            let again = again::command(args, &chosen, &hosts, &targets);
            let rollback = Rollback { planned, changes, again, left_out };
            let shown = &mut answered;
            if let Some(exit) =
                apply_rollback(args, ctx, &vault, pipeline, rollback, shown, interrupt).await?
            {
                return Ok(exit);
            }
        }
    })
}

/// What will be done.
struct Rollback {
    planned: PlannedHosts,
    changes: Vec<Change>,
    /// What continues it where it ended.
    again: String,
    /// Hosts that cannot be reached.
    left_out: Vec<FailedHost>,
}

/// That hosts are rolled back to the generations that were chosen before locks were waited for.
///
/// # Errors
/// [`Code::Stale`] where it would be others now.
fn unmoved(
    goes_to: &mut Option<Vec<(HostName, u64)>>,
    hosts: &[host::Host],
    targets: &[&Generation],
) -> Result<()> {
    let now = hosts.iter().zip(targets).map(|(host, target)| (host.name.clone(), target.number)).collect();
    let before = goes_to.get_or_insert_with(|| Vec::clone(&now));
    if *before == now {
        return Ok(());
    }
    let what = "hosts changed while their locks were waited for: this would be a rollback to something else";
    Err(Problem::new(Code::Stale, what).hint("look at what there is, and decide again").into())
}

/// `None`: locks were waited for, and it is to be planned again.
async fn apply_rollback(
    args: &RollbackArgs,
    ctx: &Context,
    vault: &Vault<'_>,
    pipeline: Pipeline<'_>,
    rollback: Rollback,
    answered: &mut Answered,
    interrupt: &Interrupt,
) -> Result<Option<Exit>> {
    let Rollback { planned, changes, again, left_out } = &rollback;
    let plan = &planned.plan;
    let is_new = answered.is_new(ctx, plan);
    if is_new && !ctx.out.json {
        ctx.out.data(print::text(plan, print::View::of(&ctx.out)));
        if !left_out.is_empty() {
            ctx.out.data(unreachable::text(left_out));
        }
    }
    let left_out = unreachable::problems(left_out);
    let nothing = plan.is_empty() && changes.iter().all(|change| change.is_done(vault));
    if nothing {
        ctx.out.say(format_args!("{} is there already", escaped(&args.service)));
        say_json(args, ctx, plan, changes, None, !left_out.is_empty());
        return Problems::check(left_out).map(|()| Some(Exit::Done));
    }
    if is_new && !args.yes {
        let names: Vec<&str> = plan.hosts.iter().map(|host| host.host.as_str()).collect();
        let question = format!("Roll {} back on {}?", escaped(&args.service), folded(&names));
        ctx.session.operator.confirm(&question, interrupt).await?;
    }
    let write = || gates::commit(ctx, vault, changes);
    let command = Command { name: "rollback", again, whole: true, pulls: args.pulls.at_once() };
    let Some(outcome) = pipeline.apply(command, planned, args.pace.pace(), write).await? else {
        answered.with(rollback.planned.plan);
        return Ok(None);
    };
    let outcome = outcome.and(command, left_out);
    say_json(args, ctx, plan, changes, Some(&outcome), outcome.failure.is_some());
    match apply::end(ctx, outcome, again) {
        Ok(()) => Ok(Some(Exit::Done)),
        Err(problems) if changes.is_empty() => Err(problems),
        Err(problems) => {
            let mut problems = problems.into_vec();
            let last = problems.pop().map(|last| last.hint(again::or_give_up(vault, changes)));
            problems.extend(last);
            Problems::check(problems).map(|()| Some(Exit::Done))
        }
    }
}

fn not_compiled(problem: Problem) -> Problem {
    problem.cause("so it would be once the gate is written back; nothing was changed")
}

/// The one object of `--json`; beside it the error, if there is one.
fn say_json(
    args: &RollbackArgs,
    ctx: &Context,
    plan: &Plan,
    changes: &[Change],
    outcome: Option<&Outcome>,
    fails: bool,
) {
    if !ctx.out.json {
        return;
    }
    let mut object = apply::object(plan, outcome);
    object["service"] = json!(args.service);
    object["gates"] = changes.iter().map(Change::json).collect();
    object["notes"] = plan.hosts.iter().flat_map(|host| &host.notes).map(|note| json!(note)).collect();
    ctx.out.object_of(object, fails);
}

/// `pillarbox history api`.
fn history_of(service: &str) -> String {
    format!("see what there is: pillarbox history {}", quoted(service))
}
