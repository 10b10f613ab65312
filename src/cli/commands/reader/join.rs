//! `pillarbox reader rekey --also REF`: joins the locks that two branches made of one box, and seals the values of
//! both to one slot. What git could not merge is merged by key.

use super::acceptance::{self, Acceptance};
use super::exposed::Exposed;
use super::rotation::{self, Rotation};
use crate::cli::{Context, Exit};
use crate::name::ReaderName;
use crate::pillar::boxes::{self, BoxFile, BoxFolder, Made, OpenBox, ReaderChange, Readers};
use crate::pillar::document::{Document, three_way};
use crate::pillar::seal;
use crate::pillar::{Origin, SealId, Sealed};
use crate::problem::{Code, Problem, Problems, Result, conflict, escaped};
use crate::session::{Commit, Git, Holders, KeyFiles, Vault};
use std::collections::{BTreeMap, BTreeSet};

/// A box as two branches have it, with one lock for both.
struct Joined {
    ours: OpenBox,
    theirs: OpenBox,
    /// Opens the values of both.
    both: OpenBox,
    made: Made,
}

/// The three versions that are joined.
struct Sides {
    git: Git,
    ours: String,
    theirs: String,
    base: Option<String>,
    /// As it was typed.
    named: String,
}

pub(super) fn run(also: &str, accept: &Acceptance, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let mut vault = Vault::load_with_faults(&ctx.session, &workspace)?;
    let sides = Sides::of(&vault, also)?;
    let (resolved, problems) = resolved(&vault, &sides);
    Problems::check(problems)?;
    let all = joined(&vault, &sides)?;
    // Whom the other branch removed needs no answer; whom it added does.
    let changes: Vec<(&Joined, ReaderChange)> = all
        .iter()
        .map(|one| (one, ReaderChange::between(one.ours.readers(), one.made.open.readers())))
        .filter(|(_, change)| !change.come.is_empty())
        .collect();
    let to = changes.iter().flat_map(|(one, _)| one.made.open.readers().clone()).collect();
    let shown: Vec<(&BoxFolder, &ReaderChange)> =
        changes.iter().map(|(one, change)| (one.ours.folder(), change)).collect();
    acceptance::ask(ctx, accept, &shown, &to)?;
    vault.lock()?;

    for document in resolved {
        ctx.out.say(format_args!("pillar/{} is merged by key", escaped(document.file())));
        vault.put_document(document);
    }
    for one in &all {
        vault.put_box(&one.made);
    }
    let (mut told, holders) = (Vec::new(), Holders::of(&vault));
    for one in &all {
        told.push(Told::of(&mut vault, &holders, one)?);
    }
    if !vault.is_changed() {
        ctx.out.say(format_args!("{} has no other lock than this branch", escaped(also)));
        return Ok(Exit::Done);
    }
    vault.commit()?;
    for (one, told) in all.iter().zip(&told) {
        report(ctx, one, told);
    }
    if ctx.out.json {
        let new = all.iter().filter(|one| one.made.new_slot).map(|one| one.ours.folder().clone());
        let (mut exposed, mut late) = (Rotation::default(), Vec::<Exposed>::new());
        for told in told {
            exposed.join(told.exposed);
            late.extend(told.late.change);
        }
        ctx.out.object(&rotation::json(&new.collect::<Vec<_>>(), &exposed, &late));
    }
    ctx.out.say("look at it, then: git add pillar, git commit");
    Ok(Exit::Done)
}

impl Sides {
    fn of(vault: &Vault<'_>, named: &str) -> Result<Self> {
        let git = Git::around(vault.session(), vault.workspace().root())?;
        let (ours, theirs) = (Commit::of(&git, "HEAD")?.id, Commit::of(&git, named)?.id);
        let base = base(&git, &ours, &theirs);
        Ok(Self { git, ours, theirs, base, named: named.to_owned() })
    }

    /// A file of the workspace at a commit; `None` where it is not there.
    fn text(&self, commit: &str, path: &str) -> Result<Option<String>> {
        let object = format!("{commit}:{}{path}", self.git.prefix());
        if self.git.ask(["rev-parse", "--verify", "--quiet", &object], b"").is_err() {
            return Ok(None);
        }
        let text = self.git.ask(["cat-file", "blob", &object], b"")?;
        String::from_utf8(text)
            .map(Some)
            .map_err(|_| Problem::failed(format!("{} is not UTF-8", escaped(path))).into())
    }

