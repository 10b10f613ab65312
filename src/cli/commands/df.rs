//! `pillarbox df`.

use crate::cli::output::disk::{HostDisk, text};
use crate::cli::{Context, Exit, Selection, on_engines};
use crate::problem::{Problems, Result};
use crate::session::{NewHosts, Pipeline, Vault, declared};
use serde_json::json;

/// Show what takes room on the disks of hosts, and what `clean` would remove
///
/// Sizes are those that each Engine tells. It counts its volumes for that, which may take a while.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  pillarbox df --host 'web*'")]
pub(in crate::cli) struct DfArgs {
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &DfArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    chosen.say_paused(ctx);
    let declared = declared(&vault, &chosen.terms)?;
    let (hosts, wrong) = on_engines(async |interrupt| {
        let found = Pipeline::new(&vault, NewHosts::Ask, interrupt).disks(declared).await?;
        let hosts: Vec<HostDisk> = found.ready.iter().map(HostDisk::of).collect();
        Ok((hosts, found.problems()))
    })?;
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "hosts": hosts,
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        ctx.out.data(text(&hosts));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}
