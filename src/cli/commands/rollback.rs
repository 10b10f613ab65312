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
use crate::cli::output::plan as print;
use crate::cli::{BatchSizeArgs, NewHostsArgs, PaceArgs, Selection, on_engines};
use crate::cli::{Context, Exit};
use crate::execute::{Command, Interrupt, Outcome};
use crate::name::folded;
use crate::plan::Plan;
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::session::{Pipeline, PlannedHosts, Vault, declared};
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
    /// Write no gate: the next apply undoes the rollback
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    batches: BatchSizeArgs,
    #[command(flatten)]
    pace: PaceArgs,
}

pub(in crate::cli) fn run(args: &RollbackArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    on_engines(async |interrupt| {
        let (service, hosts) = host::look(args, &vault, interrupt).await?;
        let args = &RollbackArgs { service, ..args.clone() };
        let targets = choose::targets(&args.service, &hosts, args.to.as_deref())?;
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
        let pipeline = Pipeline::new(&then, args.new_hosts.beside(args.yes), interrupt);
        let plan = pipeline.plan_rollback(declared, &goals, args.batches.batch_size.clone()).await?;
        Problems::check(plan.planned.problems())?;
        gates::hold(&mut changes, &args.service, &targets, &plan.differing);
        let mut notes = notes::of(args, &hosts, &targets, &plan);
        let mut planned = plan.planned;
        for plan in &mut planned.plan.hosts {
            let of_host = notes.remove(&plan.host).unwrap_or_default();
            plan.notes.extend(of_host);
        }
        if let Some(plan) = planned.plan.hosts.first_mut() {
            plan.notes.extend(changes.iter().map(Change::in_words));
        }
        let again = again::command(args, &hosts, &targets);
        apply_rollback(args, ctx, &vault, pipeline, &Rollback { planned, changes, again }, interrupt).await
    })
}

/// What will be done.
struct Rollback {
    planned: PlannedHosts,
    changes: Vec<Change>,
    /// What continues it where it ended.
    again: String,
}

async fn apply_rollback(
    args: &RollbackArgs,
    ctx: &Context,
    vault: &Vault<'_>,
    pipeline: Pipeline<'_>,
    rollback: &Rollback,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let Rollback { planned, changes, again } = rollback;
    let plan = &planned.plan;
    if !ctx.out.json {
        ctx.out.data(print::text(plan, print::View::of(&ctx.out)));
    }
    let nothing = plan.is_empty() && changes.iter().all(|change| change.is_done(vault));
    if nothing {
        ctx.out.say(format_args!("{} is there already", escaped(&args.service)));
        say_json(args, ctx, plan, changes, None);
        return Ok(Exit::Done);
    }
    if !args.yes {
        let names: Vec<&str> = plan.hosts.iter().map(|host| host.host.as_str()).collect();
        let question = format!("Roll {} back on {}?", escaped(&args.service), folded(&names));
        ctx.session.operator.confirm(&question, interrupt).await?;
    }
    let write = || gates::commit(ctx, vault, changes);
    let command = Command { name: "rollback", again, whole: true };
    let outcome = pipeline.apply(command, planned, args.pace.pace(), write).await?;
    say_json(args, ctx, plan, changes, Some(&outcome));
    match apply::end(ctx, outcome) {
        Ok(()) => Ok(Exit::Done),
        Err(problems) if changes.is_empty() => Err(problems),
        Err(problems) => {
            let mut problems = problems.into_vec();
            let last = problems.pop().map(|last| last.hint(again::or_give_up(vault, changes)));
            problems.extend(last);
            Problems::check(problems).map(|()| Exit::Done)
        }
    }
}

fn not_compiled(problem: Problem) -> Problem {
    problem.cause("so it would be once the gate is written back; nothing was changed")
}

fn say_json(args: &RollbackArgs, ctx: &Context, plan: &Plan, changes: &[Change], outcome: Option<&Outcome>) {
    if !ctx.out.json {
        return;
    }
    let mut object = apply::object(plan, outcome);
    object["service"] = json!(args.service);
    object["gates"] = changes.iter().map(Change::json).collect();
    object["notes"] = plan.hosts.iter().flat_map(|host| &host.notes).map(|note| json!(note)).collect();
    ctx.out.object_of(object, outcome.is_some_and(|outcome| outcome.failure.is_some()));
}

/// `pillarbox history api`.
fn history_of(service: &str) -> String {
    format!("see what there is: pillarbox history {}", quoted(service))
}
