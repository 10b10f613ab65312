//! `pillarbox registry helper remove`.

use super::files::{Files, home_shown};
use crate::cli::{Context, Exit};
use crate::docker_config::Wired;
use crate::problem::{Problems, Result};
use crate::store;
use std::path::{Path, PathBuf};

/// Take back what `registry helper install` wrote; other helpers that it replaced are put back
#[derive(clap::Args, Debug)]
pub(super) struct RegistryHelperRemoveArgs {
    #[command(flatten)]
    files: Files,
    /// Show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// A file after it: `None` where it goes.
type After = (PathBuf, String, Option<String>);

pub(super) fn run(args: &RegistryHelperRemoveArgs, ctx: &Context) -> Result<Exit> {
    let paths = ctx.session.paths()?;
    let _held = store::hold(&paths.wired)?;
    let mut wired =
        Wired::parse(store::read_private(&paths.wired)?.as_deref(), &home_shown(ctx, &paths.wired))?;
    let (mut after, mut problems): (Vec<After>, Vec<_>) = (Vec::new(), Vec::new());
    for file in args.files.read(ctx)? {
        let Some(text) = file.text else {
            wired.forget(&file.real);
            continue;
        };
        match wired.take_back(&file.real, &file.shown, &text) {
            Ok(now) if now.as_deref() == Some(&*text) => {
                ctx.out.say(format_args!("{} does not name pillarbox", file.shown));
            }
            Ok(now) => after.push((file.path, file.shown, now)),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    Problems::check(problems)?;
    after.extend(config(ctx, &mut wired, &paths.config)?);
    for (_, shown, now) in &after {
        let line = match now {
            Some(_) => format!("{shown}: as it was before pillarbox"),
            None => format!("{shown}: removed, it was not there before"),
        };
        if args.dry_run { ctx.out.data(line) } else { ctx.out.say(line) }
    }
    if args.dry_run {
        return Ok(Exit::Done);
    }
    for (path, _, now) in &after {
        match now {
            Some(text) => store::write_alike(path, text.as_bytes())?,
            None => store::remove_private(path)?,
        }
    }
    match wired.text() {
        Some(text) => store::write_private(&paths.wired, text.as_bytes())?,
        None => store::remove_private(&paths.wired)?,
    }
    Ok(Exit::Done)
}

/// `config.toml`, where nobody changed it since and no client asks us any more.
fn config(ctx: &Context, wired: &mut Wired, path: &Path) -> Result<Option<After>> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
    if !wired.is_only(&real) {
        return Ok(None);
    }
    let text = store::read_private(path)?;
    let found = text.and_then(|text| wired.take_back_exactly(&real, &text));
    wired.forget(&real);
    Ok(found.map(|now| (path.to_owned(), home_shown(ctx, path), now)))
}
