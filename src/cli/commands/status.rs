//! `pillarbox status`.

use crate::cli::output::Level;
use crate::cli::output::status::{HostStatus, text};
use crate::cli::{Context, Exit};
use crate::cli::{Selection, on_engines};
use crate::problem::{Problem, Problems, Result};
use crate::session::{NewHosts, Pipeline, PlanOptions, Registries, Vault, declared, plans};
use serde_json::json;

/// Show what runs where: version, generation, health, and what an apply would change
///
/// No registry is asked and no key is needed. With -v what is kept for a rollback is shown, too.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &StatusArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let declared = declared(&vault, &args.selection.host)?;
    let (hosts, wrong) = on_engines(async |interrupt| {
        let seen =
            Pipeline::new(&vault, NewHosts::Ask, interrupt).observe(declared, Registries::NotAsked).await?;
        let hosts: Vec<HostStatus> = seen
            .ready
            .iter()
            .zip(plans(&seen.ready, &PlanOptions::default()))
            .map(|(one, plan)| {
                let untold = |problem: &Problem| format!("what an apply would do cannot be told: {problem}");
                let notes = plan.as_ref().err().into_iter().flat_map(Problems::iter).map(untold).collect();
                HostStatus::of(&one.observed, one.host.engine.to_string(), plan.as_ref().ok(), notes)
            })
            .collect();
        Ok((hosts, seen.problems()))
    })?;
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "hosts": hosts,
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        ctx.out.data(text(&hosts, ctx.out.width(), ctx.out.level == Level::Verbose));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}
