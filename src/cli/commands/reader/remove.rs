//! `pillarbox reader remove NAME`.

use super::named_boxes;
use super::rotation::{self, Exposed};
use crate::cli::{Context, Exit};
use crate::inventory;
use crate::name::ReaderName;
use crate::pillar::boxes::{self, BoxFile, BoxFolder, NewSlot};
use crate::problem::{Problem, Problems, Result};
use crate::session::{KeyFiles, Vault};
use crate::store::Workspace;

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

    let (mut exposed, mut problems) = (Vec::new(), Vec::new());
    for folder in &folders {
        match remove_from(&mut vault, folder, &name) {
            Ok(values) => exposed.extend(values),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
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
    vault.commit()?;
    if ctx.out.json {
        ctx.out.object(&rotation::json(&folders, &exposed, &[]));
    }
    for folder in &folders {
        ctx.out.say(format_args!("{name} cannot open {folder} any more; it has a new slot"));
    }
    if folders.is_empty() {
        ctx.out
            .say(format_args!("{name} was a reader of no box; removed from keys/ and {}", inventory::FILE));
    }
    rotation::say(ctx, &format!("{name} could read"), &exposed);
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

fn remove_from(vault: &mut Vault<'_>, folder: &BoxFolder, name: &ReaderName) -> Result<Vec<Exposed>> {
    let open = vault.open_box_to_change(folder)?;
    let mut readers = open.readers().clone();
    if readers.remove(name).is_none() {
        return Err(Problem::usage(format!("{name} is not a reader of {folder}")).into());
    }
    // Also where the same key stays under another name: a removal always makes a new slot.
    let made = boxes::rekey(&open, &readers, NewSlot::Always)?;
    let sweep = vault.sweep(&open, &made)?;
    let exposed = sweep.resealed.iter().map(|sealed| Exposed::of(vault, &sealed.origin)).collect();
    vault.put_resealed(&sweep.resealed)?;
    vault.put_box(&made);
    Ok(exposed)
}

fn unknown(vault: &Vault<'_>, name: &ReaderName) -> Problem {
    let all: std::collections::BTreeSet<&str> =
        vault.boxes().values().flat_map(|file| &file.readers).map(ReaderName::as_str).collect();
    Problem::failed(format!("{name} is not a reader of any box"))
        .cause(format!("the readers are: {}", all.iter().copied().collect::<Vec<_>>().join(", ")))
        .nearest(name.as_str(), all)
}
