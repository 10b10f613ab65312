//! `pillarbox known`: what this machine has seen and accepted of workspaces.

use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::{HostName, WorkspaceName, folded};
use crate::pillar::boxes::BoxFolder;
use crate::pillar::known::{KnownBox, KnownHost, KnownWorkspace, SeenBox};
use crate::problem::{Code, Problem, Result, escaped};
use crate::session::{KnownFile, Vault};

/// What this machine knows of boxes and hosts: list, accept what changed, forget
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct KnownArgs {
    #[command(subcommand)]
    action: KnownCommand,
}

#[derive(clap::Subcommand, Debug)]
enum KnownCommand {
    /// List what is known, of every workspace
    List,
    /// Take a box (pillar/prod/) or a host (web1) of this workspace as it is now
    Accept {
        /// As errors and `known list` name it
        name: String,
    },
    /// Forget a box or a host of this workspace: it will be met for the first time again
    Forget {
        /// As `known list` names it
        #[arg(required_unless_present = "of_workspace", conflicts_with = "of_workspace")]
        name: Option<String>,
        /// Forget all of a workspace, which need not be there any more
        #[arg(long = "workspace", value_name = "NAME")]
        of_workspace: Option<String>,
    },
}

pub(in crate::cli) fn run(args: &KnownArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        KnownCommand::List => list(ctx),
        KnownCommand::Accept { name } => accept(name, ctx),
        KnownCommand::Forget { name: Some(name), .. } => forget(name, ctx),
        KnownCommand::Forget { of_workspace, .. } => {
            forget_workspace(of_workspace.as_deref().unwrap_or_default(), ctx)
        }
    }
}

fn list(ctx: &Context) -> Result<Exit> {
    let known = KnownFile::load(&ctx.session)?;
    known.look(|known| {
        if ctx.out.json {
            let all: serde_json::Map<String, serde_json::Value> =
                known.workspaces().map(|(name, known)| (name.to_string(), json(known))).collect();
            ctx.out.object(&serde_json::json!({
                "format_version": crate::plan::FORMAT_VERSION,
                "workspaces": all,
            }));
            return;
        }
        for (name, known) in known.workspaces() {
            ctx.out.data(format_args!("{name}"));
            for (folder, known) in &known.boxes {
                print_box(ctx, folder, known);
            }
            for (host, known) in &known.hosts {
                print_host(ctx, host, known);
            }
        }
    });
    Ok(Exit::Done)
}

fn print_box(ctx: &Context, folder: &BoxFolder, known: &KnownBox) {
    let turn = known.turn.map(|turn| format!("  turn {turn}")).unwrap_or_default();
    ctx.out.data(format_args!("  {folder}  {}{turn}", known.slot));
    for (reader, key) in &known.readers {
        ctx.out.data(format_args!("    {reader}  {key}"));
    }
    if known.readers.is_empty() {
        ctx.out.data("    (its lock was not opened here yet)");
    }
}

fn print_host(ctx: &Context, host: &HostName, known: &KnownHost) {
    let daemon = known.daemon.as_ref().map(|id| format!("  daemon {}", escaped(id))).unwrap_or_default();
    ctx.out.data(format_args!("  {host}  {}{daemon}", escaped(&known.address)));
}

fn json(known: &KnownWorkspace) -> serde_json::Value {
    let boxes: serde_json::Map<String, serde_json::Value> = known
        .boxes
        .iter()
        .map(|(folder, known)| {
            let readers: serde_json::Map<String, serde_json::Value> =
                known.readers.iter().map(|(name, key)| (name.to_string(), key.as_str().into())).collect();
            let value = serde_json::json!({
                "slot": known.slot.as_str(),
                "turn": known.turn,
                "retired": known.retired.iter().map(Recipient::as_str).collect::<Vec<_>>(),
                "readers": readers,
            });
            (folder.to_string(), value)
        })
        .collect();
    let hosts: serde_json::Map<String, serde_json::Value> = known
        .hosts
        .iter()
        .map(|(host, known)| {
            (host.to_string(), serde_json::json!({ "address": known.address, "daemon": known.daemon }))
        })
        .collect();
    serde_json::json!({ "boxes": boxes, "hosts": hosts })
}

