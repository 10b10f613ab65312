//! `pillarbox reader rekey`: makes the locks agree with `keys/`, and seals again what was posted to a
//! slot that has retired.

use super::acceptance::{self, Acceptance};
use super::exposed::Exposed;
use super::rotation::{self, Rotation};
use super::{join, named_boxes};
use crate::cli::commands::verify::stray;
use crate::cli::{Context, Exit};
use crate::name::folded;
use crate::pillar::boxes::{BoxFolder, Made, NewSlot, OpenBox, ReaderChange, Readers};
use crate::pillar::readership::Reader;
use crate::pillar::{Origin, SealId, Sealed};
use crate::problem::{Code, Problem, Problems, Result, quoted};
use crate::session::{Holders, KeyFiles, Past, Vault};
use std::collections::BTreeSet;
use std::path::PathBuf;
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
    /// Write the whole list of what removed keys could read to this file, as JSON where it ends in .json
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
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
    let (mut wanted, mut problems): (Vec<(&OpenBox, Readers)>, _) = (Vec::new(), Vec::new());
    for open in &boxes {
        match want(&files, open) {
            Ok(readers) => wanted.push((open, readers)),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    let all: Vec<(&OpenBox, Made)> =
        boxes.iter().map(|open| &**open).zip(vault.rekeyed(&wanted, when)?).collect();
    let changes: Vec<(&BoxFolder, &ReaderChange)> =
        all.iter().map(|(open, made)| (open.folder(), &made.change)).collect();
    let to: Readers = all
        .iter()
        .filter(|(_, made)| !made.change.is_empty())
        .flat_map(|(_, made)| made.open.readers().clone())
        .collect();
    acceptance::ask(ctx, &args.accept, &changes, &to)?;
    vault.lock()?;

    let goes = all.iter().any(|(_, made)| !made.change.gone.is_empty());
    let past = goes.then(|| Past::everything(&vault));
    let holders = Holders::of(&vault);
    let done =
        rekey(&mut vault, &holders, &all.iter().map(|(open, made)| (*open, made)).collect::<Vec<_>>())?;
    let exposed = past.as_ref().map(|past| exposed(&vault, &holders, past, &all, &done)).unwrap_or_default();
    if let Some(file) = &args.to {
        rotation::write(ctx, file, "removed keys could read, also in older commits", &exposed)?;
    }
    if vault.is_changed() {
        vault.commit()?;
    } else {
        ctx.out.say("the locks agree with keys/, and every value is sealed to its box's slot");
    }
    for ((open, made), done) in all.iter().zip(&done) {
        report(ctx, open, made, done);
    }
    rotation::say(ctx, "removed readers could read", &exposed, None);
    if let Some(past) = &past {
        rotation::say_limits(ctx, past, &holders);
    }
    if ctx.out.json {
        let new: Vec<BoxFolder> =
            all.iter().filter(|(_, made)| made.new_slot).map(|(open, _)| open.folder().clone()).collect();
        let late: Vec<Exposed> = done.into_iter().flat_map(|done| done.late.change).collect();
        ctx.out.object(&rotation::json(&new, &exposed, &late));
    }
    Ok(Exit::Done)
}

/// What keys that go could ever open.
fn exposed(
    vault: &Vault<'_>,
    holders: &Holders,
    past: &Past,
    all: &[(&OpenBox, Made)],
    done: &[Done],
) -> Rotation {
    let gone: BTreeSet<Reader> = all
        .iter()
        .flat_map(|(_, made)| &made.change.gone)
        .map(|(name, key)| Reader { name: name.clone(), key: Some(key.clone()) })
        .collect();
    let mut exposed = Rotation::of(vault, holders, past, &gone.iter().collect(), |_| false);
    for done in done {
        exposed.also(vault, holders, &done.readable);
    }
    exposed
}

/// What was done to a box, besides its lock.
struct Done {
    /// What stood in it when keys were removed.
    readable: Vec<(Origin, SealId)>,
    /// What stood sealed to an old slot, and so could be read by readers who were removed earlier.
    late: Rotation,
}

fn rekey(vault: &mut Vault<'_>, holders: &Holders, all: &[(&OpenBox, &Made)]) -> Result<Vec<Done>> {
    let (mut done, mut resealed) = (Vec::new(), Vec::new());
    for ((_, made), sweep) in all.iter().zip(vault.sweep(all)?) {
        let of = |sealed: &Sealed| (sealed.origin.clone(), sealed.id.clone());
        let readable = match made.change.gone.is_empty() {
            true => Vec::new(),
            false => sweep.resealed.iter().map(of).collect(),
        };
        let is_late = |sealed: &&Sealed| sweep.late.contains(&sealed.origin);
        let late: Vec<_> = sweep.resealed.iter().filter(is_late).map(of).collect();
        let mut rotation = Rotation::default();
        rotation.also(vault, holders, &late);
        done.push(Done { readable, late: rotation });
        resealed.extend(sweep.resealed);
    }
    vault.put_resealed(&resealed)?;
    for (_, made) in all.iter().filter(|(_, made)| made.new_slot || !made.change.is_empty()) {
        vault.put_box(made);
    }
    Ok(done)
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
    rotation::say(ctx, "posted to an old slot, readable by removed readers", &done.late, None);
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
    if problems.is_empty() && readers.is_empty() {
        problems.push(all_gone(open));
    }
    Problems::check(problems)?;
    Ok(readers)
}

/// The lock still has the keys whose files are missing.
fn all_gone(open: &OpenBox) -> Problem {
    let files: Vec<String> = open.readers().keys().map(KeyFiles::path).collect();
    let mut problem = Problem::failed(format!("the box {} would have no reader", open.folder()))
        .cause(format!("missing: {}", folded(&files)));
    for ((_, key), file) in open.readers().iter().zip(&files).take(1) {
        let key = quoted(key.as_str());
        problem = problem.hint(format!("put it back: printf '%s\\n' {key} > {}", quoted(file)));
    }
    problem.hint("if another one is to read it instead, that one first: pillarbox reader add NAME KEY")
}

/// The boxes that were named, or all that open here.
fn open_boxes(vault: &Vault<'_>, named: &[String], ctx: &Context) -> Result<Vec<Rc<OpenBox>>> {
    if !named.is_empty() {
        return vault.open_boxes_to_change(&named_boxes(vault, named)?).into_iter().collect();
    }
    let folders: Vec<BoxFolder> = vault.boxes().keys().cloned().collect();
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for (folder, opened) in folders.iter().zip(vault.open_boxes_to_change(&folders)) {
        match opened {
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