    fn box_at(&self, commit: &str, folder: &BoxFolder) -> Result<Option<BoxFile>> {
        let path = folder.file();
        self.text(commit, &path)?.map(|text| BoxFile::parse(&text, &path)).transpose()
    }
}

/// The commit that both sides were made from; two histories without a common one have none. Where the one is merged
/// already, it is what the two sides of that merge were made from.
fn base(git: &Git, ours: &str, theirs: &str) -> Option<String> {
    let ask = |arguments: &[&str]| {
        let said = String::from_utf8_lossy(&git.ask(arguments, b"").ok()?).trim().to_owned();
        (!said.is_empty()).then_some(said)
    };
    let base = ask(&["merge-base", ours, theirs])?;
    if base != theirs {
        return Some(base);
    }
    let since = format!("{theirs}..{ours}");
    let merges = ask(&["rev-list", "--merges", "--ancestry-path", "--reverse", &since]);
    let before = merges.and_then(|merges| {
        let first = merges.lines().next()?;
        ask(&["merge-base", &format!("{first}^1"), &format!("{first}^2")])
    });
    before.or(Some(base))
}

/// Pillar files in which git left a conflict, merged by key; and what is wrong with the others.
fn resolved(vault: &Vault<'_>, sides: &Sides) -> (Vec<Document>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (file, text) in vault.unread() {
        let path = format!("pillar/{file}");
        if conflict::check(&path, text).is_ok() {
            let of_file = |fault: &&Problem| fault.place.as_ref().is_some_and(|place| *place.file == *path);
            problems.extend(vault.faults().iter().filter(of_file).cloned());
        } else if !file.ends_with("box.toml") {
            match merged(sides, file, &path) {
                Ok(document) => found.push(document),
                Err(more) => problems.extend(more.into_vec()),
            }
        }
    }
    (found, problems)
}

fn merged(sides: &Sides, file: &str, path: &str) -> Result<Document> {
    let text = |commit: &str| Ok::<_, Problems>(sides.text(commit, path)?.unwrap_or_default());
    let base = sides.base.as_deref().map(text).transpose()?.unwrap_or_default();
    let merged = three_way(file, &base, &text(&sides.ours)?, &text(&sides.theirs)?);
    if merged.conflicts.is_empty() {
        return Document::parse(file, merged.text);
    }
    let keys = merged.conflicts.iter().map(|key| format!("`{key}` was changed on both branches"));
    let problem = Problem::failed(format!("{} cannot be merged by key", escaped(path)));
    Err(keys
        .fold(problem, Problem::cause)
        .hint("choose one value of each, in an editor; then run the same command again")
        .into())
}

