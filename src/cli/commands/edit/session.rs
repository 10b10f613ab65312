//! From the first opening of the editor to the last: what cannot be taken goes back to it.

use super::buffer::{Base, Buffer, Refused, named};
use super::editor::{self, Editor};
use crate::cli::signal::Listener;
use crate::cli::{Context, Exit, failure};
use crate::problem::{Problem, Problems, Result};
use crate::store::Scratch;
use std::time::Instant;

pub(super) async fn run(
    ctx: &Context,
    file: &str,
    editor: &Editor,
    scratch: impl Fn() -> Result<Scratch>,
) -> Result<Exit> {
    let mut base = Base::read(ctx, file)?;
    // From here on a signal ends the editor, not this program.
    let mut signals =
        Listener::new().map_err(|error| Problem::failed("could not listen for signals").because(&error))?;
    let scratch = scratch()?;
    if let Some(note) = editor.note() {
        ctx.out.say(format_args!("note: {note}"));
    }
    // An editor knows a language by the name of a file.
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut buffer = base.buffer(&[])?;
    let mut path = scratch.write(name, &buffer.text())?;
    let outcome = loop {
        let opened = Instant::now();
        editor.edit(&path, &mut signals).await?;
        let left = scratch.read(name)?;
        let mut is_outdated = false;
        let refused = match left.reveal_text() {
            None => Problem::failed("what the editor left is not UTF-8").into(),
            Some(text) => {
                let own = buffer.own(text);
                if buffer.is_unchanged(&own) {
                    scratch.wipe()?;
                    ctx.out.say("nothing was changed");
                    if let Some(note) = editor.did_not_wait(opened.elapsed()) {
                        ctx.out.warn(note);
                    }
                    return Ok(Exit::Done);
                }
                match base.put(ctx, &own, buffer.word()) {
                    Ok(outcome) => break outcome,
                    Err(Refused::Wrong(problems)) => problems,
                    Err(Refused::Outdated) => {
                        let now = Base::read(ctx, file)?;
                        let (problem, newer) = outdated(file, &base, &now, &own)?;
                        (base, buffer, is_outdated) = (now, newer, true);
                        problem.into()
                    }
                }
            }
        };
        if !again(ctx, &refused, &mut signals).await? {
            return Err(refused.map(|problem| {
                problem
                    .cause("the changes were dropped, and the plaintext was wiped")
                    .hint(format!("start again: {}", editor::again(file)))
            }));
        }
        if is_outdated {
            path = scratch.write(name, &buffer.text())?;
        }
    };
    scratch.wipe()?;
    match (outcome.changed, outcome.sealed) {
        (false, _) => ctx.out.say("nothing was changed"),
        (true, 0) => ctx.out.say(format_args!("changed pillar/{file}")),
        (true, 1) => ctx.out.say(format_args!("changed pillar/{file}, one value sealed")),
        (true, many) => ctx.out.say(format_args!("changed pillar/{file}, {many} values sealed")),
    }
    if !outcome.made_clear.is_empty() {
        ctx.out.warn(format_args!("no longer sealed: {}", named(&outcome.made_clear)));
    }
    Ok(Exit::Done)
}

/// The file was changed meanwhile: the person's text goes back to the editor, with the keys that another
/// command changed, and is then written over the newer file.
fn outdated(file: &str, base: &Base, now: &Base, own: &str) -> Result<(Problem, Buffer)> {
    let keys = base.differing(now);
    let mut problem = Problem::failed(format!("pillar/{file} was changed while you edited it"));
    let mut notes = vec!["This is your text. Meanwhile another command changed the file:".to_owned()];
    if keys.is_empty() {
        notes.push("comments or the order of keys.".to_owned());
    } else {
        problem = problem.cause(format!("changed by another command: {}", named(&keys)));
        notes.push(named(&keys));
    }
    notes.push("What you save now replaces that.".to_owned());
    Ok((problem, now.buffer(&notes)?.with(own)))
}

/// Whether the editor is to be opened again; never without a terminal to ask on.
async fn again(ctx: &Context, problems: &Problems, signals: &mut Listener) -> Result<bool> {
    if !(ctx.terminal.stdin && ctx.terminal.stderr) {
        return Ok(false);
    }
    ctx.out.stderr(failure::text(problems));
    ctx.out.stderr("Open the editor again? `n` drops your changes. [Y/n] ");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|count| (count, line))
    });
    let answer = tokio::select! {
        answer = answer => answer,
        () = signals.interrupted() => return Err(editor::interrupted().into()),
    };
    match answer {
        Ok(Ok((count, line))) if count > 0 => Ok(!matches!(line.trim(), "n" | "N" | "no")),
        _ => Ok(false),
    }
}
