//! `pillarbox compile`.

use crate::cli::output::desired;
use crate::cli::{Context, Exit};
use crate::cli::{Selection, on_engines};
use crate::desired::Desired;
use crate::problem::{Problems, Result};
use crate::session::{Declared, NewHosts, Pipeline, Vault, declared_for};
use serde_json::json;

/// Print the desired state of hosts as JSON; a host is asked only where a state needs its facts
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pillarbox compile --host web1")]
pub(in crate::cli) struct CompileArgs {
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &CompileArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    let hosts = vault.inventory().select(&chosen.terms)?;
    let mut declared = declared_for(&vault, hosts)?;
    if declared.iter().any(|one| one.desired().is_none()) {
        // These hosts are asked, so none that is paused.
        chosen.say_paused(ctx);
        declared.retain(|one| one.host.paused.is_none());
    }
    let (compiled, wrong): (Vec<Desired>, _) = if declared.iter().all(|one| one.desired().is_some()) {
        (declared.into_iter().filter_map(Declared::into_desired).collect(), Vec::new())
    } else {
        on_engines(async |interrupt| {
            let connected = Pipeline::new(&vault, NewHosts::Ask, interrupt).connected(declared).await?;
            let wrong = connected.problems();
            Ok((connected.ready.into_iter().map(|one| one.desired).collect(), wrong))
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
