//! `pillarbox adopt`.

use crate::cli::output::adopt as print;
use crate::cli::output::plan::View;
use crate::cli::{Context, Exit};
use crate::cli::{NewHostsArgs, on_engines};
use crate::plan::HostPlan;
use crate::planner::adopt::{Adoption, Candidate, Found};
use crate::problem::{Problem, Result, escaped};
use crate::session::{Observation, Pipeline, PlanOptions, Registries, Vault, declared};
use serde_json::json;

/// Take over a container that somebody else made, without a restart
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox adopt web --host web1
  pillarbox adopt api-2 --host web1 -y

The container keeps running. What a state declares for its name is compared with it field by field; what
differs, and what the next apply does about it, is shown before anything is recorded. The record is a
volume on the host that names the container by its id; to take it back, remove that volume.")]
pub(in crate::cli) struct AdoptArgs {
    /// Name of the container, as on the host and in the states
    name: String,
    /// The host that it is on
    #[arg(long, value_name = "HOST")]
    host: String,
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
}

pub(in crate::cli) fn run(args: &AdoptArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let declared = declared(&vault, std::slice::from_ref(&args.host))?;
    if declared.len() > 1 {
        let what = format!("`--host {}` matches several hosts", escaped(&args.host));
        return Err(Problem::usage(what).hint("a container is adopted on one host at a time").into());
    }
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(&vault, args.new_hosts.beside(args.yes), interrupt);
        let seen = pipeline.observe(declared, Registries::Asked).await?.all()?;
        let Some(seen) = seen.first() else {
            return Err(Problem::failed("no host was read").into());
        };
        let candidate = match Candidate::find(&seen.desired, &seen.observed, &args.name)? {
            Found::Candidate(candidate) => candidate,
            Found::Ours(container) => {
                let object = json!({
                    "format_version": crate::plan::FORMAT_VERSION,
                    "workspace": vault.name(),
                    "host": seen.observed.host,
                    "container": container.name,
                    "id": container.id,
                    "recorded": false,
                });
                say(ctx, &object);
                ctx.out.say(format_args!(
                    "container {} on host {} is ours already",
                    container.name, seen.observed.host
                ));
                return Ok(Exit::Done);
            }
        };
        let adoption = pipeline.compare(seen, &candidate).await?;
        let after = candidate.plan_after(&adoption, &seen.options(&PlanOptions::default()))?;
        if !ctx.out.json {
            let what = print::Shown {
                host: &seen.observed.host,
                candidate: &candidate,
                adoption: &adoption,
                after: &after,
            };
            ctx.out.data(print::text(&what, View::of(&ctx.out)));
        }
        if !args.yes {
            let question = format!("Adopt container {} on host {}?", args.name, seen.observed.host);
            ctx.session.operator.confirm(&question, interrupt).await?;
        }
        pipeline.adopt(seen, candidate.container, &adoption).await?;
        say(ctx, &object(&vault, seen, &candidate, &adoption, &after));
        ctx.out.say(format_args!("adopted: container {} on host {}", args.name, seen.observed.host));
        Ok(Exit::Done)
    })
}

fn say(ctx: &Context, object: &serde_json::Value) {
    if ctx.out.json {
        ctx.out.object(object);
    }
}

fn object(
    vault: &Vault<'_>,
    seen: &Observation<'_>,
    candidate: &Candidate<'_>,
    adoption: &Adoption,
    after: &HostPlan,
) -> serde_json::Value {
    let fields = adoption.fields.iter().map(|field| {
        json!({
            "field": field.name,
            "declared": field.declared,
            "at": field.place.as_ref().map(ToString::to_string),
            "agrees": field.agrees,
        })
    });
    json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "workspace": vault.name(),
        "host": seen.observed.host,
        "container": candidate.container.name,
        "id": candidate.container.id,
        "recorded": true,
        "volume": adoption.record.volume,
        "agrees": adoption.agrees(),
        "fields": fields.collect::<Vec<_>>(),
        "managed_by": candidate.managed_by(),
        "then": after.changes,
    })
}
