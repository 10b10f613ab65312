//! `pillarbox compile`.

use crate::cli::deploy::{self, Selection};
use crate::cli::output::desired;
use crate::cli::vault::{self, Vault};
use crate::cli::{Context, Exit};
use crate::problem::{Problems, Result};
use serde_json::json;

/// Print the desired state of hosts as JSON; a host is asked only where a state needs its facts
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pillarbox compile --host web1")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &Args, ctx: &Context) -> Result<Exit> {
    let workspace = vault::workspace(ctx)?;
    let vault = Vault::load(ctx, &workspace)?;
    let wishes = deploy::wishes(&vault, &args.selection.host)?;
    let (compiled, wrong) = if wishes.iter().all(|wished| wished.desired.is_some()) {
        (wishes.into_iter().filter_map(|wished| wished.desired).collect(), Vec::new())
    } else {
        deploy::run(async |interrupt| {
            let compiling = async { Ok(deploy::compile(ctx, &vault, wishes).await) };
            deploy::unless_interrupted(interrupt, compiling).await
        })?
    };
    let object = json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "workspace": vault.name(),
        "hosts": compiled.iter().map(desired::json).collect::<Vec<_>>(),
    });
    if wrong.is_empty() || !ctx.out.json {
        ctx.out.object(&object);
    } else {
        ctx.out.object_beside_error(object);
    }
    Problems::check(wrong).map(|()| Exit::Done)
}
