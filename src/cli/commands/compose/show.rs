//! `pillarbox compose show`.

use crate::cli::output::compose as output;
use crate::cli::{Context, Exit, Selection, on_engines};
use crate::desired::Desired;
use crate::inventory::{ComposeProject, FILE};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::{Declared, NewHosts, Pipeline, Vault, declared};
use serde_json::{Value, json};

/// Print projects of Docker Compose as they are deployed: files merged, variables filled in, secrets as `(sealed 9f2c)`
#[derive(clap::Args, Debug)]
#[command(after_help = "\
What is printed has the keys of a Compose file, so that it can be compared with `docker compose config`. A host
is asked only where a variable needs its facts. No private key is needed.

Examples:
  pillarbox compose show
  pillarbox compose show shop --host vm1 --json")]
pub(super) struct ComposeShowArgs {
    /// The project [default: all of them]
    #[arg(value_name = "NAME")]
    project: Option<String>,
    #[command(flatten)]
    selection: Selection,
}

pub(super) fn run(args: &ComposeShowArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let projects = projects(&vault, args.project.as_deref())?;
    let hosts = hosts(&vault, &projects, args, &args.selection.chosen(ctx, &vault)?.terms)?;
    let declared = declared(&vault, &hosts)?;
    let (compiled, wrong): (Vec<Desired>, _) = if declared.iter().all(|one| one.desired().is_some()) {
        (declared.into_iter().filter_map(Declared::into_desired).collect(), Vec::new())
    } else {
        on_engines(async |interrupt| {
            let connected = Pipeline::new(&vault, NewHosts::Ask, interrupt).connected(declared).await?;
            let wrong = connected.problems();
            Ok((connected.ready.into_iter().map(|one| one.desired).collect(), wrong))
        })?
    };
    let shown: Vec<Shown> =
        projects.into_iter().flat_map(|project| shown(&vault, project, &compiled)).collect();
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "projects": shown.iter().map(Shown::json).collect::<Vec<_>>(),
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        let texts: Vec<String> = shown.iter().map(Shown::text).collect();
        ctx.out.data(texts.join("\n"));
        for note in shown.iter().flat_map(|shown| &shown.notes) {
            ctx.out.say(format_args!("note: {}", escaped(note)));
        }
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

/// A project as some hosts get it.
struct Shown<'v> {
    project: &'v ComposeProject,
    hosts: Vec<String>,
    config: Value,
    notes: Vec<String>,
}

impl Shown<'_> {
    fn json(&self) -> Value {
        json!({
            "name": self.project.name,
            "hosts": self.hosts,
            "profiles": self.project.profiles,
            "config": self.config,
            "notes": self.notes,
        })
    }

    fn text(&self) -> String {
        format!("# {} on {}\n{}", self.project.name, self.hosts.join(", "), output::yaml(&self.config))
    }
}

/// Hosts that get the same stand together.
fn shown<'v>(vault: &'v Vault<'_>, project: &'v ComposeProject, compiled: &[Desired]) -> Vec<Shown<'v>> {
    let mut all: Vec<Shown> = Vec::new();
    for desired in compiled.iter().filter(|desired| is_on(vault, project, desired)) {
        let config = output::config(desired, &project.name);
        let host = desired.host.to_string();
        match all.iter_mut().find(|shown| shown.config == config) {
            Some(shown) => shown.hosts.push(host),
            None => {
                all.push(Shown { project, hosts: vec![host], config, notes: desired.notes.clone() });
            }
        }
    }
    all
}

fn is_on(vault: &Vault<'_>, project: &ComposeProject, desired: &Desired) -> bool {
    let inventory = vault.inventory();
    let host = inventory.hosts.values().find(|host| host.name == desired.host);
    host.is_some_and(|host| inventory.compose_of(host).iter().any(|on| on.name == project.name))
}

fn projects<'v>(vault: &'v Vault<'_>, named: Option<&str>) -> Result<Vec<&'v ComposeProject>> {
    let all = &vault.inventory().compose;
    match named {
        Some(name) => match all.get(name) {
            Some(project) => Ok(vec![project]),
            None => Err(Problem::failed(format!("there is no [compose.{}]", escaped(name)))
                .nearest(name, all.keys().map(String::as_str))
                .hint("add it: pillarbox compose add compose.yaml")
                .into()),
        },
        None if all.is_empty() => Err(Problem::failed(format!("{FILE} names no project of Compose"))
            .hint("add one: pillarbox compose add compose.yaml")
            .into()),
        None => Ok(all.values().collect()),
    }
}

/// The hosts that the terms choose, of those that have one of the projects.
fn hosts(
    vault: &Vault<'_>,
    projects: &[&ComposeProject],
    args: &ComposeShowArgs,
    terms: &[String],
) -> Result<Vec<String>> {
    let inventory = vault.inventory();
    let has = |host: &&crate::inventory::Host| {
        let on = inventory.compose_of(host);
        on.iter().any(|on| projects.iter().any(|project| project.name == on.name))
    };
    let chosen = inventory.select(terms)?;
    let found: Vec<String> = chosen.into_iter().filter(has).map(|host| host.name.to_string()).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = projects.iter().map(|project| project.name.as_str()).collect();
    let which = if args.selection.is_all() { "no host" } else { "none of these hosts" };
    let mut problem = Problem::failed(format!("{which} has the project {}", names.join(" or ")));
    if let Some(project) = projects.first() {
        problem = problem.at(&project.place);
    }
    let first = names.first().copied().unwrap_or_default();
    Err(problem.hint(format!("name it at a host or group of {FILE}: compose = [\"{first}\"]")).into())
}
