//! `pillarbox history`.

use crate::cli::output::history::{HostHistory, Left, text};
use crate::cli::{Context, Exit};
use crate::cli::{Selection, on_engines};
use crate::history::{Wanted, generations};
use crate::problem::{Problems, Result};
use crate::session::{NewHosts, Pipeline, Registries, Services, Vault, declared};
use serde_json::json;

/// Show the generations of a service on each host, and which of them a rollback can use
///
/// No registry is asked and no key is needed.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct HistoryArgs {
    /// Name of the service; of a Compose project PROJECT.SERVICE, or SERVICE where only one is called so
    service: String,
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &HistoryArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    chosen.say_paused(ctx);
    let declared = declared(&vault, &chosen.terms)?;
    let (service, hosts, wrong) = on_engines(async |interrupt| {
        let seen =
            Pipeline::new(&vault, NewHosts::Ask, interrupt).observe(declared, Registries::NotAsked).await?;
        let wrong = seen.problems();
        let mut services = Services::new(&vault);
        for one in &seen.ready {
            services.declare(&one.desired);
            services.observe(&one.observed);
        }
        // A host that could not be read may be the one that has it.
        let service = match services.name(&args.service) {
            Err(problems) if wrong.is_empty() => return Err(problems),
            found => found.unwrap_or_else(|_| args.service.clone()),
        };
        let left = seen.ready.iter().filter_map(|one| {
            let left = Left {
                host: one.observed.host.clone(),
                generations: generations(&one.observed, vault.owner(), &service),
                wanted: Wanted::of(&one.desired, &service),
            };
            let mut here = Services::new(&vault);
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
