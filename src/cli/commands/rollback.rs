//! `pillarbox rollback`.
//!
//! The order of things, so that no crash undoes it silently: look at all hosts, choose, make sure that
//! every host can, show the plan, ask, take all locks, write the gates, change the hosts. Cut off before
//! the gates are written nothing was done; cut off after, the gates name what was asked for, and a
//! rollback or an apply goes on from there.

mod again;
mod choose;
mod gates;

use super::apply;
use super::history::{services, unknown};
use crate::cli::output::plan as print;
use crate::cli::{Context, Exit};
use crate::cli::{NewHostsArgs, Selection, on_engines};
use crate::desired::{Desired, DesiredContainer, DesiredState};
use crate::execute::{Command, Interrupt, Outcome};
use crate::history::{Generation, current, generations, tasks_between};
use crate::name::{HostName, folded};
use crate::plan::Plan;
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::session::{Differing, Goal, Pipeline, PlannedHosts, Registries, Vault, declared};
use choose::Target;
use gates::{Change, Gating};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Bring back what a service ran before: on every selected host, or on none
///
/// A kept container is started again; where it is gone, a new one is made from its image. No registry is
/// asked. The gate is written back, and held where the kept declaration is not today's.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox rollback api
  pillarbox rollback api --to 1.42.0
  pillarbox rollback api --to 3 --host web1      # generations count per host: see 'pillarbox history api'")]
pub(in crate::cli) struct RollbackArgs {
    /// Name of the service
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
}

/// A host that has the service.
struct Host {
    name: HostName,
    /// Names of its containers as declared today.
    slots: Vec<crate::name::ContainerName>,
    /// The gate that says its image; else the line that does.
    gating: Gating,
    /// The digest that is declared today, where one is.
    wanted: Option<String>,
    generations: Vec<Generation>,
}

pub(in crate::cli) fn run(args: &RollbackArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    on_engines(async |interrupt| {
        let hosts = look(args, &vault, interrupt).await?;
        let targets = choose::targets(&args.service, &hosts, args.to.as_deref())?;
        let goals = goals(&args.service, &hosts, &targets);
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
        let (mut planned, differing) = pipeline.plan_rollback(declared, &goals).await?;
        Problems::check(planned.problems())?;
        gates::hold(&mut changes, &args.service, &targets, &differing);
        for plan in &mut planned.plan.hosts {
            let notes = notes(args, &hosts, &targets, &differing, &plan.host);
            plan.notes.extend(notes);
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
    let outcome = pipeline.apply(Command { name: "rollback", again }, planned, write).await?;
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

/// Every selected host that has the service, with what is left of it there.
async fn look(args: &RollbackArgs, vault: &Vault<'_>, interrupt: &Interrupt) -> Result<Vec<Host>> {
    let declared = declared(vault, &args.selection.host)?;
    let pipeline = Pipeline::new(vault, args.new_hosts.beside(args.yes), interrupt);
    let seen = pipeline.observe(declared, Registries::NotAsked).await?.all()?;
    let (mut hosts, mut known, mut alone) = (Vec::new(), BTreeSet::new(), false);
    for one in &seen {
        known.extend(services(&one.desired, &one.observed));
        let wants = of_service(&one.desired, &args.service);
        alone |= wants.iter().any(|(want, _)| want.replica.is_none());
        let Some((want, gate)) = wants.first().filter(|(want, _)| want.replica.is_some()) else { continue };
        hosts.push(Host {
            name: one.observed.host.clone(),
            slots: wants.iter().map(|(want, _)| want.name.clone()).collect(),
            gating: match gate {
                Some(app) => Gating::Gate((*app).to_owned()),
                None => Gating::Line(want.sources.get("image").and_then(|places| places.last()).cloned()),
            },
            wanted: want.image.digest.as_ref().map(ToString::to_string),
            generations: generations(&one.observed, vault.owner(), &args.service),
        });
    }
    match (hosts.is_empty(), alone) {
        (false, _) => Ok(hosts),
        (true, true) => {
            let name = escaped(&args.service);
            let what = format!("{name} is a container by itself: nothing is kept of it");
            Err(Problem::failed(what)
                .hint(format!("declare it as [{name}.service.deployed]: it is taken over without a restart"))
                .into())
        }
        (true, false) => Err(unknown(&args.service, &known).into()),
    }
}

/// The containers that are desired of a service, each with its gate.
fn of_service<'a>(desired: &'a Desired, service: &str) -> Vec<(&'a DesiredContainer, Option<&'a str>)> {
    let items = desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) if want.service().as_str() == service => {
            Some((want.as_ref(), item.gate.as_ref().map(|gate| gate.app.as_str())))
        }
        _ => None,
    });
    items.collect()
}

fn goals(service: &str, hosts: &[Host], targets: &[Target<'_>]) -> BTreeMap<HostName, Goal> {
    let pairs = hosts.iter().zip(targets);
    pairs
        .map(|(host, target)| {
            let instances = host.slots.iter().filter_map(|slot| {
                let instance = target.generation.instance(&host.generations, slot)?;
                Some((slot.to_string(), instance.clone()))
            });
            let goal = Goal {
                service: service.to_owned(),
                generation: target.generation.number,
                image: target.generation.reference(),
                instances: instances.collect(),
            };
            (host.name.clone(), goal)
        })
        .collect()
}

/// What a person should know before saying yes.
fn notes(
    args: &RollbackArgs,
    hosts: &[Host],
    targets: &[Target<'_>],
    differing: &[Differing],
    name: &HostName,
) -> Vec<String> {
    let service = escaped(&args.service);
    let mut notes = Vec::new();
    let found = hosts.iter().zip(targets).find(|(host, _)| host.name == *name);
    let Some((host, target)) = found else { return notes };
    if let Some(current) = current(&host.generations) {
        let number = target.generation.number;
        notes.extend(tasks_between(target.generation, current).into_iter().map(|task| {
            format!(
                "service {service}: task {} ran between generation {number} and generation {}; a rollback does \
                 not undo what it did",
                escaped(&task),
                current.number
            )
        }));
    }
    if let Some(differing) = differing.iter().find(|differing| differing.host == *name) {
        let fields: Vec<String> = differing.fields.iter().map(|field| escaped(field)).collect();
        notes.push(format!(
            "service {service}: generation {} was declared otherwise than today: {}",
            target.generation.number,
            fields.join(", ")
        ));
    }
    if args.once {
        let line = match &host.gating {
            Gating::Line(Some(place)) => format!("{place} names another version"),
            Gating::Line(None) => "its state names another version".to_owned(),
            Gating::Gate(app) => format!("the gate {} names another version", escaped(app)),
        };
        notes.push(format!("service {service}: the next apply undoes this: {line}"));
    }
    notes
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
