//! `pillarbox who-can-read KEY [--at DATE|REF]`.

use super::reader::When;
use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::KeyPath;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::document::{file_name, resolve_key};
use crate::pillar::readership::Reader;
use crate::pillar::{Origin, SealId};
use crate::problem::{Code, Problem, Result, escaped};
use crate::session::{Commit, Git, Past, Vault};
use serde_json::json;
use std::collections::BTreeMap;

/// List who can open a secret, since when and by which box: now, or at a date or commit
#[derive(clap::Args, Debug)]
#[command(after_help = "\
From git, and without a private key: names as the box lists them, keys as keys/ has them. Where the box opens
here, its lock is asked instead.

Examples:
  pillarbox who-can-read api.db_password
  pillarbox who-can-read api.db_password --at 2026-03-31
  pillarbox who-can-read --in registries/ghcr.io registries --at v1.4.0")]
pub(in crate::cli) struct WhoCanReadArgs {
    /// Dotted key of a sealed value, or of a table with some
    key: String,
    /// File below pillar/ that it is in, `.toml` optional [default: every file that has it]
    #[arg(long = "in", value_name = "FILE")]
    file: Option<String>,
    /// A date (`2026-03-31`: the end of that day, UTC), a time (`2026-03-31T12:00:00Z`) or a git revision
    #[arg(long, value_name = "DATE|REF")]
    at: Option<String>,
}

/// A secret with everyone who can or could open it.
struct Access {
    place: Origin,
    id: SealId,
    folder: Option<BoxFolder>,
    /// Whether the lock was asked.
    by_lock: bool,
    /// Since when; `None` where git does not know it.
    readers: Vec<(Reader, Option<When>)>,
    /// Those who could, and until when they were readers.
    former: Vec<(Reader, Option<When>)>,
}

pub(in crate::cli) fn run(args: &WhoCanReadArgs, ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let commit = args.at.as_deref().map(|at| commit(&vault, at)).transpose()?;
    let past = match &commit {
        Some(commit) => Past::up_to(&vault, commit)?,
        None => Past::everything(&vault),
    };
    let mut all = Vec::new();
    for (place, id) in named(args, &past)? {
        all.push(access(&vault, &past, place, id, commit.is_none())?);
    }
    if ctx.out.json {
        ctx.out.object(&json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "commit": commit,
            "partial": past.partial || past.without_git.is_some(),
            "secrets": all.iter().map(Access::json).collect::<Vec<_>>(),
        }));
    } else {
        if let Some(commit) = &commit {
            ctx.out.say(format_args!("as of the commit {commit}"));
        }
        all.iter().for_each(|one| ctx.out.data(one.text()));
    }
    if past.without_git.is_some() {
        ctx.out.warn("there is no git to ask: since when, and who could read it earlier, is not known");
    } else if past.partial {
        ctx.out.warn(
            "this clone does not have the whole history, so who could read it earlier is not known; to get it: \
             git fetch --unshallow",
        );
    }
    Ok(Exit::Done)
}

/// The commit of a date, time or revision.
fn commit(vault: &Vault<'_>, at: &str) -> Result<String> {
    let git = Git::around(vault.session(), vault.workspace().root())?;
    let Some(seconds) = seconds(at) else { return Ok(Commit::of(&git, at)?.id) };
    let found = Commit::at_time(&git, seconds)?;
    Ok(found.ok_or_else(|| Problem::failed(format!("there is no commit of {} or before", escaped(at))))?.id)
}

/// A date or time in seconds since 1970; git would take any word for one.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_second());
    }
    let date: jiff::civil::Date = (text.len() == 10).then(|| text.parse().ok())??;
    let next = date.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(next.timestamp().as_second() - 1)
}

