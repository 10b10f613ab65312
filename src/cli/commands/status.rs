//! `pillarbox status`.

use crate::cli::deploy::{self, NewHosts, PlanOptions, Selection};
use crate::cli::output::Level;
use crate::cli::output::status::{HostStatus, text};
use crate::cli::vault::{self, Vault};
use crate::cli::{Context, Exit};
use crate::problem::{Problem, Problems, Result};
use serde_json::json;
use std::collections::BTreeMap;

/// Show what runs where: version, generation, health, and what an apply would change
///
/// No registry is asked and no key is needed. With -v what is kept for a rollback is shown, too.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &Args, ctx: &Context) -> Result<Exit> {
    let workspace = vault::workspace(ctx)?;
    let vault = Vault::load(ctx, &workspace)?;
    let wishes = deploy::wishes(&vault, &args.selection.host)?;
    let (hosts, wrong) = deploy::run(async |interrupt| {
        let (seen, wrong) = deploy::look_offline(ctx, &vault, wishes, NewHosts::Ask, interrupt).await?;
        let parts = deploy::parts(&seen).unwrap_or_else(|_| vec![BTreeMap::new(); seen.len()]);
        let hosts: Vec<HostStatus> = seen
            .iter()
            .zip(parts)
            .map(|(one, parts)| {
                let plan = one.plan(&PlanOptions::default(), parts);
                let untold = |problem: &Problem| format!("what an apply would do cannot be told: {problem}");
                let notes = plan.as_ref().err().into_iter().flat_map(Problems::iter).map(untold).collect();
                HostStatus::of(&one.observed, one.wished.host.engine.to_string(), plan.as_ref().ok(), notes)
            })
            .collect();
        Ok((hosts, wrong))
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
