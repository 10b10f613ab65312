//! `pillarbox lock`.

use crate::cli::output::locks as print;
use crate::cli::{Context, Exit, Selection, on_engines};
use crate::inventory::Host;
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::session::{HostHolder, NewHosts, Pipeline, Vault, all_paused};
use serde_json::json;

/// Who holds the locks of hosts: list them, break one that was left behind
///
/// A command that changes a host holds its lock, renews it, and gives it back. A lock that is not renewed, because its
/// holder crashed or lost its link, ends by itself within three minutes.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
}

#[derive(clap::Subcommand, Debug)]
enum LockCommand {
    /// List the hosts that are locked, by whom, since when, and when that ends if it is not renewed
    List {
        #[command(flatten)]
        selection: Selection,
    },
    /// Break the lock of a host: the run that holds it changes nothing more there, and stops at its next step
    #[command(after_help = "\
Examples:
  pillarbox lock break web1        # shows who holds it, and asks for the host's name
  pillarbox lock break web1 -y")]
    Break {
        /// Name of the host
        host: String,
        /// Do not ask; needed where there is no terminal
        #[arg(short, long)]
        yes: bool,
    },
}

pub(in crate::cli) fn run(args: &LockArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    match &args.command {
        LockCommand::List { selection } => list(ctx, &vault, selection),
        LockCommand::Break { host, yes } => break_one(ctx, &vault, host, *yes),
    }
}

fn list(ctx: &Context, vault: &Vault<'_>, selection: &Selection) -> Result<Exit> {
    let chosen = selection.chosen(ctx, vault)?;
    chosen.say_paused(ctx);
    let mut hosts = vault.inventory().select(&chosen.terms)?;
    hosts.retain(|host| host.paused.is_none());
    let (all, found) = (hosts.len(), holders(vault, hosts)?);
    let wrong = found.problems();
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "workspace": vault.name(),
            "hosts": found.ready.iter().map(print::object).collect::<Vec<_>>(),
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        ctx.out.data(print::text(&found.ready, ctx.out.width()));
        let locked = found.ready.iter().filter(|one| one.holder.is_some()).count();
        ctx.out.say(format_args!("{locked} of {all} {} locked", if all == 1 { "host" } else { "hosts" }));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

fn holders(vault: &Vault<'_>, hosts: Vec<&Host>) -> Result<crate::session::Hosts<HostHolder>> {
    on_engines(async |interrupt| Pipeline::new(vault, NewHosts::Ask, interrupt).lock_holders(hosts).await)
}

fn break_one(ctx: &Context, vault: &Vault<'_>, name: &str, yes: bool) -> Result<Exit> {
    let Some(host) = vault.inventory().hosts.values().find(|host| host.name.as_str() == name) else {
        let names = vault.inventory().hosts.keys().map(crate::name::HostName::as_str);
        return Err(Problem::usage(format!("there is no host `{}`", escaped(name)))
            .nearest(name, names)
            .into());
    };
    if host.paused.is_some() {
        return Err(all_paused(&[host]).into());
    }
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(vault, NewHosts::Ask, interrupt);
        let found = pipeline.lock_holders(vec![host]).await?.all()?;
        let Some((found, holder)) = found.first().and_then(|one| Some((one, one.holder.as_ref()?))) else {
            ctx.out.say(format_args!("host {name} is not locked"));
            return Ok(Exit::Done);
        };
        if !yes {
            let question = format!(
                "Host {name} is locked: {}. It stops at its next step if the lock is broken",
                print::in_words(holder)
            );
            let hint = format!("pillarbox lock break {} -y", quoted(name));
            ctx.console.confirm_name(&question, name, &hint, interrupt).await?;
        }
        let holder_then = print::in_words(holder);
        match pipeline.break_lock(found, holder).await? {
            true => ctx.out.say(format_args!("the lock of host {name} is broken: {holder_then}")),
            false => ctx.out.say(format_args!("host {name} is not locked by that run any more")),
        }
        Ok(Exit::Done)
    })
}
