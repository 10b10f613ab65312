//! `pillarbox adopt`.

mod data;
mod project;

use crate::cli::output::adopt as print;
use crate::cli::output::plan::View;
use crate::cli::{Context, Exit};
use crate::cli::{LockWaitArgs, NewHostsArgs, on_engines};
use crate::name::folded;
use crate::plan::HostPlan;
use crate::planner::adopt::{Adoption, Candidate, Found, RanBefore};
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use crate::session::{Observation, Pipeline, PlanOptions, Registries, Vault, all_paused, declared};
use project::{Project, projects};

/// Adopt containers that pillarbox did not make, without a restart
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox adopt web --host web1
  pillarbox adopt api-1 api-2 --host web1 -y
  pillarbox adopt --compose shop --host 'vm*'

The containers keep running. What a state declares for a name is compared with the container field by field;
what differs, and what the next apply does about it, is shown before anything is recorded. On each host either all
of them are adopted or none. A record is a volume on the host that names the container by its id; to undo an
adoption, remove that volume.

With --compose, a container that an apply would replace at once stops all of it: make the file say what runs, or
adopt it --anyway.")]
pub(in crate::cli) struct AdoptArgs {
    /// Names of containers, as on the host and in the states
    #[arg(required_unless_present = "compose")]
    names: Vec<String>,
    /// All containers of this Compose project that are on the hosts
    #[arg(long, value_name = "PROJECT", conflicts_with = "names")]
    compose: Option<String>,
    /// With --compose: also containers that the next apply would replace
    #[arg(long, requires = "compose")]
    anyway: bool,
    /// The host that they are on; with --compose may be given several times
    #[arg(long, value_name = "TERMS", required = true, alias = "limit")]
    host: Vec<String>,
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    lock_wait: LockWaitArgs,
}

/// A container that was compared.
struct Compared<'a> {
    candidate: Candidate<'a>,
    adoption: Adoption,
    /// What an apply would do then.
    after: HostPlan,
}

/// What is adopted on a host.
struct OnHost<'s, 'v> {
    seen: &'s Observation<'v>,
    /// Names of all containers in question, those that are ours already too.
    names: Vec<String>,
    compared: Vec<Compared<'s>>,
    /// The names of those that are ours already.
    ours: Vec<String>,
    /// The project, if it is one.
    project: Option<Project<'s>>,
    /// What is known of its tasks.
    tasks: Vec<Ran>,
}

/// A task that Compose ran.
struct Ran {
    container: String,
    /// What is recorded; or why the next apply runs it.
    found: std::result::Result<RanBefore, String>,
}

pub(in crate::cli) fn run(args: &AdoptArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let declared = declared(&vault, &args.host)?;
    if declared.is_empty() {
        return Err(all_paused(&vault.inventory().select(&args.host)?).into());
    }
    if args.compose.is_none() && declared.len() > 1 {
        let what = format!("`--host {}` matches several hosts", escaped(&args.host.join(" --host ")));
        let hint =
            "containers are adopted by name on one host at a time; a project with --compose on several";
        return Err(Problem::usage(what).hint(hint).into());
    }
    on_engines(async |interrupt| {
        let lock_wait = args.lock_wait.begin();
        let pipeline = Pipeline::new(&vault, args.new_hosts.beside(args.yes), interrupt).waiting(&lock_wait);
        let seen = pipeline.observe(declared, Registries::Asked).await?.all()?;
        let (hosts, mut problems) = on_hosts(args, &pipeline, &seen).await?;
        if !ctx.out.json {
            for host in &hosts {
                show(args, ctx, host);
            }
        }
        for host in &hosts {
            say_ours(args, ctx, host);
            if args.compose.is_some() && !args.anyway {
                problems.extend(differing(host));
            }
        }
        Problems::check(problems)?;
        let busy: Vec<&OnHost<'_, '_>> = hosts.iter().filter(|host| !host.compared.is_empty()).collect();
        if !busy.is_empty() && !args.yes {
            ctx.session.operator.confirm(&question(&busy), interrupt).await?;
        }
        let (done, failed) = record(&pipeline, &busy).await;
        if ctx.out.json {
            ctx.out.object_of(data::of(args, &vault, &hosts, &done), !failed.is_empty());
        }
        for host in busy.iter().filter(|host| done.contains(&host.name())) {
            say_adopted(args, ctx, host);
        }
        if let Some(project) = &args.compose {
            disarm(ctx, project, hosts.iter().filter(|host| !host.names.is_empty()));
        }
        Problems::check(failed).map(|()| Exit::Done)
    })
}