/// What a name means in a workspace: a host, or else a box; `pillar/` in front tells a box apart.
enum Named {
    Box(BoxFolder),
    Host(HostName),
}

fn named(vault: &Vault<'_>, name: &str) -> Option<Named> {
    if let Ok(host) = HostName::parse(name)
        && vault.inventory().hosts.contains_key(&host)
    {
        return Some(Named::Host(host));
    }
    let folder = BoxFolder::parse(name).ok()?;
    vault.boxes().contains_key(&folder).then_some(Named::Box(folder))
}

fn accept(name: &str, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    match named(&vault, name) {
        Some(Named::Box(folder)) => accept_box(&vault, &folder, ctx)?,
        Some(Named::Host(host)) => {
            let address = vault.inventory().hosts.get(&host).map(|host| host.engine.to_string());
            let address = address.unwrap_or_default();
            vault.known_file().change(|known| {
                known.learn_host(vault.name(), &host, &address, None);
                Ok(())
            })?;
            ctx.out.say(format_args!("{host} at {} may be sent credentials and secrets", escaped(&address)));
        }
        None => return Err(nothing(&vault, name, vault.name()).into()),
    }
    Ok(Exit::Done)
}

fn accept_box(vault: &Vault<'_>, folder: &BoxFolder, ctx: &Context) -> Result<()> {
    let Some(file) = vault.boxes().get(folder) else { return Ok(()) };
    file.check_shape(folder)?;
    let open = match vault.unlock(folder) {
        Ok(open) => Some(open),
        Err(problems) if problems.code() == Code::NoIdentity => None,
        Err(problems) => return Err(problems),
    };
    let seen = SeenBox { workspace: vault.name(), folder, slot: &file.slot, open: open.as_deref() };
    let old = vault.known_file().change(|known| {
        let old = known.workspace(vault.name()).and_then(|known| known.boxes.get(folder)).cloned();
        known.learn_box(&seen);
        Ok(old)
    })?;
    match old {
        Some(old) if old.slot != file.slot => {
            ctx.out.say(format_args!("the slot of {folder} was {}", old.slot));
            ctx.out.say(format_args!("from now on it is      {}", file.slot));
        }
        _ => ctx.out.say(format_args!("the slot of {folder} is {}", file.slot)),
    }
    if open.is_none() {
        ctx.out.say("its lock does not open here, so its readers could not be checked");
    }
    Ok(())
}

fn forget(name: &str, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let of = &workspace.inventory().workspace;
    let known = KnownFile::load(&ctx.session)?;
    let folder = BoxFolder::parse(name).map(|folder| folder.to_string()).unwrap_or_default();
    let gone = known.change(|known| Ok(known.forget(of, name) || known.forget(of, &folder)))?;
    if gone {
        ctx.out.say(format_args!("forgot {} of {of}", escaped(name)));
        return Ok(Exit::Done);
    }
    let vault = Vault::load(&ctx.session, &workspace)?;
    Err(nothing(&vault, name, of).into())
}

fn forget_workspace(name: &str, ctx: &Context) -> Result<Exit> {
    let name = WorkspaceName::parse(name)?;
    let known = KnownFile::load(&ctx.session)?;
    if known.change(|known| Ok(known.forget_workspace(&name)))? {
        ctx.out.say(format_args!("forgot the workspace {name}"));
        return Ok(Exit::Done);
    }
    let all: Vec<String> = known.look(|known| known.workspaces().map(|(name, _)| name.to_string()).collect());
    Err(Problem::usage(format!("nothing is known of a workspace {name}"))
        .nearest(name.as_str(), all.iter().map(String::as_str))
        .into())
}

fn nothing(vault: &Vault<'_>, name: &str, workspace: &WorkspaceName) -> Problem {
    let names: Vec<String> = vault
        .boxes()
        .keys()
        .map(ToString::to_string)
        .chain(vault.inventory().hosts.keys().map(ToString::to_string))
        .collect();
    Problem::usage(format!("`{}` is no box and no host of {workspace}", escaped(name)))
        .cause(format!("there are: {}", folded(&names)))
        .nearest(name, names.iter().map(String::as_str))
}
