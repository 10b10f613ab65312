//! `pillarbox history`.

use crate::cli::output::history::{HostHistory, Left, text};
use crate::cli::{Context, Exit};
use crate::cli::{Selection, on_engines};
use crate::desired::{Desired, DesiredState};
use crate::history::{Wanted, generations};
use crate::observed::Observed;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::{NewHosts, Pipeline, Registries, Vault, declared};
use serde_json::json;
use std::collections::BTreeSet;

/// Show the generations of a service on each host, and which of them a rollback can use
///
/// No registry is asked and no key is needed.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct HistoryArgs {
    /// Name of the service
    service: String,
    #[command(flatten)]
    selection: Selection,
}

pub(in crate::cli) fn run(args: &HistoryArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let declared = declared(&vault, &args.selection.host)?;
    let (hosts, wrong) = on_engines(async |interrupt| {
        let seen =
            Pipeline::new(&vault, NewHosts::Ask, interrupt).observe(declared, Registries::NotAsked).await?;
        let wrong = seen.problems();
        let known: BTreeSet<String> =
            seen.ready.iter().flat_map(|one| services(&one.desired, &one.observed)).collect();
        let left = seen.ready.iter().filter_map(|one| {
            let left = Left {
                host: one.observed.host.clone(),
                generations: generations(&one.observed, vault.owner(), &args.service),
                wanted: Wanted::of(&one.desired, &args.service),
            };
            let declared = services(&one.desired, &one.observed).contains(&args.service);
            (declared || !left.generations.is_empty()).then_some(left)
        });
        let left: Vec<Left> = left.collect();
        if left.is_empty() && wrong.is_empty() {
            return Err(unknown(&args.service, &known).into());
        }
        Ok((HostHistory::of(&left), wrong))
    })?;
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "service": args.service,
            "hosts": hosts,
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        ctx.out.data(text(&args.service, &hosts, ctx.out.width()));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

/// Services that are declared or there.
pub(super) fn services(desired: &Desired, observed: &Observed) -> BTreeSet<String> {
    let declared = desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) => Some(want.service().to_string()),
        _ => None,
    });
    let there = observed.containers.iter().filter_map(|one| one.ours.as_ref());
    declared.chain(there.map(|ours| ours.service.clone())).collect()
}

/// No host has it.
pub(super) fn unknown(service: &str, known: &BTreeSet<String>) -> Problem {
    let problem = Problem::usage(format!("no host has a service `{}`", escaped(service)))
        .nearest(service, known.iter().map(String::as_str));
    let names: Vec<String> = known.iter().map(|name| escaped(name)).collect();
    match names.as_slice() {
        [] => problem,
        [one] => problem.hint(format!("the only one is {one}")),
        _ => problem.hint(format!("there are {}", names.join(", "))),
    }
}
