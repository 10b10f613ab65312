//! `pillarbox known accept`.

mod many;

use crate::cli::{Context, Exit};
use crate::name::{HostName, ReaderName, WorkspaceName, folded};
use crate::pillar::boxes::BoxFolder;
use crate::pillar::known::SeenBox;
use crate::problem::{Code, Problem, Result, escaped, quoted};
use crate::session::{Vault, dialled};

/// Take a box (pillar/prod/) or hosts (web1, 'web*') of this workspace as they are now
///
/// Several hosts are shown with what is known of them and what is there now, and accepted after one question.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox known accept web1
  pillarbox known accept 'web*' '!web7'    # shows what changed, asks once
  pillarbox known accept --all")]
pub(super) struct AcceptArgs {
    /// A box or host as errors and `known list` name it; or hosts, by terms as of `plan --host`
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    name: Vec<String>,
    /// All hosts
    #[arg(long)]
    all: bool,
    /// Do not ask; needed for several hosts where there is no terminal
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: &AcceptArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    if let [name] = args.name.as_slice() {
        match named(&vault, name) {
            Some(Named::Box(folder)) => return accept_box(&vault, &folder, ctx).map(|()| Exit::Done),
            Some(Named::Host(host)) => return accept_host(&vault, &host, ctx).map(|()| Exit::Done),
            None if name.contains(['*', '?', '@', '!', '&', ',', ':']) => {}
            None => return Err(nothing(&vault, name, vault.name()).into()),
        }
    }
    let folder = args.name.iter().find(|name| matches!(named(&vault, name), Some(Named::Box(_))));
    if let Some(folder) = folder {
        let what = format!("`{}` is a box, and is accepted by itself", escaped(folder));
        return Err(Problem::usage(what).hint(format!("pillarbox known accept {}", quoted(folder))).into());
    }
    many::accept(&vault, &args.name, args.yes, ctx)
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

fn accept_host(vault: &Vault<'_>, name: &HostName, ctx: &Context) -> Result<()> {
    let Some(host) = vault.inventory().hosts.get(name) else { return Ok(()) };
    let (_, seen) = dialled(&ctx.session, vault.workspace().root(), host)?;
    vault.known_file().change(|known| {
        known.check_workspace(vault.seen())?;
        known.learn_host(vault.seen(), name, &seen);
        Ok(())
    })?;
    let address = escaped(&seen.address);
    ctx.out.say(format_args!("{name} at {address} may be sent credentials and secrets"));
    for (what, text) in seen.details() {
        ctx.out.say(format_args!("  {what} {}", escaped(text)));
    }
    Ok(())
}

fn accept_box(vault: &Vault<'_>, folder: &BoxFolder, ctx: &Context) -> Result<()> {
    let Some(file) = vault.boxes().get(folder) else { return Ok(()) };
    file.check_shape(folder)?;
    let open = match vault.unlock(folder) {
        Ok(open) => Some(open),
        Err(problems) if problems.code() == Code::NoIdentity => None,
        Err(problems) => return Err(problems),
    };
    let seen = SeenBox { workspace: vault.seen(), folder, slot: &file.slot, open: open.as_deref() };
    let (old, is_older) = vault.known_file().change(|known| {
        known.check_workspace(vault.seen())?;
        let old = known.workspace(vault.seen()).and_then(|known| known.boxes.get(folder)).cloned();
        Ok((old, known.accept_box(&seen)))
    })?;
    match old {
        Some(old) if is_older => {
            ctx.out.say(format_args!("the older slot of {folder} may be used beside the newer one"));
            ctx.out.say(format_args!("  here   {}", file.slot));
            ctx.out.say(format_args!("  newer  {}", old.slot));
            let back: Vec<&ReaderName> =
                file.readers.iter().filter(|name| !old.readers.contains_key(*name)).collect();
            if !old.readers.is_empty() && !back.is_empty() {
                let names: Vec<&str> = back.into_iter().map(ReaderName::as_str).collect();
                ctx.out.warn(format_args!(
                    "{} can open what is sealed to the older slot, and not what is sealed to the newer one",
                    names.join(", ")
                ));
            }
        }
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

fn nothing(vault: &Vault<'_>, name: &str, workspace: &WorkspaceName) -> Problem {
    let names: Vec<String> = vault
        .boxes()
        .keys()
        .map(ToString::to_string)
        .chain(vault.inventory().hosts.keys().map(ToString::to_string))
        .collect();
    Problem::usage(format!("`{}` is not a box or a host of {workspace}", escaped(name)))
        .cause(format!("there are: {}", folded(&names)))
        .nearest(name, names.iter().map(String::as_str))
}
