//! The command line: arguments, terminal, exit codes. Nothing below this layer prints, reads the
//! environment or picks an exit code.

mod clear_file;
mod commands;
mod complete;
mod console;
mod context;
mod conversation;
mod environment;
mod exit;
mod failure;
mod familiar;
mod harden;
mod help;
mod helper;
mod lock_wait;
mod output;
mod pulls;
mod raw_terminal;
mod reach;
mod rollout;

mod runtime;
mod selection;
mod signal;
mod target;

pub use console::Console;
pub use context::{Context, Global, When};
pub use environment::Terminal;
pub use exit::Exit;
pub use helper::main as credential_helper;
pub(in crate::cli) use lock_wait::LockWaitArgs;
pub use output::{Level, Output};
pub(in crate::cli) use pulls::PullArgs;
pub(in crate::cli) use reach::ReachArgs;
pub(in crate::cli) use rollout::{BatchSizeArgs, PaceArgs};
pub(in crate::cli) use runtime::on_engines;
pub(in crate::cli) use selection::{Chosen, NewHostsArgs, Selection};

use environment::environment;

use crate::problem::{Problem, Problems};
use crate::sandbox;
use crate::script::Run;
use clap::{CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::process::ExitCode;

/// Registry credentials and deploy variables in an encrypted pillar, compiled into plans that bring
/// Docker hosts to the wanted state
#[derive(Debug, Parser)]
#[command(name = "pillarbox", version, about, long_about = None, after_help = exit::TABLE, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true, infer_long_args = false)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: commands::Command,
}

/// The tree of commands, for completions, the manual page and tests.
fn command() -> clap::Command {
    Cli::command()
}

/// Runs one command line; `run` runs programs in Starlark, in a child.
pub fn main(args: impl IntoIterator<Item = OsString>, run: Run) -> ExitCode {
    harden::harden(i32::from(Exit::Defect.code()), say_defect);
    let args: Vec<OsString> = args.into_iter().collect();
    // Before anything is read: this child knows nothing but what it is given.
    if let [_, word] = args.as_slice()
        && word == sandbox::WORD
    {
        return sandbox::serve(run).into();
    }
    if let [_, word, asked @ ..] = args.as_slice()
        && word == complete::WORD
    {
        return complete::serve(asked).into();
    }
    let parsed = || command().try_get_matches_from(&args).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match shown_to_git(&args).map_or_else(parsed, Ok) {
        Ok(cli) => cli,
        Err(error) => return familiar::answer(&error, &args).unwrap_or_else(|| usage(&error)).into(),
    };
    let mut ctx = Context::new(cli.global, environment(), Terminal::read());
    ctx.session.unattended = cli.command.is_unattended();
    ctx.session.desktop = Some(crate::keyring::desktop::read);
    let result = cli.command.run(&ctx);
    let result = match ctx.out.take_failure() {
        Some(error) => also(result, Problem::failed("could not write to standard output").because(&error)),
        None => result,
    };
    match result {
        Ok(exit) => exit,
        Err(problems) => {
            if ctx.out.json {
                ctx.out.error_object(&failure::json(&problems));
            }
            ctx.out.stderr(failure::of_many(&problems, ctx.out.level));
            cli.command.failure(&problems)
        }
    }
    .into()
}

/// `pillarbox show FILE`, which git starts twice for each file of a diff: building the tree of all commands
/// would take longer than showing the file.
fn shown_to_git(args: &[OsString]) -> Option<Cli> {
    let [_, word, file] = args else { return None };
    let file = file.to_str().filter(|file| word == "show" && !file.starts_with('-'))?;
    Some(Cli { global: Global::default(), command: commands::Command::show(file) })
}

/// Adds a problem to a result.
fn also(result: crate::problem::Result<Exit>, problem: Problem) -> crate::problem::Result<Exit> {
    let mut all = result.map_or_else(Problems::into_vec, |_| Vec::new());
    all.push(problem);
    Problems::check(all).map(|()| Exit::Done)
}

/// `--help` and `--version` are data; everything else clap has to say is a usage error.
fn usage(error: &clap::Error) -> Exit {
    let text = error.render().ansi().to_string();
    let (errors, data) = (std::io::stderr(), std::io::stdout());
    let width = if error.use_stderr() { output::width(&errors) } else { output::width(&data) };
    let text = help::fit(&text, width.unwrap_or(usize::MAX));
    // A reader that went away is no error.
    let _ = match error.use_stderr() {
        true => std::io::Write::write_all(&mut anstream::AutoStream::auto(errors), text.as_bytes()),
        false => std::io::Write::write_all(&mut anstream::AutoStream::auto(data), text.as_bytes()),
    };
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// What a panic says.
fn say_defect(place: &str) {
    let error = output::style::ERROR;
    let text = format!(
        "{error}error:{error:#} pillarbox has a defect{place}\n  hint: the same command can be run \
         again; please report this line\n"
    );
    let _ = std::io::Write::write_all(&mut anstream::stderr(), text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_says_in_one_line_what_it_does() {
        for one in command().get_subcommands() {
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.contains('\n') && about.len() < 100, "{}", one.get_name());
            assert!(!about.ends_with('.'), "{}: {about}", one.get_name());
        }
    }

    #[test]
    fn what_git_starts_is_what_the_command_line_means() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let args = words(&["pillarbox", "show", "pillar/a.toml"]);
        let (quick, parsed) = (shown_to_git(&args), Cli::try_parse_from(&args));
        assert_eq!(format!("{:?}", quick.expect("it is show")), format!("{:?}", parsed.expect("it parses")));
        for others in
            [&["p", "show"][..], &["p", "show", "--help"], &["p", "get", "a"], &["p", "-q", "show", "a"]]
        {
            assert!(shown_to_git(&words(others)).is_none(), "{others:?}");
        }
    }

    #[test]
    fn usage_errors_and_help_have_their_exit_codes() {
        let run = |args: &[&str]| {
            let args = std::iter::once(&"pillarbox").chain(args);
            match Cli::try_parse_from(args) {
                Ok(_) => None,
                Err(error) => Some(if error.use_stderr() { Exit::Usage } else { Exit::Done }),
            }
        };
        assert_eq!(run(&["--nonsense"]), Some(Exit::Usage));
        assert_eq!(run(&["no-such-command"]), Some(Exit::Usage));
        assert_eq!(run(&["-q", "-v", "version"]), Some(Exit::Usage));
        assert_eq!(run(&["--help"]), Some(Exit::Done));
        assert_eq!(run(&["version"]), None);
    }
}
