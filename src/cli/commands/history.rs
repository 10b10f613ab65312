//! `pillarbox history`.

use crate::cli::output::history::{HostHistory, Left, text};
use crate::cli::output::{Level, runs as output};
use crate::cli::{Context, Exit};
use crate::cli::{Selection, on_engines};
use crate::history::{Wanted, generations};
use crate::problem::{Problems, Result};
use crate::record;
use crate::session::{
    NewHosts, Pipeline, Registries, Services, Vault, declared, recorded_run, recorded_runs,
};
use serde_json::json;

/// Show what was done: the runs on this machine, one of them, or the generations of a service
///
/// Of a service the generations on each host are shown, and which of them a rollback can use; no registry is asked and no
/// key is needed. Runs are read from their records on this machine, and no host is asked.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox history             # the runs that were started on this machine
  pillarbox history 7c1e9a      # one of them: which host ended how
  pillarbox history nginx       # generations of a service")]
pub(in crate::cli) struct HistoryArgs {
    /// Name of a service, of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so; or the id of a run
    /// [default: all runs]
    #[arg(value_name = "SERVICE|RUN")]
    service: Option<String>,
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &HistoryArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let Some(service) = &args.service else { return runs(ctx, &vault) };
    if record::is_id(service) && recorded_runs(&vault)?.iter().any(|run| run.record.begin.run == *service) {
        return one_run(ctx, &vault, service);
    }
    of_service(args, service, ctx, &vault)
}

fn runs(ctx: &Context, vault: &Vault<'_>) -> Result<Exit> {
    let runs = recorded_runs(vault)?;
    if ctx.out.json {
        let runs: Vec<serde_json::Value> = runs.iter().map(output::json).collect();
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "runs": runs,
        }));
    } else if runs.is_empty() {
        ctx.out.say("no run of this workspace is recorded on this machine");
    } else {
        ctx.out.data(output::list(&runs, ctx.out.width(), ctx.out.level == Level::Verbose));
    }
    Ok(Exit::Done)
}

fn one_run(ctx: &Context, vault: &Vault<'_>, id: &str) -> Result<Exit> {
    let run = recorded_run(vault, id)?;
    if ctx.out.json {
        let mut object = output::json(&run);
        object["format_version"] = json!(crate::plan::FORMAT_VERSION);
        ctx.out.object(&object);
    } else {
        ctx.out.data(output::one(&run));
    }
    Ok(Exit::Done)
}

fn of_service(args: &HistoryArgs, name: &str, ctx: &Context, vault: &Vault<'_>) -> Result<Exit> {
    let chosen = args.selection.chosen(ctx, vault)?;
    chosen.say_paused(ctx);
    let declared = declared(vault, &chosen.terms)?;
    let (service, hosts, wrong) = on_engines(async |interrupt| {
        let seen =
            Pipeline::new(vault, NewHosts::Ask, interrupt).observe(declared, Registries::NotAsked).await?;
        let wrong = seen.problems();
        let mut services = Services::new(vault);
        for one in &seen.ready {
            services.declare(&one.desired);
            services.observe(&one.observed);
        }
        // A host that could not be read may be the one that has it.
        let service = match services.name(name) {
            Err(problems) if wrong.is_empty() => return Err(problems),
            found => found.unwrap_or_else(|_| name.to_owned()),
        };
        let left = seen.ready.iter().filter_map(|one| {
            let left = Left {
                host: one.observed.host.clone(),
                generations: generations(&one.observed, vault.owner(), &service),
                wanted: Wanted::of(&one.desired, &service),
            };
            let mut here = Services::new(vault);
            here.declare(&one.desired);
            (here.has(&service) || !left.generations.is_empty()).then_some(left)
        });
        let left: Vec<Left> = left.collect();
        Ok((service, HostHistory::of(&left), wrong))
    })?;
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "service": service,
            "hosts": hosts,
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        ctx.out.data(text(&service, &hosts, ctx.out.width()));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}