/// What is adopted on each host, and what is wrong on those where nothing can be.
///
/// # Errors
/// Where no host has the project.
async fn on_hosts<'s, 'v>(
    args: &AdoptArgs,
    pipeline: &Pipeline<'v>,
    seen: &'s [Observation<'v>],
) -> Result<(Vec<OnHost<'s, 'v>>, Vec<Problem>)> {
    let (mut hosts, mut problems) = (Vec::new(), Vec::new());
    for one in seen {
        match on_host(args, pipeline, one).await {
            Ok(Some(host)) => hosts.push(host),
            Ok(None) => {}
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    let Some(name) = args.compose.as_deref().filter(|_| problems.is_empty()) else {
        return Ok((hosts, problems));
    };
    let all: Vec<&str> = seen.iter().map(|one| one.observed.host.as_str()).collect();
    let all = folded(&all);
    if hosts.is_empty() {
        let declared = seen.iter().flat_map(|one| projects(&one.desired));
        let what = format!("no Compose project {} is declared for {all}", escaped(name));
        let problem = Problem::usage(what).nearest(name, declared);
        return Err(problem.hint(format!("write compose = [\"{}\"] below the host", escaped(name))).into());
    }
    if hosts.iter().all(|host| host.names.is_empty()) {
        let what = format!("no container of the Compose project {name} is on {all}");
        let host = quoted(hosts[0].name());
        return Err(Problem::failed(what).hint(format!("make them: pillarbox apply --host {host}")).into());
    }
    Ok((hosts, problems))
}

async fn on_host<'s, 'v>(
    args: &AdoptArgs,
    pipeline: &Pipeline<'v>,
    seen: &'s Observation<'v>,
) -> Result<Option<OnHost<'s, 'v>>> {
    let (names, project) = match &args.compose {
        None => (args.names.clone(), None),
        Some(project) => match Project::find(project, seen)? {
            None => return Ok(None),
            Some(found) => (found.there.clone(), Some(found)),
        },
    };
    let (candidates, ours) = found(&names, seen)?;
    let compared = compare(pipeline, seen, candidates).await?;
    let mut tasks = Vec::new();
    for (task, container) in project.iter().flat_map(|project| &project.tasks) {
        if let Some(found) = pipeline.compare_task(seen, task, container).await? {
            tasks.push(Ran { container: container.name.clone(), found });
        }
    }
    Ok(Some(OnHost { seen, names, compared, ours, project, tasks }))
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

fn show(args: &AdoptArgs, ctx: &Context, host: &OnHost<'_, '_>) {
    let shown = host.compared.iter().map(|one| print::Shown {
        host: &host.seen.observed.host,
        candidate: &one.candidate,
        adoption: &one.adoption,
        after: &one.after,
    });
    let shown: Vec<print::Shown<'_>> = shown.collect();
    let view = View::of(&ctx.out);
    match (&args.compose, &host.project) {
        (Some(name), Some(project)) => {
            let tasks = host.tasks.iter().map(|ran| (ran.container.as_str(), ran.found.as_ref().err()));
            let tasks: Vec<_> = tasks.collect();
            let more = print::Beside { missing: &project.missing, tasks: &tasks, left: &project.left };
            ctx.out.data(print::project(host.name(), name, &shown, &more, view));
        }
        _ => shown.iter().for_each(|one| ctx.out.data(print::text(one, view))),
    }
}

fn say_ours(args: &AdoptArgs, ctx: &Context, host: &OnHost<'_, '_>) {
    let name = host.name();
    if args.compose.is_some() && host.compared.is_empty() && !host.ours.is_empty() {
        let number = host.ours.len();
        let all = if number == 1 { "the container".to_owned() } else { format!("all {number} containers") };
        ctx.out.say(format_args!("{all} of the project on host {name}: already managed by pillarbox"));
        return;
    }
    for container in &host.ours {
        ctx.out.say(format_args!("container {container} on host {name} is already managed by pillarbox"));
    }
}

fn say_adopted(args: &AdoptArgs, ctx: &Context, host: &OnHost<'_, '_>) {
    let names: Vec<&str> = host.compared.iter().map(Compared::name).collect();
    if args.compose.is_some() {
        let all = names.join(", ");
        ctx.out.say(format_args!("adopted on host {}, without a restart: {all}", host.name()));
        return;
    }
    for name in names {
        ctx.out.say(format_args!("adopted: container {name} on host {}", host.name()));
    }
}

/// Records on one host after another; answers the hosts where it was done, and what went wrong.
async fn record<'h>(pipeline: &Pipeline<'_>, busy: &[&'h OnHost<'_, '_>]) -> (Vec<&'h str>, Vec<Problem>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for host in busy {
        let all: Vec<_> = host.compared.iter().map(|one| (one.candidate.container, &one.adoption)).collect();
        let tasks: Vec<&RanBefore> = host.tasks.iter().filter_map(|ran| ran.found.as_ref().ok()).collect();
        match pipeline.adopt(host.seen, &all, &tasks).await {
            Ok(()) => done.push(host.name()),
            Err(problems) => failed.extend(problems.into_vec()),
        }
    }
    if let (Some(first), false) = (failed.first_mut(), done.is_empty()) {
        first.code = Code::Partial;
    }
    (done, failed)
}

/// Says how Compose is kept from what it made.
fn disarm<'h>(ctx: &Context, project: &str, hosts: impl Iterator<Item = &'h OnHost<'h, 'h>>) {
    let mut by_command: Vec<(String, Vec<&str>)> = Vec::new();
    for host in hosts {
        let Some(files) = host.files() else { continue };
        let moves = files.iter().map(|file| format!("mv {} {}", word(file), word(&format!("{file}.old"))));
        let command = moves.collect::<Vec<_>>().join(" && ");
        match by_command.iter_mut().find(|(other, _)| *other == command) {
            Some((_, names)) => names.push(host.name()),
            None => by_command.push((command, vec![host.name()])),
        }
    }
    if by_command.is_empty() {
        return;
    }
    ctx.out.say(format_args!(
        "Docker Compose still knows them: 'docker compose up' would recreate or start them, and 'down' remove them. \
         Move the file of {} away where it is run:",
        escaped(project)
    ));
    for (command, names) in by_command {
        let command = if command.is_empty() { "(their labels name no file)" } else { &command };
        ctx.out.say(format_args!("  {}: {command}", folded(&names)));
    }
}

/// As one word of a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// Containers that the next apply would replace, with what differs.
fn differing<'h>(host: &'h OnHost<'_, '_>) -> impl Iterator<Item = Problem> + 'h {
    let replaced = host.compared.iter().filter(|one| print::is_replaced(&one.after));
    replaced.map(|one| {
        let differ = one.adoption.fields.iter().filter(|field| !field.agrees);
        let names: Vec<&str> = differ.map(|field| field.name.as_str()).collect();
        let what = format!("the next apply would replace container {} on host {}", one.name(), host.name());
        Problem::failed(what)
            .cause(format!(
                "{} not what runs",
                match names.as_slice() {
                    [one] => format!("{} is", escaped(one)),
                    all => format!("{} are", escaped(&all.join(", "))),
                }
            ))
            .hint("make the Compose file say what runs, or adopt it --anyway; nothing was recorded")
    })
}

