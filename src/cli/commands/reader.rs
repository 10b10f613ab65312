//! `pillarbox reader`: who can open a box.

pub(super) mod acceptance;
mod add;
mod exposed;
mod join;
mod leavers;
mod list;
mod rekey;
mod remove;
mod rotation;

use crate::cli::{Context, Exit};
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::problem::{Problem, Result};
use crate::session::Vault;

pub(super) use exposed::When;
pub(super) use list::pending as pending_want;

/// Who can open a box: list, add, remove; make locks agree with keys/
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ReaderArgs {
    #[command(subcommand)]
    action: ReaderCommand,
}

#[derive(clap::Subcommand, Debug)]
enum ReaderCommand {
    /// List the readers of each box, and where keys/ says something else than the lock
    List,
    /// Add a reader: a person or a machine that can open a box
    #[command(after_help = "Example:\n  pillarbox reader add bob age1…")]
    Add(add::ReaderAddArgs),
    /// Remove a reader: a new slot, every value sealed again, and a list of what to rotate
    Remove(remove::ReaderRemoveArgs),
    /// List former readers: what they could open that was not changed since, and what was
    #[command(
        after_help = "Examples:\n  pillarbox reader leavers\n  pillarbox reader leavers bob --to bob.txt"
    )]
    Leavers(leavers::ReaderLeaversArgs),
    /// Make the locks agree with keys/, and seal again what was posted to an old slot
    Rekey(rekey::ReaderRekeyArgs),
}

pub(in crate::cli) fn run(args: &ReaderArgs, ctx: &Context) -> Result<Exit> {
    match &args.action {
        ReaderCommand::List => list::run(ctx),
        ReaderCommand::Add(args) => add::run(args, ctx),
        ReaderCommand::Remove(args) => remove::run(args, ctx),
        ReaderCommand::Leavers(args) => leavers::run(args, ctx),
        ReaderCommand::Rekey(args) => rekey::run(args, ctx),
    }
}

/// Warns of boxes that one lost key would close for ever.
pub(super) fn warn_of_one_reader<'b>(
    ctx: &Context,
    boxes: impl IntoIterator<Item = (&'b BoxFolder, &'b BoxFile)>,
) {
    let single: Vec<_> = boxes.into_iter().filter(|(_, file)| file.readers.len() == 1).collect();
    if single.len() > 10 {
        let few: Vec<String> = single.iter().take(3).map(|(folder, _)| folder.to_string()).collect();
        ctx.out.warn(format_args!(
            "{} boxes have one reader each ({}, …): if that key is lost, so is the box; add a second one that is kept \
             offline: pillarbox reader add",
            single.len(),
            few.join(", ")
        ));
        return;
    }
    for (folder, file) in single {
        let only = file.readers.iter().next().map(ToString::to_string).unwrap_or_default();
        ctx.out.warn(format_args!(
            "{folder} has one reader, {only}: if that key is lost, so is the box; add a second one that is kept \
             offline: pillarbox reader add recovery --box {folder} \"$(pillarbox -q identity new ~/pillarbox-recovery.txt)\""
        ));
    }
}

/// The folders that were named, all of them boxes.
fn named_boxes(vault: &Vault<'_>, named: &[String]) -> Result<Vec<BoxFolder>> {
    let mut found = Vec::new();
    for text in named {
        let folder = BoxFolder::parse(text)?;
        if !vault.boxes().contains_key(&folder) {
            let known: Vec<String> = vault.boxes().keys().map(ToString::to_string).collect();
            return Err(Problem::usage(format!("there is no box {folder}"))
                .cause(format!("the boxes are: {}", known.join(", ")))
                .nearest(&folder.to_string(), known.iter().map(String::as_str))
                .into());
        }
        if !found.contains(&folder) {
            found.push(folder);
        }
    }
    Ok(found)
}