/// The secrets that are meant, in what stands at that time.
fn named(args: &WhoCanReadArgs, past: &Past) -> Result<Vec<(Origin, SealId)>> {
    let file = match &args.file {
        Some(file) => Some(file_name(file.strip_prefix("pillar/").unwrap_or(file))?),
        None => None,
    };
    let all = past.state.files.iter().filter(|(name, _)| file.as_ref().is_none_or(|file| file == *name));
    let all: Vec<(Origin, SealId)> = all
        .flat_map(|(file, secrets)| {
            secrets.iter().map(|(key, id)| (Origin { file: file.clone(), key: key.clone() }, id.clone()))
        })
        .collect();
    let mut keys: Vec<KeyPath> = Vec::new();
    for (place, _) in &all {
        let above = std::iter::successors(Some(place.key.clone()), KeyPath::parent);
        keys.extend(above);
    }
    let key = resolve_key(&args.key, &keys)?;
    let meant: Vec<_> = all.into_iter().filter(|(place, _)| place.key.is_within(&key)).collect();
    if meant.is_empty() {
        let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let when = args.at.as_ref().map(|at| format!(" at {}", escaped(at))).unwrap_or_default();
        let problem = Problem::failed(format!("no sealed value `{key}` stands in the pillar{when}"));
        return Err(problem
            .nearest(&args.key, names.iter().map(String::as_str))
            .hint("for one that was taken out, give a commit or date at which it stood: --at 2026-03-31")
            .into());
    }
    Ok(meant)
}

fn access(vault: &Vault<'_>, past: &Past, place: Origin, id: SealId, now: bool) -> Result<Access> {
    let folder = past.state.governing(&place.file).cloned();
    let (mut readers, mut by_lock) = (BTreeMap::new(), false);
    if let Some(folder) = &folder {
        let since = past.state.since.get(folder);
        let since = |reader: &Reader| Some(When::of(past, *since?.get(reader)?));
        let listed = past.state.readers(folder);
        let opened = match now.then(|| vault.open_box(folder)).transpose() {
            Err(problems) if problems.code() == Code::NoIdentity => None,
            other => other?,
        };
        by_lock = opened.is_some();
        let readers_now = match &opened {
            Some(open) => {
                let of = |(name, key): (&_, &Recipient)| Reader {
                    name: Clone::clone(name),
                    key: Some(key.clone()),
                };
                open.readers().iter().map(of).collect()
            }
            None => listed,
        };
        readers.extend(readers_now.into_iter().map(|reader| {
            let since = since(&reader);
            (reader, since)
        }));
    }
    let left = |reader: &Reader| {
        let last = past.readership.left.get(reader)?.values().max()?;
        Some(When::of(past, *last))
    };
    let could = past.readership.who(&id).into_iter().filter(|reader| !readers.contains_key(*reader));
    let former = could.map(|reader| (reader.clone(), left(reader))).collect();
    Ok(Access { place, id, folder, by_lock, readers: readers.into_iter().collect(), former })
}

impl Access {
    fn text(&self) -> String {
        let folder = self.folder.as_ref().map_or("no box".to_owned(), |folder| format!("the box {folder}"));
        let how = if self.by_lock { "as its lock says" } else { "as listed in clear" };
        let mut text =
            format!("{}  (id {})\n  by {folder}, {how}:\n", escaped(&self.place.to_string()), self.id);
        let line = |(Reader { name, key }, when): &(Reader, Option<When>), word: &str| {
            let key = key.as_ref().map_or("no key in keys/", Recipient::as_str);
            let when = when.as_ref().map(|when| format!("  {word} {when}")).unwrap_or_default();
            format!("    {name}  {key}{when}\n")
        };
        self.readers.iter().for_each(|reader| text.push_str(&line(reader, "since")));
        if !self.former.is_empty() {
            text.push_str("  could read the same secret, also in older commits, and cannot open it now:\n");
            self.former.iter().for_each(|reader| text.push_str(&line(reader, "until")));
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let list = |all: &[(Reader, Option<When>)], word: &str| {
            let one = |(reader, when): &(Reader, Option<When>)| {
                json!({
                    "name": reader.name.as_str(),
                    "key": reader.key.as_ref().map(Recipient::as_str),
                    word: when.as_ref().map(When::json),
                })
            };
            all.iter().map(one).collect::<Vec<_>>()
        };
        json!({
            "file": self.place.file,
            "key": self.place.key.to_string(),
            "id": self.id.as_str(),
            "box": self.folder.as_ref().map(ToString::to_string),
            "by_lock": self.by_lock,
            "readers": list(&self.readers, "since"),
            "former": list(&self.former, "until"),
        })
    }
}
