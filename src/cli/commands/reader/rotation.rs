//! The list of what must be changed because someone could read it: a summary on the terminal, all of it in a
//! file or as data.

use super::exposed::{Exposed, Fate};
use crate::cli::Context;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::readership::Reader;
use crate::pillar::{Origin, SealId};
use crate::problem::{Result, escaped};
use crate::session::{Holders, Past, Vault};
use crate::store;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// More than this are counted instead of listed.
const MOST: usize = 20;

/// What a reader could read, by what is to be done about it.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Rotation {
    /// To be changed where they are valid, and sealed again.
    pub(in crate::cli) change: Vec<Exposed>,
    /// No longer in the pillar: to be revoked where they are valid.
    pub(in crate::cli) revoke: Vec<Exposed>,
    /// Replaced by others.
    pub(in crate::cli) replaced: Vec<Exposed>,
}

impl Rotation {
    /// Everything that these readers could ever open, but for what `still` says they may open in the box that it
    /// stands in.
    pub(in crate::cli) fn of(
        vault: &Vault<'_>,
        holders: &Holders,
        past: &Past,
        readers: &BTreeSet<&Reader>,
        still: impl Fn(&BoxFolder) -> bool,
    ) -> Self {
        let now = past.state.places();
        let trails: BTreeMap<&SealId, _> =
            readers.iter().flat_map(|reader| past.readership.of(reader)).collect();
        let mut all = Self::default();
        for one in trails.into_iter().filter_map(|trail| Exposed::of(vault, holders, past, &now, trail)) {
            if one.fate != Fate::Stands || !one.folder.as_ref().is_some_and(&still) {
                all.add(one);
            }
        }
        all.sort();
        all
    }

    /// Adds what stands and is not in it yet.
    pub(in crate::cli) fn also(&mut self, vault: &Vault<'_>, holders: &Holders, more: &[(Origin, SealId)]) {
        let known: BTreeSet<SealId> = self.change.iter().map(|one| one.id.clone()).collect();
        let new = more.iter().filter(|(_, id)| !known.contains(id));
        self.change.extend(new.map(|(place, id)| Exposed::standing(vault, holders, place, id)));
        self.sort();
    }

    /// Puts another one into this.
    pub(in crate::cli) fn join(&mut self, other: Self) {
        self.change.extend(other.change);
        self.revoke.extend(other.revoke);
        self.replaced.extend(other.replaced);
    }

    fn add(&mut self, one: Exposed) {
        match one.fate {
            Fate::Stands => self.change.push(one),
            Fate::Gone(_) => self.revoke.push(one),
            Fate::Replaced(_) => self.replaced.push(one),
        }
    }

    fn sort(&mut self) {
        for list in [&mut self.change, &mut self.revoke, &mut self.replaced] {
            list.sort_by(|a, b| a.place.cmp(&b.place));
        }
    }

    fn is_empty(&self) -> bool {
        self.change.is_empty() && self.revoke.is_empty() && self.replaced.is_empty()
    }

    /// The lists with what to do, each with at most `most` lines.
    pub(in crate::cli) fn text(&self, most: usize) -> String {
        let mut text = String::new();
        for (heading, all) in [
            ("change these where they are valid, then seal the new ones", &self.change),
            ("no longer in the pillar; revoke these where they are valid", &self.revoke),
            ("replaced by others; make sure that these are no longer valid", &self.replaced),
        ] {
            if !all.is_empty() {
                let _ = writeln!(text, "{heading}:");
                text.push_str(&lines(all, most));
            }
        }
        text
    }

    /// As data: the three lists.
    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        let list = |all: &[Exposed]| all.iter().map(Exposed::json).collect::<Vec<_>>();
        json!({
            "rotate": list(&self.change),
            "revoke": list(&self.revoke),
            "replaced": list(&self.replaced),
        })
    }
}

