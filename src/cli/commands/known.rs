//! `pillarbox known`: what this machine has seen and accepted of workspaces.

mod accept;

use crate::cli::{Context, Exit};
use crate::inventory;
use crate::keys::Recipient;
use crate::name::{HostName, WorkspaceId, folded};
use crate::pillar::boxes::BoxFolder;
use crate::pillar::known::{Beside, Known, KnownBox, KnownHost, KnownWorkspace};
use crate::problem::{Problem, Result, escaped, quoted};
use crate::session::{KnownFile, Vault, seen};

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
    Accept(accept::AcceptArgs),
    /// Keep what is known of this workspace under the new name or id that it has now
    Rename {
        /// The name, or the id, that it is known by
        old: String,
        /// The name in pillarbox.toml now
        new: String,
    },
    /// Forget a box or a host of this workspace: it will be met for the first time again
    #[command(override_usage = "pillarbox known forget [OPTIONS] <NAME>\n       \
                                pillarbox known forget [OPTIONS] --workspace <NAME>")]
    Forget {
        /// As `known list` names it
        #[arg(required_unless_present = "of_workspace", conflicts_with = "of_workspace")]
        name: Option<String>,
        /// Forget all of a workspace, by its name or id; it need not be there any more
        #[arg(long = "workspace", value_name = "NAME")]
        of_workspace: Option<String>,
    },
}

pub(in crate::cli) fn run(args: &KnownArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        KnownCommand::List => list(ctx),
        KnownCommand::Accept(args) => accept::run(args, ctx),
        KnownCommand::Rename { old, new } => rename(old, new, ctx),
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
            let mut all = serde_json::Map::new();
            for known in known.workspaces() {
                let mut key = known.name.to_string();
                if let Some(id) = known.id.as_ref().filter(|_| all.contains_key(&key)) {
                    key = format!("{key}.{id}");
                }
                all.insert(key, json(known));
            }
            ctx.out.object(&serde_json::json!({
                "format_version": crate::plan::FORMAT_VERSION,
                "workspaces": all,
            }));
            return;
        }
        for known in known.workspaces() {
            let id = known.id.as_ref().map(|id| format!("  id {id}")).unwrap_or_default();
            ctx.out.data(format_args!("{}{id}", known.name));
            for folder in &known.folders {
                ctx.out.data(format_args!("  in {}", escaped(folder)));
            }
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
    let turn = known.turn.map(|turn| format!("  revision {turn}")).unwrap_or_default();
    ctx.out.data(format_args!("  {folder}  {}{turn}", known.slot));
    for (reader, key) in &known.readers {
        ctx.out.data(format_args!("    {reader}  {key}"));
    }
    if known.readers.is_empty() {
        ctx.out.data("    (its lock was not opened here yet)");
    }
    for one in &known.beside {
        let turn = one.turn.map(|turn| format!("  revision {turn}")).unwrap_or_default();
        let branch =
            one.branch.as_ref().map(|branch| format!("  on {}", escaped(branch))).unwrap_or_default();
        ctx.out.data(format_args!("    beside it  {}{turn}{branch}", one.slot));
    }
}

fn print_host(ctx: &Context, host: &HostName, known: &KnownHost) {
    ctx.out.data(format_args!("  {host}  {}", escaped(&known.address)));
    for (what, text) in known.details() {
        ctx.out.data(format_args!("    {what} {}", escaped(text)));
    }
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
                "beside": known.beside.iter().map(beside_json).collect::<Vec<_>>(),
            });
            (folder.to_string(), value)
        })
        .collect();
    let hosts: serde_json::Map<String, serde_json::Value> = known
        .hosts
        .iter()
        .map(|(host, known)| {
            let value = serde_json::json!({
                "address": known.address,
                "leads_to": known.leads_to,
                "tls": known.tls,
                "ca": known.ca,
                "stranger": known.stranger,
                "daemon": known.daemon,
            });
            (host.to_string(), value)
        })
        .collect();
    let id = known.id.as_ref().map(WorkspaceId::as_str);
    serde_json::json!({ "id": id, "folders": known.folders, "boxes": boxes, "hosts": hosts })
}

