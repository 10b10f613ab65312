//! git for a new workspace: offered on a terminal, made with `--git`, and never without being asked for.

use super::InitArgs;
use super::template::ATTRIBUTES_LINE;
use crate::cli::Context;
use crate::problem::{Code, Result, quoted};
use crate::session::{DRIVERS, Git};
use std::path::Path;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was not wanted, or there was no way to ask.
    Left { is_repository: bool },
    /// The repository knows how pillar files are shown and merged.
    SetUp { is_new: bool },
}

/// Does what the options or the person at the terminal say.
pub(super) fn set_up(args: &InitArgs, dir: &Path, ctx: &Context) -> Result<Outcome> {
    let is_repository = dir.ancestors().any(|above| above.join(".git").exists());
    let left = Outcome::Left { is_repository };
    let is_wanted = match (args.git, args.no_git) {
        (true, _) => true,
        (_, true) => false,
        _ => !is_repository && is_agreed(ctx)?,
    };
    if !is_wanted {
        return Ok(left);
    }
    if !is_repository {
        Git::make(&ctx.session, dir)?;
    }
    Git::around(&ctx.session, dir)?.set_drivers()?;
    Ok(Outcome::SetUp { is_new: !is_repository })
}

fn is_agreed(ctx: &Context) -> Result<bool> {
    if !ctx.console.can_ask() || !Git::is_installed(&ctx.session) {
        return Ok(false);
    }
    let question = "make it a git repository, with readable diffs of sealed values and merges by key?";
    match ctx.console.confirm(question) {
        Ok(()) => Ok(true),
        Err(problems) if problems.code() == Code::Declined => Ok(false),
        Err(problems) => Err(problems),
    }
}

/// What was done.
pub(super) fn said(outcome: Outcome, ctx: &Context) {
    if let Outcome::SetUp { is_new } = outcome {
        let made = if is_new { "made a git repository; it" } else { "the git repository" };
        ctx.out.say(format_args!("{made} shows sealed values by their ids and merges by key"));
    }
}

/// What is left to do by hand.
pub(super) fn next_steps(outcome: Outcome, attributes_kept: bool, args: &InitArgs, ctx: &Context) {
    if attributes_kept {
        ctx.out.say(format_args!("  add to .gitattributes: {ATTRIBUTES_LINE}"));
    }
    let Outcome::Left { is_repository } = outcome else { return };
    if args.no_git {
        return;
    }
    if !is_repository {
        ctx.out.say("  git init");
    }
    for (key, value) in DRIVERS.into_iter().filter(|(key, _)| *key != "merge.pillarbox.name") {
        ctx.out.say(format_args!("  git config {key} {}", quoted(value)));
    }
}
