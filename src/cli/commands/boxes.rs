//! `pillarbox box`: folders of the pillar with readers of their own.

use super::reader::acceptance::{self, Acceptance};
use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::Sealed;
use crate::pillar::boxes::{self, BoxFolder, ReaderChange, Readers};
use crate::pillar::seal;
use crate::problem::{Code, Problem, Problems, Result};
use crate::session::Asking;
use crate::session::Vault;

/// Who opens what: list the boxes, or make one
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct BoxArgs {
    #[command(subcommand)]
    action: BoxCommand,
}

#[derive(clap::Subcommand, Debug)]
enum BoxCommand {
    /// List the boxes with their slots and readers; needs no private key
    List,
    /// Make a box of a folder, for other readers than those of the folder above
    #[command(after_help = "Example:\n  pillarbox box new prod --readers alice,ci")]
    New {
        /// Folder below pillar/
        folder: String,
        /// Names of files in keys/, or @groups of pillarbox.toml; you should be among them
        /// [default: `readers.default` in pillarbox.toml]
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        readers: Vec<String>,
        #[command(flatten)]
        accept: Acceptance,
    },
}

pub(in crate::cli) fn run(args: &BoxArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        BoxCommand::List => list(ctx),
        BoxCommand::New { folder, readers, accept } => new(folder, readers, accept, ctx),
    }
}

fn list(ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let rows: Vec<_> = vault
        .boxes()
        .iter()
        .map(|(folder, file)| {
            let names: Vec<&str> = file.readers.iter().map(ReaderName::as_str).collect();
            let files = vault.documents_in(folder).count();
            let values: usize = vault.documents_in(folder).map(|document| document.sealed().len()).sum();
            (folder, &file.slot, names, files, values)
        })
        .collect();
    if ctx.out.json {
        let one = |(folder, slot, readers, files, values): &(&BoxFolder, _, Vec<&str>, usize, usize)| {
            let slot: &&crate::keys::Recipient = slot;
            serde_json::json!({
                "box": folder.to_string(),
                "slot": slot.as_str(),
                "readers": readers,
                "files": files,
                "sealed": values,
            })
        };
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "boxes": rows.iter().map(one).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    for (folder, slot, names, files, values) in rows {
        ctx.out.data(format_args!(
            "{folder}\n  slot     {slot}\n  readers  {}\n  holds    {values} sealed in {files} {}",
            names.join(", "),
            if files == 1 { "file" } else { "files" }
        ));
    }
    Ok(Exit::Done)
}

fn new(folder: &str, readers: &[String], accept: &Acceptance, ctx: &Context) -> Result<Exit> {
    let folder = BoxFolder::parse(folder)?;
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::load(&ctx.session, &workspace)?;
    if vault.boxes().contains_key(&folder) {
        return Err(Problem::failed(format!("the box {folder} is there already"))
            .hint("to change its readers: pillarbox reader add NAME KEY, pillarbox reader remove NAME")
            .into());
    }
    let readers = wanted_readers(&vault, readers)?;
    maker_is_reader(ctx, &folder, &readers)?;
    let mut unknown = vault.known_file().look(|known| known.unknown_readers(vault.seen(), &readers));
    let own = ctx.session.identities_met();
    unknown.come.retain(|(_, key)| !own.hold(key));
    acceptance::ask(ctx, accept, &[(&folder, &unknown)], &only(&readers, &unknown))?;
    vault.lock()?;

    let inside: Vec<Sealed> = vault
        .documents()
        .filter(|document| {
            let all = vault.boxes().keys().chain([&folder]);
            BoxFolder::governing(document.file(), all) == Some(&folder)
        })
        .flat_map(|document| document.sealed().into_iter().cloned())
        .collect();
    let made = boxes::make(vault.name(), &folder, &readers)?;
    let (mut resealed, mut problems) = (Vec::new(), Vec::new());
    for (sealed, opened) in inside.iter().zip(vault.open_all(&inside.iter().collect::<Vec<_>>())) {
        let slot = &made.file.slot;
        let again = |opened: seal::Opened| {
            seal::seal(&opened.secret, opened.kind, &sealed.origin, sealed.id.clone(), slot)
        };
        match opened.and_then(again) {
            Ok(again) => resealed.push(again),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    let above = inside.first().and_then(|sealed| vault.governing(&sealed.origin.file).ok()).cloned();
    vault.put_resealed(&resealed)?;
    vault.put_box(&made);
    let file = made.file.clone();
    vault.commit()?;
    let names: Vec<&str> = readers.keys().map(ReaderName::as_str).collect();
    ctx.out.say(format_args!("made the box {folder}; its readers are {}", names.join(", ")));
    if let Some(above) = above {
        ctx.out.say(format_args!(
            "{} sealed values in it were those of the box {above}; its readers could read them until now",
            resealed.len()
        ));
    }
    super::reader::warn_of_one_reader(ctx, [(&folder, &file)]);
    Ok(Exit::Done)
}

fn wanted_readers(vault: &Vault<'_>, written: &[String]) -> Result<Readers> {
    let inventory = vault.inventory();
    let names = match written {
        [] => inventory.readers.default.clone(),
        written => inventory.expand_readers(written.iter().map(String::as_str))?,
    };
    if names.is_empty() {
        return Err(Problem::usage("nobody would read the new box")
            .hint("name its readers: pillarbox box new FOLDER --readers NAME,NAME")
            .into());
    }
    vault.key_files()?.readers(&names)
}

/// Who makes a box knows its key, so it must be somebody who may.
fn maker_is_reader(ctx: &Context, folder: &BoxFolder, readers: &Readers) -> Result<()> {
    let own = |key: &Recipient| readers.values().any(|reader| reader == key);
    let found = ctx.session.with_identities(Asking::Allowed, &own, |keys| {
        Ok(keys.iter().any(|key| own(key.recipient())).then_some(()))
    })?;
    if found.is_some() {
        return Ok(());
    }
    let names: Vec<&str> = readers.keys().map(ReaderName::as_str).collect();
    let mut problem =
        Problem::new(Code::NoIdentity, format!("you would not be a reader of the box {folder}"))
            .cause(format!(
                "its readers would be {}, and no private key here is one of theirs",
                names.join(", ")
            ))
            .cause("who makes a box knows its key, so one of the readers has to make it");
    if let Some(own) = ctx.session.identities_met().iter().next() {
        problem = problem.hint(format!("your public key is {}", own.recipient()));
    }
    Err(problem.hint("add yourself to --readers, or ask one of them to make the box").into())
}

/// The readers that are among those who come.
fn only(readers: &Readers, change: &ReaderChange) -> Readers {
    let comes = |name: &ReaderName| change.come.iter().any(|(come, _)| come == name);
    readers.iter().filter(|(name, _)| comes(name)).map(|(name, key)| (name.clone(), key.clone())).collect()
}