fn beside_json(one: &Beside) -> serde_json::Value {
    let Beside { slot, turn, folder, branch } = one;
    serde_json::json!({ "slot": slot.as_str(), "turn": turn, "folder": folder, "branch": branch })
}

/// Keeps what is known for a workspace whose name or id was changed on purpose.
fn rename(old: &str, new: &str, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let seen = seen(&workspace);
    if seen.name.as_str() != new {
        return Err(Problem::usage(format!("this workspace is not named `{}`", escaped(new)))
            .cause(format!("its name in {} is {}", inventory::FILE, seen.name))
            .into());
    }
    let known = KnownFile::load(&ctx.session)?;
    known.change(|known| known.rename(old, &seen))?;
    ctx.out.say(format_args!("what was known of {} is known of {}", escaped(old), seen.name));
    if old != new && WorkspaceId::parse(old).is_err() {
        ctx.out.say("boxes whose locks name the old workspace do not open under the new name");
    }
    Ok(Exit::Done)
}

fn forget(name: &str, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let (of, seen) = (&workspace.inventory().owner.name, seen(&workspace));
    let known = KnownFile::load(&ctx.session)?;
    let folder = BoxFolder::parse(name).map(|folder| folder.to_string()).unwrap_or_default();
    let gone = known.change(|known| Ok(known.forget(&seen, name) || known.forget(&seen, &folder)))?;
    if gone {
        ctx.out.say(format_args!("forgot {} of {of}", escaped(name)));
        return Ok(Exit::Done);
    }
    let vault = Vault::load(&ctx.session, &workspace)?;
    Err(known.look(|known| not_known(known, &vault, name)).into())
}

/// Why there is nothing to forget of a name.
fn not_known(known: &Known, vault: &Vault<'_>, name: &str) -> Problem {
    let of = vault.name();
    let listed = |problem: Problem| problem.hint("to see what is known: pillarbox known list");
    let is_box = BoxFolder::parse(name).is_ok_and(|folder| vault.boxes().contains_key(&folder));
    let is_host = vault.inventory().hosts.keys().any(|host| host.as_str() == name);
    if is_box || is_host {
        let what = if is_box { "box" } else { "host" };
        let what = format!("this machine knows nothing of the {what} {} of {of}", escaped(name));
        return listed(Problem::usage(what).cause("so it is met for the first time as it is"));
    }
    let is_workspace = |one: &KnownWorkspace| {
        one.name.as_str() == name || one.id.as_ref().is_some_and(|id| id.as_str() == name)
    };
    if known.workspaces().any(is_workspace) {
        return Problem::usage(format!("`{}` is a workspace", escaped(name)))
            .cause("without --workspace a box or a host of this workspace is forgotten")
            .hint(format!("pillarbox known forget --workspace {}", quoted(name)));
    }
    let names: Vec<String> = known.workspace(vault.seen()).map(names_in).unwrap_or_default();
    let problem = Problem::usage(format!("this machine knows no box or host `{}` of {of}", escaped(name)));
    let problem = match names.is_empty() {
        true => problem.cause("it knows nothing of this workspace"),
        false => problem.cause(format!("it knows: {}", folded(&names))),
    };
    listed(problem.nearest(name, names.iter().map(String::as_str)))
}

/// The boxes and hosts that are known of a workspace.
fn names_in(known: &KnownWorkspace) -> Vec<String> {
    known.boxes.keys().map(ToString::to_string).chain(known.hosts.keys().map(ToString::to_string)).collect()
}

fn forget_workspace(name: &str, ctx: &Context) -> Result<Exit> {
    let known = KnownFile::load(&ctx.session)?;
    if known.change(|known| Ok(known.forget_workspace(name)))? {
        ctx.out.say(format_args!("forgot the workspace {}", escaped(name)));
        return Ok(Exit::Done);
    }
    let all: Vec<String> =
        known.look(|known| known.workspaces().map(|known| known.name.to_string()).collect());
    Err(Problem::usage(format!("nothing is known of a workspace {}", escaped(name)))
        .nearest(name, all.iter().map(String::as_str))
        .into())
}
