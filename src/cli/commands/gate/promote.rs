//! `pillarbox gate promote APP --from HOST`: what a canary runs becomes what all run.

use super::write::{effective, effective_everywhere, field, tidy};
use super::{in_words, key, own_file, shared};
use crate::cli::target;
use crate::cli::{Context, Exit};
use crate::inventory::Host;
use crate::name::folded;
use crate::pillar::document::Document;
use crate::pillar::gate::Gate;
use crate::problem::{Problem, Result, escaped, quoted};
use crate::session::Vault;

/// Give all hosts what one host has, and take values away from hosts that are equal now
#[derive(clap::Args, Debug)]
pub(super) struct GatePromoteArgs {
    /// Name of the gate
    app: String,
    /// The host whose version is taken
    #[arg(long, value_name = "HOST")]
    from: String,
    /// File below pillar/ [default: the one that has the gate]
    #[arg(id = "in", long, value_name = "FILE")]
    file: Option<String>,
}

/// What is promoted; a hold and a constraint stay where they are.
const FIELDS: [&str; 3] = ["image", "version", "digest"];

pub(super) fn run(args: &GatePromoteArgs, ctx: &Context) -> Result<Exit> {
    let app = args.app.as_str();
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let from = target::host(&vault, &args.from)?;
    let own = own_file(from);
    let has_own = |field: &str| {
        let key = key(app, Some(field)).ok();
        key.is_some_and(|key| vault.document(&own).is_some_and(|document| document.get(&key).is_some()))
    };
    let Some(gate) = effective(&vault, from, app)?.filter(|_| FIELDS.iter().any(|field| has_own(field)))
    else {
        return Err(Problem::failed(format!(
            "host {} has no version of {} of its own",
            from.name,
            escaped(app)
        ))
        .hint(format!("see which there are: pillarbox gate list {}", quoted(app)))
        .into());
    };
    let file = shared(&vault, app, args.file.as_deref(), "gate promote", false)?;
    let image = has_own("image").then(|| gate.image.as_ref().map(|said| said.value.to_string())).flatten();
    vault.edit(&file, |document| {
        if let Some(image) = &image {
            field(document, app, "image", Some(image))?;
        }
        field(document, app, "version", gate.version.as_ref().map(|said| said.value.as_str()))?;
        field(document, app, "digest", gate.digest.as_ref().map(|said| said.value.as_str()))
    })?;
    let hosts: Vec<&Host> = workspace.inventory().hosts.values().collect();
    let mut freed = Vec::new();
    for host in hosts {
        if without_own(&mut vault, host, app)? {
            freed.push(host.name.to_string());
        }
    }
    // What is allowed must be so everywhere now.
    let everywhere = effective_everywhere(&vault, app)?;
    let differ = |other: &Gate| {
        let said = |gate: &Gate| {
            (gate.version.as_ref().map(|s| s.value.clone()), gate.digest.as_ref().map(|s| s.value.clone()))
        };
        said(other) != said(&gate)
    };
    let rest: Vec<String> =
        everywhere.iter().filter(|(_, other)| differ(other)).map(|(host, _)| host.name.to_string()).collect();
    vault.commit()?;
    let version = gate.version.as_ref().map_or("its digest", |said| said.value.as_str());
    ctx.out.say(format_args!("{} is {} in {}", escaped(app), escaped(version), in_words(&[file])));
    if !freed.is_empty() {
        ctx.out.say(format_args!("no values of their own any more: {}", folded(&freed)));
    }
    if !rest.is_empty() {
        ctx.out.say(format_args!("something else is named for {}", folded(&rest)));
    }
    Ok(Exit::Done)
}

/// Takes the values of a host's own file away where all stays as it is without them.
fn without_own(vault: &mut Vault<'_>, host: &Host, app: &str) -> Result<bool> {
    let file = own_file(host);
    let Some(before) = vault.document(&file).cloned() else { return Ok(false) };
    let has = |field: &&&str| key(app, Some(field)).is_ok_and(|key| before.get(&key).is_some());
    if FIELDS.iter().filter(has).count() == 0 {
        return Ok(false);
    }
    let named = |gate: Option<Gate>| gate.map(|gate| gate.reference().map(|image| image.to_string()).ok());
    let now = named(effective(vault, host, app)?);
    vault.edit(&file, |document| FIELDS.iter().try_for_each(|name| field(document, app, name, None)))?;
    // A gate may be torn without the one or the other: then it is not the same.
    if effective(vault, host, app).ok().map(named) == Some(now) {
        tidy(vault, &file, app)?;
        return Ok(true);
    }
    vault.edit(&file, |document: &mut Document| {
        *document = before;
        Ok(())
    })?;
    Ok(false)
}
