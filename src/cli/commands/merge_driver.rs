//! `pillarbox merge-driver BASE OURS THEIRS PATH`: git calls it for files of the pillar
//! (gitattributes(5), "Defining a custom merge driver").

use crate::cli::{Context, Exit};
use crate::pillar::document::{ThreeWay, same_values, three_way, whole};
use crate::problem::{Result, escaped};
use crate::session::Git;
use crate::store;
use std::path::{Path, PathBuf};

/// Merge a pillar file or box.toml by key, for git; opens no secret
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Stops with 1 and git's markers where both sides changed one value, or both changed the lock of a box.

For git, with `pillar/**/*.toml merge=pillarbox` in .gitattributes:
  git config merge.pillarbox.driver 'pillarbox merge-driver %O %A %B %P'")]
pub(in crate::cli) struct MergeDriverArgs {
    /// File with the version that both were made from (%O)
    base: PathBuf,
    /// File with our version (%A); the result is written to it
    ours: PathBuf,
    /// File with the other version (%B)
    theirs: PathBuf,
    /// The path of the file in the repository (%P)
    #[arg(allow_hyphen_values = true)]
    path: String,
}

pub(in crate::cli) fn run(args: &MergeDriverArgs, ctx: &Context) -> Result<Exit> {
    let at = |path: &PathBuf| ctx.session.absolute(path);
    let (base, ours, theirs) = (at(&args.base), at(&args.ours), at(&args.theirs));
    let texts = [store::read_text(&base)?, store::read_text(&ours)?, store::read_text(&theirs)?];
    let is_box = args.path == "box.toml" || args.path.ends_with("/box.toml");
    let merged = if is_box {
        of_box(&args.path, &texts)
    } else {
        of_values(ctx, &args.path, &texts, [&base, &ours, &theirs])
    };
    store::write_alike(&ours, merged.text.as_bytes())?;
    if merged.conflicts.is_empty() {
        return Ok(Exit::Done);
    }
    let path = escaped(&args.path);
    if is_box {
        ctx.out.warn(format_args!(
            "{path}: both branches changed its lock; join the two: pillarbox reader rekey --also MERGE_HEAD"
        ));
    } else {
        ctx.out.warn(format_args!("{path}: both branches changed {}", escaped(&merged.conflicts.join(", "))));
    }
    Ok(Exit::Failed)
}

/// A lock cannot be merged without opening it.
fn of_box(path: &str, [base, ours, theirs]: &[String; 3]) -> ThreeWay {
    match () {
        () if theirs == base => ThreeWay { text: ours.clone(), conflicts: Vec::new() },
        () if ours == base => ThreeWay { text: theirs.clone(), conflicts: Vec::new() },
        () => whole(path, ours, theirs),
    }
}

/// By key; where the lines can be merged with the same result, comments of both sides are kept.
fn of_values(ctx: &Context, path: &str, [base, ours, theirs]: &[String; 3], files: [&Path; 3]) -> ThreeWay {
    let merged = three_way(path, base, ours, theirs);
    if !merged.conflicts.is_empty() {
        return merged;
    }
    match by_line(ctx, files) {
        Some(text) if same_values(path, &text, &merged.text) => ThreeWay { text, ..merged },
        _ => merged,
    }
}

/// What git makes of the lines; `None` where it finds a conflict.
fn by_line(ctx: &Context, files: [&Path; 3]) -> Option<String> {
    let git = Git::around(&ctx.session, &ctx.session.env.cwd).ok()?;
    let [base, ours, theirs] = files.map(|file| file.as_os_str());
    let arguments = ["merge-file".as_ref(), "-p".as_ref(), "-q".as_ref(), ours, base, theirs];
    String::from_utf8(git.ask(arguments, b"").ok()?).ok()
}
