//! What every command gets: options, output, the way to an answer, and the session below.

use super::console::Console;
use super::environment::Terminal;
use super::output::{Level, Output};
use crate::session::{Environment, Options, Session};
use clap::{Args, ColorChoice, ValueEnum};
use std::path::PathBuf;
use std::rc::Rc;

/// Options that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The workspace [default: PILLARBOX_WORKSPACE, else the nearest pillarbox.toml from here upwards]
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub workspace: Option<PathBuf>,
    /// File with the private key (a pipe is fine, `-` is standard input)
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "no_identity")]
    pub identity: Option<PathBuf>,
    /// Use no private key, even if there is one
    #[arg(long, global = true)]
    pub no_identity: bool,
    /// Refuse what is seen for the first time, and older boxes than this machine has seen [env: PILLARBOX_STRICT]
    #[arg(long, global = true)]
    pub strict: bool,
    /// Print only data, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more: unchanged resources, every step
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colours: auto (on terminals, unless NO_COLOR is set), always, never
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true, global = true)]
    pub color: When,
    /// Print data as JSON, errors too
    #[arg(long, global = true)]
    pub json: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On terminals, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Also into pipes and files.
    Always,
    /// Not at all.
    Never,
}

impl From<When> for ColorChoice {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

/// What every command gets.
#[derive(Debug)]
pub struct Context {
    /// Options that every command takes.
    pub global: Global,
    /// What is a terminal.
    pub terminal: Terminal,
    /// Where to print.
    pub out: Rc<Output>,
    /// Where to ask.
    pub console: Console,
    /// Environment, private keys and the way to a workspace.
    pub session: Session,
}

impl Context {
    pub(super) fn new(global: Global, env: Environment, terminal: Terminal) -> Self {
        let level = match (global.quiet, global.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        };
        let color = match global.color {
            When::Auto => anstream::ColorChoice::Auto,
            When::Always => anstream::ColorChoice::Always,
            When::Never => anstream::ColorChoice::Never,
        };
        let out = Rc::new(Output::new(level, global.json, color));
        let options = Options {
            workspace: global.workspace.clone(),
            identity: global.identity.clone(),
            no_identity: global.no_identity,
            strict: global.strict,
        };
        let console = Console::new(Rc::clone(&out), terminal);
        let session = Session::new(options, env, Box::new(console.clone()));
        Self { global, terminal, out, console, session }
    }

    /// For a program that runs unattended (a credential helper, whatever its streams are): no options, no
    /// questions, and only warnings and errors are printed.
    pub(super) fn unattended(env: Environment) -> Self {
        let global = Global { quiet: true, ..Global::default() };
        let mut context = Self::new(global, env, Terminal::default());
        context.session.unattended = true;
        context
    }
}
