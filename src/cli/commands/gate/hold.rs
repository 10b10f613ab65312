//! `pillarbox gate hold` and `unhold`.

use super::write::{effective_everywhere, field, tidy};
use super::{Where, in_words, key};
use crate::cli::{Context, Exit};
use crate::inventory::Host;
use crate::pillar::document::Written;
use crate::pillar::gate::Gate;
use crate::problem::{Problem, Result, escaped, quoted};
use crate::session::Vault;

/// Hold back every change to what the gate controls
#[derive(clap::Args, Debug)]
pub(super) struct HoldArgs {
    /// Name of the gate
    app: String,
    /// The reason, shown in every plan
    #[arg(short = 'm', long = "message", value_name = "WHY")]
    why: String,
    #[command(flatten)]
    place: Where,
}

/// Let changes through again
#[derive(clap::Args, Debug)]
pub(super) struct UnholdArgs {
    /// Name of the gate
    app: String,
    #[command(flatten)]
    place: Where,
}

pub(super) fn hold(args: &HoldArgs, ctx: &Context) -> Result<Exit> {
    let why = args.why.trim();
    if why.is_empty() {
        return Err(Problem::usage("a hold needs a reason").hint("give one: -m 'error rate went up'").into());
    }
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let files = args.place.files(&vault, &args.app, "gate hold", false)?;
    for file in &files {
        vault.edit(file, |document| field(document, &args.app, "hold", Some(why)))?;
    }
    vault.commit()?;
    ctx.out.say(format_args!("{} is held in {}", escaped(&args.app), in_words(&files)));
    Ok(Exit::Done)
}

pub(super) fn unhold(args: &UnholdArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let files = args.place.files(&vault, &args.app, "gate unhold", false)?;
    let was: Vec<(&Host, Gate)> = effective_everywhere(&vault, &args.app)?;
    let was: Vec<(String, bool)> =
        was.into_iter().map(|(host, gate)| (super::own_file(host), gate.hold.is_some())).collect();
    let held = key(&args.app, Some("hold"))?;
    for file in &files {
        vault.edit(file, |document| field(document, &args.app, "hold", None))?;
        tidy(&mut vault, file, &args.app)?;
    }
    // What holds a host is in another file: only a value of its own lets it go.
    let still: Vec<String> = effective_everywhere(&vault, &args.app)?
        .into_iter()
        .filter(|(_, gate)| gate.hold.is_some())
        .map(|(host, _)| super::own_file(host))
        .collect();
    for file in files.iter().filter(|file| still.contains(file)) {
        vault.edit(file, |document| document.set(&held, Written::Toml("false")))?;
    }
    if !vault.is_changed() || was.iter().all(|(_, held)| !held) && !was.is_empty() {
        ctx.out.say(format_args!("{} is not held", escaped(&args.app)));
        return Ok(Exit::Done);
    }
    let left: Vec<String> = effective_everywhere(&vault, &args.app)?
        .into_iter()
        .filter(|(_, gate)| gate.hold.is_some())
        .map(|(host, _)| host.name.to_string())
        .collect();
    vault.commit()?;
    ctx.out.say(format_args!("{} is not held any more in {}", escaped(&args.app), in_words(&files)));
    for host in left {
        let command = format!("pillarbox gate unhold {} --host {host}", quoted(&args.app));
        ctx.out.say(format_args!("{host} is still held; to release it: {command}"));
    }
    Ok(Exit::Done)
}
