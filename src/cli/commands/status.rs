//! `pillarbox status`.

use crate::cli::deploy::{self, PlanOptions, Selection, Survey};
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
    let survey = Survey { options: PlanOptions::default(), offline: true, yes: false };
    let (hosts, wrong) = deploy::run(async |interrupt| {
        let looking = async { Ok(deploy::look(ctx, &vault, wishes, &survey, interrupt).await) };
        let (seen, wrong) = deploy::unless_interrupted(interrupt, looking).await?;
        let parts = deploy::parts(&seen).unwrap_or_else(|_| vec![BTreeMap::new(); seen.len()]);
        let hosts: Vec<HostStatus> = seen
            .iter()
            .zip(parts)
            .map(|(one, parts)| {
                let plan = one.plan(&survey.options, parts);
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
        if wrong.is_empty() {
            ctx.out.object(&object);
        } else {
            ctx.out.object_beside_error(object);
        }
    } else {
        ctx.out.data(text(&hosts, ctx.out.width(), ctx.out.level == Level::Verbose));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}
