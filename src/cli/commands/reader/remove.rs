//! `pillarbox reader remove NAME`.

use super::named_boxes;
use super::rotation::{self, Rotation};
use crate::cli::{Context, Exit};
use crate::inventory;
use crate::name::ReaderName;
use crate::pillar::boxes::{BoxFile, BoxFolder, Made, NewSlot, OpenBox, Readers};
use crate::pillar::readership::Reader;
use crate::pillar::{Origin, SealId, Sealed};
use crate::problem::{Problem, Problems, Result};
use crate::session::{Holders, KeyFiles, Past, Vault};
use crate::store::Workspace;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct ReaderRemoveArgs {
    /// The reader to remove
    name: String,
    /// Only this box; may be given several times [default: every box that lists the reader]
    #[arg(long = "box", value_name = "FOLDER")]
    boxes: Vec<String>,
    /// Do not ask where the removed reader is you
    #[arg(short, long)]
    yes: bool,
    /// Write the whole list of what to change to this file, as JSON where it ends in .json
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) fn run(args: &ReaderRemoveArgs, ctx: &Context) -> Result<Exit> {
    let name = ReaderName::parse(&args.name)?;
    let workspace = ctx.session.workspace()?;
    if !args.yes {
        ask_oneself(args, ctx, &workspace, &name)?;
    }
    let mut vault = Vault::for_change(&ctx.session, &workspace)?;
    let listing: Vec<BoxFolder> = vault
        .boxes()
        .iter()
        .filter(|(_, file)| file.readers.contains(&name))
        .map(|(folder, _)| folder.clone())
        .collect();
    let folders = if args.boxes.is_empty() { listing.clone() } else { named_boxes(&vault, &args.boxes)? };
    let has_file = vault.key_files()?.iter().any(|(file, _)| *file == name);
    let text = vault.read(inventory::FILE)?.unwrap_or_default();
    let without = inventory::remove_reader(&text, &name)?;
    if folders.is_empty() && !has_file && without == text {
        return Err(unknown(&vault, &name).into());
    }

    // Before the reader is taken out, so that those who were never committed are known as well.
    let (past, holders) = (Past::everything(&vault), Holders::of(&vault));
    let readers: BTreeSet<&Reader> = past.readership.readers().filter(|reader| reader.name == name).collect();
    let keeps = |folder: &BoxFolder| listing.contains(folder) && !folders.contains(folder);
    let mut exposed = Rotation::of(&vault, &holders, &past, &readers, keeps);
    let resealed = remove_from(&mut vault, &folders, &name)?;
    exposed.also(&vault, &holders, &resealed);
    let stays = listing.iter().any(|folder| !folders.contains(folder));
    if !stays {
        if has_file {
            vault.remove(&KeyFiles::path(&name));
        }
        if without != text {
            vault.put(inventory::FILE, without);
        }
    }
    let left: Vec<(BoxFolder, BoxFile)> = folders
        .iter()
        .filter_map(|folder| Some((folder.clone(), vault.boxes().get(folder)?.clone())))
        .collect();
    if let Some(file) = &args.to {
        rotation::write(ctx, file, &format!("{name} could read, also in older commits"), &exposed)?;
    }
    vault.commit()?;
    if ctx.out.json {
        ctx.out.object(&rotation::json(&folders, &exposed, &[]));
    }
    match folders.len() {
        0..=10 => {
            for folder in &folders {
                ctx.out.say(format_args!("{name} cannot open {folder} any more; it has a new slot"));
            }
        }
        many => ctx.out.say(format_args!("{name} cannot open {many} boxes any more; each has a new slot")),
    }
    if folders.is_empty() {
        ctx.out
            .say(format_args!("{name} was a reader of no box; removed from keys/ and {}", inventory::FILE));
    }
    let again = rotation::again(&past, name.as_str());
    rotation::say(ctx, &format!("{name} could read"), &exposed, again.as_deref());
    rotation::say_limits(ctx, &past, &holders);
    super::warn_of_one_reader(ctx, left.iter().map(|(folder, file)| (folder, file)));
    Ok(Exit::Done)
}

/// Asks before boxes are closed to the person who runs this. The workspace is not locked while it asks.
fn ask_oneself(
    args: &ReaderRemoveArgs,
    ctx: &Context,
    workspace: &Workspace,
    name: &ReaderName,
) -> Result<()> {
    let vault = Vault::load(&ctx.session, workspace)?;
    let named = if args.boxes.is_empty() { Vec::new() } else { named_boxes(&vault, &args.boxes)? };
    let mut closing = Vec::new();
    for (folder, _) in vault
        .boxes()
        .iter()
        .filter(|(folder, file)| file.readers.contains(name) && (named.is_empty() || named.contains(folder)))
    {
        // What does not open or hold is said by the removal itself.
        let Ok(open) = vault.open_box(folder) else { continue };
        let own = ctx.session.identities_met();
        let mut opens = open.readers().iter().filter(|(_, key)| own.hold(key)).map(|(reader, _)| reader);
        if !opens.clone().any(|reader| reader == name) {
            // Another person: no other box has to be opened for that.
            return Ok(());
        }
        if open.readers().len() > 1 && opens.all(|reader| reader == name) {
            closing.push(folder.to_string());
        }
    }
    if closing.is_empty() {
        return Ok(());
    }
    let closing = closing.join(", ");
    ctx.out.warn(format_args!("{name} is you: no other private key here opens {closing} afterwards"));
    ctx.console.confirm("Remove yourself?")
}

/// Takes a reader out of boxes: new locks, and every value sealed again. What the reader could read in them.
fn remove_from(
    vault: &mut Vault<'_>,
    folders: &[BoxFolder],
    name: &ReaderName,
) -> Result<Vec<(Origin, SealId)>> {
    let (mut open, mut problems) = (Vec::new(), Vec::new());
    for (folder, opened) in folders.iter().zip(vault.open_boxes_to_change(folders)) {
        match opened {
            Ok(found) if found.readers().contains_key(name) => open.push(found),
            Ok(_) => problems.push(Problem::usage(format!("{name} is not a reader of {folder}"))),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    let without = |open: &OpenBox| {
        open.readers().clone().into_iter().filter(|(reader, _)| reader != name).collect::<Readers>()
    };
    let wanted: Vec<(&OpenBox, Readers)> = open.iter().map(|open| (&**open, without(open))).collect();
    // Also where the same key stays under another name: a removal always makes a new slot.
    let made = vault.rekeyed(&wanted, NewSlot::Always)?;
    let boxes: Vec<(&OpenBox, &Made)> = open.iter().map(|open| &**open).zip(&made).collect();
    let resealed: Vec<Sealed> = vault.sweep(&boxes)?.into_iter().flat_map(|sweep| sweep.resealed).collect();
    let exposed = resealed.iter().map(|sealed| (sealed.origin.clone(), sealed.id.clone())).collect();
    vault.put_resealed(&resealed)?;
    for made in &made {
        vault.put_box(made);
    }
    Ok(exposed)
}

fn unknown(vault: &Vault<'_>, name: &ReaderName) -> Problem {
    let all: std::collections::BTreeSet<&str> =
        vault.boxes().values().flat_map(|file| &file.readers).map(ReaderName::as_str).collect();
    Problem::failed(format!("{name} is not a reader of any box"))
        .cause(format!("the readers are: {}", all.iter().copied().collect::<Vec<_>>().join(", ")))
        .nearest(name.as_str(), all)
}
