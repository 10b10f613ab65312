//! `pillarbox reader remove NAME`.

use super::named_boxes;
use super::rotation::{self, Exposed};
use crate::cli::{Context, Exit};
use crate::inventory;
use crate::name::ReaderName;
use crate::pillar::Sealed;
use crate::pillar::boxes::{BoxFile, BoxFolder, Made, NewSlot, OpenBox, Readers};
use crate::problem::{Problem, Problems, Result};
use crate::session::{KeyFiles, Vault};

#[derive(clap::Args, Debug)]
pub(super) struct ReaderRemoveArgs {
    /// The reader to remove
    name: String,
    /// Only this box; may be given several times [default: every box that lists the reader]
    #[arg(long = "box", value_name = "FOLDER")]
    boxes: Vec<String>,
}

pub(super) fn run(args: &ReaderRemoveArgs, ctx: &Context) -> Result<Exit> {
    let name = ReaderName::parse(&args.name)?;
    let workspace = ctx.session.workspace()?;
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

    let exposed = remove_from(&mut vault, &folders, &name)?;
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

/// Takes a reader out of boxes: new locks, and every value sealed again. What the reader could read in them.
fn remove_from(vault: &mut Vault<'_>, folders: &[BoxFolder], name: &ReaderName) -> Result<Vec<Exposed>> {
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
    let exposed = resealed.iter().map(|sealed| Exposed::of(vault, &sealed.origin)).collect();
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
