//! What a shell asks for while a command is typed. The answer comes from the names in the workspace alone: nothing
//! is asked or opened, no host is contacted, and a workspace that cannot be read has no names.

mod arguments;
mod line;
mod values;

pub(super) use line::Typed;

use super::{Context, Exit, environment::environment};
use clap_complete::engine::{CompletionCandidate, complete};
use std::ffi::OsString;
use std::path::PathBuf;

/// The argument by which the shells' functions ask.
pub(super) const WORD: &str = "complete-words";

/// What is printed for a shell, which keeps it.
pub(super) const BASH: &str = include_str!("complete/pillarbox.bash");
/// As [`BASH`].
pub(super) const ZSH: &str = include_str!("complete/_pillarbox");
/// As [`BASH`].
pub(super) const FISH: &str = include_str!("complete/pillarbox.fish");

/// Answers one question: a candidate in each line, in most shells with what it is after a tab.
pub(super) fn serve(args: &[OsString]) -> Exit {
    let Some((shell, rest)) = args.split_first() else { return Exit::Usage };
    let typed = match (shell.to_str(), rest) {
        (Some("bash"), [breaks, line]) => Typed::line(&line.to_string_lossy(), &breaks.to_string_lossy()),
        (Some("zsh" | "fish"), words) => Typed::words(words),
        _ => return Exit::Usage,
    };
    let mut text = String::new();
    for candidate in candidates(&typed) {
        let value = candidate.get_value().to_string_lossy();
        if value.chars().any(char::is_control) {
            continue;
        }
        let Some(value) = typed.inserted(&value) else { continue };
        text.push_str(&value);
        let help = candidate.get_help().map(|help| help.to_string());
        let help = help.as_deref().and_then(|help| help.lines().next()).filter(|_| typed.wants_help);
        if let Some(help) = help {
            text.push('\t');
            text.extend(help.chars().filter(|c| !c.is_control()));
        }
        text.push('\n');
    }
    let ctx = Context::unattended(environment());
    ctx.out.bytes(text.as_bytes());
    Exit::Done
}

fn candidates(typed: &Typed) -> Vec<CompletionCandidate> {
    let Some(index) = typed.words.len().checked_sub(1).filter(|index| *index > 0) else { return Vec::new() };
    let mut command = arguments::with_values(super::command(), &workspace(&typed.words));
    let words: Vec<OsString> = typed.words.iter().map(OsString::from).collect();
    let here = environment().cwd;
    let mut found = complete(&mut command, words, index, Some(&here)).unwrap_or_default();
    // Options are many: they come once their first letter is there.
    if typed.words.last().is_some_and(|last| !last.starts_with('-')) {
        found.retain(|one| !one.get_value().to_string_lossy().starts_with('-'));
    }
    found
}

/// The folder that `-C` names.
fn workspace(words: &[String]) -> Option<PathBuf> {
    let at = words.iter().position(|word| word.starts_with("-C"))?;
    let near = words[at].strip_prefix("-C").filter(|near| !near.is_empty()).map(str::to_owned);
    near.or_else(|| words.get(at + 1).filter(|_| at + 2 < words.len()).cloned()).map(PathBuf::from)
}