/// One line for each, or, where there are many, one for each box.
fn lines(all: &[Exposed], most: usize) -> String {
    let mut text = String::new();
    if all.len() <= most {
        all.iter().for_each(|one| text.push_str(&format!("  {one}\n")));
        return text;
    }
    let mut counts: BTreeMap<String, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for one in all {
        let folder = one.folder.as_ref().map_or("no box".to_owned(), ToString::to_string);
        let (count, files) = counts.entry(folder).or_default();
        *count += 1;
        files.insert(&one.place.file);
    }
    for (folder, (count, files)) in counts.iter().take(most) {
        let files = many(files.len(), "file", "files");
        let _ = writeln!(text, "  {folder}: {} in {files}", many(*count, "secret", "secrets"));
    }
    if counts.len() > most {
        let _ = writeln!(text, "  and in {}", many(counts.len() - most, "more box", "more boxes"));
    }
    let registries =
        all.iter().filter(|one| one.place.key.parts().first().is_some_and(|top| top == "registries"));
    let _ = writeln!(text, "  in all {} secrets, {} of them of registries", all.len(), registries.count());
    text
}

fn many(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Says what readers who were removed could read. `again`: the command that makes the whole list again, if one
/// can; without one all of it is said.
pub(in crate::cli) fn say(ctx: &Context, heading: &str, all: &Rotation, again: Option<&str>) {
    if all.is_empty() {
        return;
    }
    let most = if again.is_some() { MOST } else { usize::MAX };
    // Also with `-q`: without git this list cannot be made again.
    if !all.change.is_empty() {
        ctx.out.warn(format_args!(
            "{heading}, also in older commits; change these where they are valid, then seal the new ones:"
        ));
        ctx.out.stderr(lines(&all.change, most));
    }
    if !all.revoke.is_empty() {
        ctx.out.warn(format_args!(
            "{heading}, until it was taken out of the pillar; revoke these where they are valid:"
        ));
        ctx.out.stderr(lines(&all.revoke, most));
    }
    if !all.replaced.is_empty() {
        ctx.out.say(format_args!(
            "{} more that were readable were replaced by others since",
            all.replaced.len()
        ));
    }
    if let Some(again) = again {
        ctx.out.say(format_args!("the whole list, with ids and what was changed since: {again}"));
    }
}

/// Writes the whole list to a file that only this user may read: as data where its name ends in `.json`.
///
/// # Errors
/// Where it cannot be written.
pub(in crate::cli) fn write(ctx: &Context, file: &Path, title: &str, all: &Rotation) -> Result<()> {
    let text = match file.extension().is_some_and(|ending| ending == "json") {
        true => format!("{:#}\n", with_version(all.json())),
        false => format!("{title}\n\n{}", all.text(usize::MAX)),
    };
    store::write_private(&ctx.session.absolute(file), text.as_bytes())?;
    ctx.out.say(format_args!("written: {}", escaped(&file.display().to_string())));
    Ok(())
}

fn with_version(mut object: serde_json::Value) -> serde_json::Value {
    object["format_version"] = crate::plan::FORMAT_VERSION.into();
    object
}

/// What was done, as data: boxes with a new slot, what has to be rotated, what was posted to an old slot.
pub(in crate::cli) fn json(boxes: &[BoxFolder], all: &Rotation, late: &[Exposed]) -> serde_json::Value {
    let mut object = with_version(all.json());
    object["new_slots"] = boxes.iter().map(ToString::to_string).collect::<Vec<_>>().into();
    object["posted_to_old_slots"] = late.iter().map(Exposed::json).collect::<Vec<_>>().into();
    object
}

/// The command that lists what a reader could read.
pub(in crate::cli) fn again(past: &Past, name: &str) -> Option<String> {
    past.without_git.is_none().then(|| format!("pillarbox reader leavers {name}"))
}

/// Says what the list cannot contain.
pub(in crate::cli) fn say_limits(ctx: &Context, past: &Past, holders: &Holders) {
    if let Some(problems) = &past.without_git {
        let why = problems.iter().next().map(|problem| problem.what.clone()).unwrap_or_default();
        ctx.out.warn(format_args!(
            "{why}: what was moved, replaced or taken out of the pillar earlier is not known, and not listed"
        ));
    } else if past.partial {
        ctx.out.warn(
            "this clone does not have the whole history, so what stood in older commits is not listed; to get it: \
             git fetch --unshallow",
        );
    }
    if !holders.unknown.is_empty() {
        let hosts: Vec<&str> = holders.unknown.iter().map(String::as_str).collect();
        ctx.out.say(format_args!(
            "what the containers of {} hold is not known: their states do not compile without asking those hosts",
            escaped(&hosts.join(", "))
        ));
    }
}