/// Every box that the two sides have with another lock.
fn joined(vault: &Vault<'_>, sides: &Sides) -> Result<Vec<Joined>> {
    let in_conflict = vault.unread().filter_map(|(file, _)| {
        BoxFolder::parse(if file == "box.toml" { "" } else { file.strip_suffix("/box.toml")? }).ok()
    });
    let folders: BTreeSet<BoxFolder> = vault.boxes().keys().cloned().chain(in_conflict).collect();
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for folder in &folders {
        match join(vault, sides, folder) {
            Ok(one) => all.extend(one),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    Ok(all)
}

fn join(vault: &Vault<'_>, sides: &Sides, folder: &BoxFolder) -> Result<Option<Joined>> {
    let (ours, theirs) = match vault.boxes().get(folder) {
        Some(file) => (Some(file.clone()), sides.box_at(&sides.theirs, folder)?),
        None => (sides.box_at(&sides.ours, folder)?, sides.box_at(&sides.theirs, folder)?),
    };
    let missing = |what: &str| {
        let problem = Problem::failed(format!("the box {folder} is not there on {what}"));
        problem.hint(format!("take the box that is: git checkout --theirs -- {}, or --ours", folder.file()))
    };
    let is_readable = vault.boxes().contains_key(folder);
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours.lock == theirs.lock && is_readable => return Ok(None),
        (Some(ours), Some(theirs)) => (ours, theirs),
        // A box that one branch made is not in conflict.
        (Some(_), None) if is_readable => return Ok(None),
        (Some(_), None) => return Err(missing(&escaped(&sides.named)).into()),
        (None, _) => return Err(missing("this branch").into()),
    };
    let base = match &sides.base {
        Some(base) => sides.box_at(base, folder)?,
        None => None,
    };
    let ours = vault.open_file_to_change(folder, &ours)?;
    let theirs = vault.unlock_file(folder, &theirs)?;
    let slots = |open: &OpenBox| {
        let retired = open.keys().retired_slots().cloned();
        std::iter::once(open.keys().slot().clone()).chain(retired).collect::<BTreeSet<_>>()
    };
    if slots(&ours).is_disjoint(&slots(&theirs)) {
        return Err(Problem::new(
            Code::Seal,
            format!("the box {folder} of {} is another box", escaped(&sides.named)),
        )
        .cause("it has no slot in common with the box here, so it was not made from it")
        .hint(format!("see which commits made it: git log {} -- {}", escaped(&sides.named), folder.file()))
        .into());
    }
    let readers = readers(vault, base.as_ref(), &ours, &theirs)?;
    let (both, when) = boxes::join(&ours, &theirs);
    let made = boxes::rekey(&both, &readers, when)?;
    Ok(Some(Joined { ours, theirs, both, made }))
}

/// Who reads both: the readers of either side, without those whom one of them removed.
fn readers(vault: &Vault<'_>, base: Option<&BoxFile>, ours: &OpenBox, theirs: &OpenBox) -> Result<Readers> {
    let files = vault.key_files()?;
    let before = |name: &ReaderName| base.is_some_and(|base| base.readers.contains(name));
    let names: BTreeSet<&ReaderName> = ours.readers().keys().chain(theirs.readers().keys()).collect();
    let (mut readers, mut problems) = (Readers::new(), Vec::new());
    for name in names {
        match (ours.readers().get(name), theirs.readers().get(name)) {
            (Some(key), Some(other)) if key == other => drop(readers.insert(name.clone(), key.clone())),
            (Some(key), Some(other)) => match files.get(name)? {
                Some(file) if file == key || file == other => {
                    readers.insert(name.clone(), file.clone());
                }
                _ => problems.push(
                    Problem::failed(format!("{name} has another key on each branch"))
                        .cause(format!("here: {key}"))
                        .cause(format!("there: {other}"))
                        .hint(format!("write the one that is right into {}", KeyFiles::path(name))),
                ),
            },
            (Some(key), None) | (None, Some(key)) if !before(name) => {
                readers.insert(name.clone(), key.clone());
            }
            _ => {}
        }
    }
    Problems::check(problems)?;
    Ok(readers)
}

/// What was sealed again, as far as people have to know it.
struct Told {
    /// What readers of one side alone could read.
    exposed: Rotation,
    /// What stood sealed to a slot that was old on both sides.
    late: Rotation,
}

impl Told {
    fn of(vault: &mut Vault<'_>, holders: &Holders, one: &Joined) -> Result<Self> {
        let sweep = vault.sweep(&[(&one.both, &one.made)])?.pop().unwrap_or_default();
        let values: BTreeMap<Origin, Sealed> = vault
            .documents_in(one.both.folder())
            .flat_map(Document::sealed)
            .map(|sealed| (sealed.origin.clone(), sealed.clone()))
            .collect();
        let current = [one.ours.keys().slot(), one.theirs.keys().slot()];
        let is_late = |origin: &Origin| {
            let opened = values.get(origin).and_then(|sealed| seal::open(sealed, one.both.keys()).ok());
            opened.and_then(|opened| opened.retired).is_some_and(|slot| !current.contains(&&slot))
        };
        let of = |sealed: &Sealed| (sealed.origin.clone(), sealed.id.clone());
        let resealed: Vec<(Origin, SealId)> = sweep.resealed.iter().map(of).collect();
        let stale = |(origin, _): &&(Origin, SealId)| sweep.late.contains(origin) && is_late(origin);
        let mut told = Self { exposed: Rotation::default(), late: Rotation::default() };
        told.late.also(vault, holders, &resealed.iter().filter(stale).cloned().collect::<Vec<_>>());
        if !one.made.change.gone.is_empty() {
            told.exposed.also(vault, holders, &resealed);
        }
        vault.put_resealed(&sweep.resealed)?;
        Ok(told)
    }
}

fn report(ctx: &Context, one: &Joined, told: &Told) {
    let folder = one.ours.folder();
    let names: Vec<&str> = one.made.open.readers().keys().map(ReaderName::as_str).collect();
    ctx.out
        .say(format_args!("{folder} has one lock for both branches; its readers are {}", names.join(", ")));
    if one.made.new_slot {
        ctx.out.say(format_args!("{folder} has a new slot: {}", one.made.file.slot));
    }
    rotation::say(ctx, "removed readers could read", &told.exposed, None);
    rotation::say(ctx, "posted to an old slot, readable by removed readers", &told.late, None);
}
