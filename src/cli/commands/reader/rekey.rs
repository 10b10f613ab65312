//! `pillarbox reader rekey`: makes the locks agree with `keys/`, and seals again what was posted to a
//! slot that has retired.

use super::acceptance::{self, Acceptance};
use super::rotation::{self, Exposed};
use super::{join, named_boxes};
use crate::cli::commands::verify::stray;
use crate::cli::{Context, Exit};
use crate::pillar::boxes::{self, BoxFolder, Made, NewSlot, OpenBox, ReaderChange, Readers};
use crate::problem::{Code, Problems, Result};
use crate::session::{KeyFiles, Vault};
use std::rc::Rc;

#[derive(clap::Args, Debug)]
pub(super) struct ReaderRekeyArgs {
    /// Make a new slot even if no reader is removed, and seal every value again
    #[arg(long)]
    new_slot: bool,
    /// Only this box; may be given several times [default: every box that opens here]
    #[arg(long = "box", value_name = "FOLDER")]
    boxes: Vec<String>,
    /// Join the locks of another branch with those of this one: a git revision, MERGE_HEAD in a merge
    #[arg(long, value_name = "REF", conflicts_with_all = ["new_slot", "boxes"])]
    also: Option<String>,
    #[command(flatten)]
    accept: Acceptance,
}

pub(super) fn run(args: &ReaderRekeyArgs, ctx: &Context) -> Result<Exit> {
    if let Some(also) = &args.also {
        return join::run(also, &args.accept, ctx);
    }
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::load(&ctx.session, &workspace)?;
    let boxes = open_boxes(&vault, &args.boxes, ctx)?;
    let files = vault.key_files()?;
    stray::warn_of_keys_without_box(ctx, &vault);
    let when = if args.new_slot { NewSlot::Always } else { NewSlot::IfKeysGo };
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for open in boxes {
        match want(&files, &open).and_then(|readers| boxes::rekey(&open, &readers, when)) {
            Ok(made) => all.push((open, made)),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    let changes: Vec<(&BoxFolder, &ReaderChange)> =
        all.iter().map(|(open, made)| (open.folder(), &made.change)).collect();
    let to: Readers = all
        .iter()
        .filter(|(_, made)| !made.change.is_empty())
        .flat_map(|(_, made)| made.open.readers().clone())
        .collect();
    acceptance::ask(ctx, &args.accept, &changes, &to)?;
    vault.lock()?;

    let mut done = Vec::new();
    for (open, made) in &all {
        done.push(rekey(&mut vault, open, made)?);
    }
    if vault.is_changed() {
        vault.commit()?;
    } else {
        ctx.out.say("the locks agree with keys/, and every value is sealed to its box's slot");
    }
    for ((open, made), done) in all.iter().zip(&done) {
        report(ctx, open, made, done);
    }
    if ctx.out.json {
        let new: Vec<BoxFolder> =
            all.iter().filter(|(_, made)| made.new_slot).map(|(open, _)| open.folder().clone()).collect();
        let (exposed, late): (Vec<_>, Vec<_>) =
            done.into_iter().map(|done| (done.exposed, done.late)).unzip();
        ctx.out.object(&rotation::json(&new, &exposed.concat(), &late.concat()));
    }
    Ok(Exit::Done)
}

/// What was done to a box, besides its lock.
struct Done {
    /// What removed readers could read.
    exposed: Vec<Exposed>,
    /// What stood sealed to an old slot, and so could be read by readers who were removed earlier.
    late: Vec<Exposed>,
}

fn rekey(vault: &mut Vault<'_>, open: &OpenBox, made: &Made) -> Result<Done> {
    let sweep = vault.sweep(open, made)?;
    let of = |vault: &Vault<'_>, origins: &mut dyn Iterator<Item = &crate::pillar::Origin>| {
        origins.map(|origin| Exposed::of(vault, origin)).collect::<Vec<_>>()
    };
    let late = of(vault, &mut sweep.late.iter());
    let exposed = match made.change.gone.is_empty() {
        true => Vec::new(),
        false => of(vault, &mut sweep.resealed.iter().map(|sealed| &sealed.origin)),
    };
    vault.put_resealed(&sweep.resealed)?;
    if made.new_slot || !made.change.is_empty() {
        vault.put_box(made);
    }
    Ok(Done { exposed, late })
}

fn report(ctx: &Context, open: &OpenBox, made: &Made, done: &Done) {
    let folder = open.folder();
    for (name, _) in &made.change.come {
        ctx.out.say(format_args!("{name} can open {folder} with the key in {}", KeyFiles::path(name)));
    }
    for (name, key) in &made.change.gone {
        ctx.out.say(format_args!("{name} cannot open {folder} with {key} any more"));
    }
    if made.new_slot {
        ctx.out.say(format_args!("{folder} has a new slot: {}", made.file.slot));
    }
    rotation::say(ctx, "removed readers could read", &done.exposed);
    rotation::say(ctx, "posted to an old slot, readable by removed readers", &done.late);
}

/// The readers that a box should have: the names of its lock with the keys of `keys/`.
fn want(files: &KeyFiles, open: &OpenBox) -> Result<Readers> {
    let (mut readers, mut problems) = (Readers::new(), Vec::new());
    for name in open.readers().keys() {
        match files.get(name) {
            Ok(Some(key)) => drop(readers.insert(name.clone(), key.clone())),
            Ok(None) => {}
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    Ok(readers)
}

/// The boxes that were named, or all that open here.
fn open_boxes(vault: &Vault<'_>, named: &[String], ctx: &Context) -> Result<Vec<Rc<OpenBox>>> {
    if !named.is_empty() {
        return named_boxes(vault, named)?.iter().map(|folder| vault.open_box_to_change(folder)).collect();
    }
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for folder in vault.boxes().keys() {
        match vault.open_box_to_change(folder) {
            Ok(found) => open.push(found),
            Err(problems) if problems.code() == Code::NoIdentity => closed.push((folder, problems)),
            Err(problems) => return Err(problems),
        }
    }
    match (open.is_empty(), closed.into_iter().next()) {
        (true, Some((_, problems))) => return Err(problems),
        (false, Some((folder, _))) => {
            ctx.out.say(format_args!("{folder} does not open here and is left as it is"));
        }
        _ => {}
    }
    Ok(open)
}
