//! `pillarbox adopt`.

mod data;

use crate::cli::output::adopt as print;
use crate::cli::output::plan::View;
use crate::cli::{Context, Exit};
use crate::cli::{NewHostsArgs, on_engines};
use crate::desired::{Desired, DesiredState};
use crate::name::folded;
use crate::plan::HostPlan;
use crate::planner::adopt::{Adoption, Candidate, Found};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::{Observation, Pipeline, PlanOptions, Registries, Vault, declared};

/// Adopt containers that pillarbox did not make, without a restart
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox adopt web --host web1
  pillarbox adopt api-1 api-2 --host web1 -y
  pillarbox adopt --compose shop --host vm1

The containers keep running. What a state declares for a name is compared with the container field by field;
what differs, and what the next apply does about it, is shown before anything is recorded. Either all of them
are adopted or none. A record is a volume on the host that names the container by its id; to take it back,
remove that volume.

With --compose, a container that an apply would replace at once stops all of it: make the file say what runs, or
adopt it --anyway.")]
pub(in crate::cli) struct AdoptArgs {
    /// Names of containers, as on the host and in the states
    #[arg(required_unless_present = "compose")]
    names: Vec<String>,
    /// All containers of this Compose project that run on the host
    #[arg(long, value_name = "PROJECT", conflicts_with = "names")]
    compose: Option<String>,
    /// With --compose: also containers that the next apply would replace
    #[arg(long, requires = "compose")]
    anyway: bool,
    /// The host that they are on
    #[arg(long, value_name = "HOST")]
    host: String,
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
}

/// A container that was compared.
struct Compared<'a> {
    candidate: Candidate<'a>,
    adoption: Adoption,
    /// What an apply would do then.
    after: HostPlan,
}

pub(in crate::cli) fn run(args: &AdoptArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let declared = declared(&vault, std::slice::from_ref(&args.host))?;
    if declared.len() > 1 {
        let what = format!("`--host {}` matches several hosts", escaped(&args.host));
        return Err(Problem::usage(what).hint("containers are adopted on one host at a time").into());
    }
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(&vault, args.new_hosts.beside(args.yes), interrupt);
        let seen = pipeline.observe(declared, Registries::Asked).await?.all()?;
        let Some(seen) = seen.first() else {
            return Err(Problem::failed("no host was read").into());
        };
        let host = &seen.observed.host;
        let (names, missing) = match &args.compose {
            None => (args.names.clone(), Vec::new()),
            Some(project) => of_project(project, seen)?,
        };
        let (candidates, ours) = found(&names, seen)?;
        let compared = compare(&pipeline, seen, candidates).await?;
        if !ctx.out.json {
            for one in &compared {
                let (candidate, adoption, after) = (&one.candidate, &one.adoption, &one.after);
                let what = print::Shown { host, candidate, adoption, after };
                ctx.out.data(print::text(&what, View::of(&ctx.out)));
            }
            for name in &missing {
                ctx.out.say(format_args!("container {name} is not on host {host}: an apply will create it"));
            }
        }
        for name in &ours {
            ctx.out.say(format_args!("container {name} on host {host} is already managed by pillarbox"));
        }
        if args.compose.is_some() && !args.anyway {
            Problems::check(differing(&compared, seen))?;
        }
        if !compared.is_empty() {
            if !args.yes {
                ctx.session.operator.confirm(&question(&compared, host.as_str()), interrupt).await?;
            }
            let all: Vec<_> = compared.iter().map(|one| (one.candidate.container, &one.adoption)).collect();
            pipeline.adopt(seen, &all).await?;
        }
        if ctx.out.json {
            let all = data::all(&vault, seen, &names, &compared);
            ctx.out.object(&match (args.names.as_slice(), all.as_slice()) {
                ([_], [one]) => one.clone(),
                _ => data::together(&vault, seen, &all),
            });
        }
        for one in &compared {
            ctx.out.say(format_args!("adopted: container {} on host {host}", one.candidate.container.name));
        }
        Ok(Exit::Done)
    })
}

