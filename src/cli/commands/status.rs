//! `pillarbox status`.

use crate::cli::output::prometheus;
use crate::cli::output::status::{HostStatus, text, usage};
use crate::cli::output::{Level, status::Verdict};
use crate::cli::{Context, Exit};
use crate::cli::{Selection, on_engines};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::session::{
    NewHosts, Pipeline, PlanOptions, Registries, Usages, Vault, declared, told, unless_interrupted,
};
use crate::store;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Show what runs where: version, generation, health, and what an apply would change
///
/// No registry is asked and no key is needed. With -v what is kept for a rollback is shown, too.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox status --exit-code                  # for monitoring
  pillarbox ps --stats --host 'web*'            # processor, memory and network now
  pillarbox status --prometheus=/var/lib/prometheus/node-exporter/shop.prom")]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    selection: Selection,
    /// Exit with 3 if something that is wanted does not run, else with 2 if an apply would change something
    #[arg(long)]
    exit_code: bool,
    /// Write metrics for Prometheus instead, to a file for its node exporter or to standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    prometheus: Option<PathBuf>,
    /// Processor, memory and network of each container at this moment; takes about two seconds
    #[arg(long, conflicts_with = "prometheus")]
    stats: bool,
}

pub(in crate::cli) fn run(args: &StatusArgs, ctx: &Context) -> Result<Exit> {
    if ctx.out.json && args.prometheus.as_deref() == Some(Path::new("-")) {
        let what = "`--prometheus` and `--json` both want standard output";
        return Err(Problem::new(Code::Usage, what).hint("give it a file: --prometheus=FILE").into());
    }
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    chosen.say_paused(ctx);
    let declared = declared(&vault, &chosen.terms)?;
    let (hosts, unread, wrong) = on_engines(async |interrupt| {
        let seen =
            Pipeline::new(&vault, NewHosts::Ask, interrupt).observe(declared, Registries::NotAsked).await?;
        let told = told(&seen.ready, &PlanOptions::default());
        let hosts = seen.ready.iter().zip(&told).map(|(one, told)| {
            HostStatus::of(&one.observed, &one.desired, one.host.engine.to_string(), told)
        });
        let mut hosts: Vec<HostStatus> = hosts.collect();
        let mut wrong = seen.problems();
        if args.stats {
            let reading = async { Ok(Usages::of_all(&seen.ready).await) };
            let usages = unless_interrupted(interrupt, reading).await?;
            hosts = hosts.into_iter().zip(&usages).map(|(host, usages)| host.with(usages)).collect();
            wrong.extend(usages.into_iter().flat_map(|usages| usages.problems));
        }
        let unread: Vec<String> = seen.failed.iter().map(|failed| failed.host.to_string()).collect();
        Ok((hosts, unread, wrong))
    })?;
    if let Some(file) = &args.prometheus {
        let metrics = prometheus::text(vault.name().as_str(), &hosts, &unread);
        if file == Path::new("-") {
            ctx.out.bytes(metrics.as_bytes());
        } else {
            store::write_public(&ctx.session.absolute(file), metrics.as_bytes())?;
            ctx.out.say(format_args!("written: {}", escaped(&file.display().to_string())));
        }
    }
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "hosts": hosts,
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else if args.stats {
        ctx.out.data(usage::text(&hosts, ctx.out.width()));
    } else if args.prometheus.is_none() {
        ctx.out.data(text(&hosts, ctx.out.width(), ctx.out.level == Level::Verbose));
    }
    Problems::check(wrong)?;
    Ok(match hosts.iter().map(HostStatus::verdict).max() {
        _ if !args.exit_code => Exit::Done,
        None | Some(Verdict::AsWanted) => Exit::Done,
        Some(Verdict::Pending) => Exit::Changes,
        Some(Verdict::Down) => Exit::Partial,
    })
}