fn question(busy: &[&OnHost<'_, '_>]) -> String {
    let names: Vec<&str> = busy.iter().flat_map(|host| host.compared.iter().map(Compared::name)).collect();
    let hosts: Vec<&str> = busy.iter().map(|host| host.name()).collect();
    match (names.as_slice(), hosts.as_slice()) {
        ([name], [host]) => format!("Adopt container {name} on host {host}?"),
        (names, [host]) => format!("Adopt {} containers ({}) on host {host}?", names.len(), folded(names)),
        (names, hosts) => {
            format!("Adopt {} containers on {} hosts ({})?", names.len(), hosts.len(), folded(hosts))
        }
    }
}

impl Compared<'_> {
    fn name(&self) -> &str {
        &self.candidate.container.name
    }
}

impl OnHost<'_, '_> {
    fn name(&self) -> &str {
        self.seen.observed.host.as_str()
    }

    /// The files that Compose made its containers from; `None` where it made none of them.
    fn files(&self) -> Option<Vec<String>> {
        let containers = &self.seen.observed.containers;
        let made = containers.iter().filter(|one| self.names.contains(&one.name));
        let mut made = made.filter_map(|one| one.compose.as_ref()).peekable();
        made.peek()?;
        let mut files: Vec<String> = Vec::new();
        for file in made.flat_map(crate::observed::ComposeLabels::files) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        Some(files)
    }
}
