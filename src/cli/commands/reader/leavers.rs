//! `pillarbox reader leavers [NAME]`: former readers, from git. Nothing is written down, so nothing can be
//! forgotten, forged in a file or in conflict.

use super::exposed::{Exposed, Fate, When};
use super::rotation::{self, Rotation};
use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::readership::Reader;
use crate::problem::{Problem, Result};
use crate::session::{Holders, Past, Vault};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct ReaderLeaversArgs {
    /// List each secret that this reader could open [default: a summary of all former readers]
    name: Option<String>,
    /// Write the whole list to this file, as JSON where it ends in .json
    #[arg(long, value_name = "FILE", requires = "name")]
    to: Option<PathBuf>,
}

/// A reader who could open what they cannot open now.
struct Leaver<'p> {
    reader: &'p Reader,
    left: BTreeMap<&'p BoxFolder, When>,
    /// What was not changed since, and what was.
    rotation: Rotation,
    /// What was replaced or gone before they left.
    before: Vec<Exposed>,
}

pub(super) fn run(args: &ReaderLeaversArgs, ctx: &Context) -> Result<Exit> {
    let name = args.name.as_deref().map(ReaderName::parse).transpose()?;
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let past = Past::everything(&vault);
    if let Some(problems) = past.without_git.clone() {
        return Err(problems.map(|problem| {
            problem.cause("former readers and what they could open are known from git alone")
        }));
    }
    let holders = Holders::of(&vault);
    let mut leavers = leavers(&vault, &past, &holders);
    if let Some(name) = &name {
        leavers.retain(|leaver| leaver.reader.name == *name);
        if leavers.is_empty() {
            return Err(unknown(&past, name).into());
        }
    }
    if let Some(file) = &args.to {
        let mut all = Rotation::default();
        leavers.iter().for_each(|leaver| all.join(leaver.rotation.clone()));
        let title = format!("{} could read, also in older commits", args.name.as_deref().unwrap_or_default());
        rotation::write(ctx, file, &title, &all)?;
    }
    if ctx.out.json {
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "partial": past.partial,
            "leavers": leavers.iter().map(Leaver::json).collect::<Vec<_>>(),
        }));
    } else if args.to.is_none() {
        for leaver in &leavers {
            ctx.out.data(leaver.text(name.is_some()));
        }
        if leavers.is_empty() {
            ctx.out.say("no reader has left a box, as far as git knows");
        } else if name.is_none() {
            ctx.out.say("each secret of one of them: pillarbox reader leavers NAME");
        }
    }
    rotation::say_limits(ctx, &past, &holders);
    Ok(Exit::Done)
}

fn leavers<'p>(vault: &Vault<'_>, past: &'p Past, holders: &Holders) -> Vec<Leaver<'p>> {
    let state = &past.state;
    let now: BTreeMap<&BoxFolder, BTreeSet<Reader>> =
        state.boxes.keys().map(|folder| (folder, state.readers(folder))).collect();
    let mut all = Vec::new();
    for reader in past.readership.readers() {
        let reads = |folder: &BoxFolder| now.get(folder).is_some_and(|readers| readers.contains(reader));
        let left = past.readership.left.get(reader).into_iter().flatten();
        let left: BTreeMap<&BoxFolder, When> = left
            .filter(|(folder, _)| !reads(folder))
            .map(|(folder, at)| (folder, When::of(past, *at)))
            .collect();
        let is_reader = state.boxes.keys().any(reads);
        let mut rotation = Rotation::of(vault, holders, past, &BTreeSet::from([reader]), reads);
        let Some(last) = left.values().map(|when| when.at).max() else {
            // Still a reader of all their boxes; but a secret may have moved to another.
            rotation.revoke.clear();
            rotation.replaced.clear();
            if is_reader && !rotation.change.is_empty() {
                all.push(Leaver { reader, left, rotation, before: Vec::new() });
            }
            continue;
        };
        let was_over = |one: &Exposed| match &one.fate {
            Fate::Stands => false,
            Fate::Gone(when) | Fate::Replaced(when) => when.at < last,
        };
        let mut before = Vec::new();
        for list in [&mut rotation.revoke, &mut rotation.replaced] {
            before.extend(list.iter().filter(|one| was_over(one)).cloned());
            list.retain(|one| !was_over(one));
        }
        all.push(Leaver { reader, left, rotation, before });
    }
    all
}

impl Leaver<'_> {
    fn text(&self, whole: bool) -> String {
        let Reader { name, key } = self.reader;
        let key = key.as_ref().map_or("a key that keys/ did not hold", Recipient::as_str);
        let mut text = format!("{name}  {key}\n");
        for (folder, when) in &self.left {
            text.push_str(&format!("  left {folder} {when}\n"));
        }
        let Rotation { change, revoke, replaced } = &self.rotation;
        text.push_str(&format!(
            "  {} to change, {} gone from the pillar since and {} replaced since; {} were no longer in use before\n",
            change.len(),
            revoke.len(),
            replaced.len(),
            self.before.len()
        ));
        if whole {
            text.push_str(&self.rotation.text(usize::MAX));
            if !self.before.is_empty() {
                text.push_str("no longer in use before they left:\n");
                self.before.iter().for_each(|one| text.push_str(&format!("  {one}\n")));
            }
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let left = |(folder, when): (&&BoxFolder, &When)| {
            let mut left = when.json();
            left["box"] = folder.to_string().into();
            left
        };
        let mut object = self.rotation.json();
        object["name"] = self.reader.name.as_str().into();
        object["key"] = self.reader.key.as_ref().map(Recipient::as_str).into();
        object["left"] = self.left.iter().map(left).collect::<Vec<_>>().into();
        object["before"] = self.before.iter().map(Exposed::json).collect::<Vec<_>>().into();
        object
    }
}

fn unknown(past: &Past, name: &ReaderName) -> Problem {
    let all: BTreeSet<&str> = past.readership.readers().map(|reader| reader.name.as_str()).collect();
    match all.contains(name.as_str()) {
        true => Problem::failed(format!("{name} has left no box"))
            .hint(format!("to remove {name}: pillarbox reader remove {name}")),
        false => Problem::failed(format!("{name} was never a reader of a box, as far as git knows"))
            .nearest(name.as_str(), all),
    }
}