/// The containers of a project that the host has, and those that it does not have.
///
/// # Errors
/// Where the host has no such project, or none of its containers.
fn of_project(project: &str, seen: &Observation<'_>) -> Result<(Vec<String>, Vec<String>)> {
    let all = containers_of(project, &seen.desired);
    let host = &seen.observed.host;
    if all.is_empty() {
        let what = format!("host {host} has no Compose project {}", escaped(project));
        return Err(Problem::usage(what).hint(format!("write compose = [\"{project}\"] below it")).into());
    }
    let is_there = |name: &String| seen.observed.containers.iter().any(|container| container.name == *name);
    let (there, missing): (Vec<String>, Vec<String>) = all.into_iter().partition(is_there);
    if there.is_empty() {
        let what = format!("no container of the project {project} is on host {host}");
        return Err(Problem::failed(what).hint(format!("make them: pillarbox apply --host {host}")).into());
    }
    Ok((there, missing))
}

/// Names of the containers that a project declares: its ids begin with its name.
fn containers_of(project: &str, desired: &Desired) -> Vec<String> {
    let own = format!("{project}.");
    let of_project =
        desired.items.iter().filter(|item| item.declared.iter().any(|(id, _)| id.starts_with(&own)));
    let names = of_project.filter_map(|item| match &item.want {
        DesiredState::Container(want) => Some(want.name.to_string()),
        _ => None,
    });
    names.collect()
}

/// Those that can be adopted, and the names of those that are ours already.
///
/// # Errors
/// Of all names that cannot be adopted.
fn found<'s>(names: &[String], seen: &'s Observation<'_>) -> Result<(Vec<Candidate<'s>>, Vec<String>)> {
    let (mut candidates, mut ours, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        match Candidate::find(&seen.desired, &seen.observed, name) {
            Ok(Found::Candidate(candidate)) => candidates.push(candidate),
            Ok(Found::Ours(container)) => ours.push(container.name.clone()),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems).map(|()| (candidates, ours))
}

async fn compare<'s>(
    pipeline: &Pipeline<'_>,
    seen: &Observation<'_>,
    candidates: Vec<Candidate<'s>>,
) -> Result<Vec<Compared<'s>>> {
    let (mut compared, mut problems) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let adoption = pipeline.compare(seen, &candidate).await;
        let after = adoption.and_then(|adoption| {
            let after = candidate.plan_after(&adoption, &seen.options(&PlanOptions::default()))?;
            Ok((adoption, after))
        });
        match after {
            Ok((adoption, after)) => compared.push(Compared { candidate, adoption, after }),
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems).map(|()| compared)
}

/// Containers that the next apply would replace, with what differs.
fn differing(compared: &[Compared<'_>], seen: &Observation<'_>) -> Vec<Problem> {
    let replaced = compared.iter().filter(|one| print::is_replaced(&one.after));
    let problem = |one: &Compared<'_>| {
        let (name, host) = (&one.candidate.container.name, &seen.observed.host);
        let differ = one.adoption.fields.iter().filter(|field| !field.agrees);
        let names: Vec<&str> = differ.map(|field| field.name.as_str()).collect();
        Problem::failed(format!("the next apply would replace container {name} on host {host}"))
            .cause(format!(
                "{} not what runs",
                match names.as_slice() {
                    [one] => format!("{} is", escaped(one)),
                    all => format!("{} are", escaped(&all.join(", "))),
                }
            ))
            .hint("make the Compose file say what runs, or adopt it --anyway; nothing was recorded")
    };
    replaced.map(problem).collect()
}

fn question(compared: &[Compared<'_>], host: &str) -> String {
    let names: Vec<&str> = compared.iter().map(|one| one.candidate.container.name.as_str()).collect();
    match names.as_slice() {
        [name] => format!("Adopt container {name} on host {host}?"),
        names => format!("Adopt {} containers ({}) on host {host}?", names.len(), folded(names)),
    }
}
