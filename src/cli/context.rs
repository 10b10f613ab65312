//! What every command gets: options, environment, output, and the ways to a workspace, an identity
//! and an answer.

mod config;
mod environment;
mod identity;
mod prompt;
mod workspace;

pub use environment::{AGE_KEY, Environment, Terminal};
pub(in crate::cli) use identity::{Asking, IdentitySource};

use super::output::{Level, Output};
use crate::keyring::Answer;
use crate::keyring::desktop::Unlocking;
use crate::problem::Result;
use crate::store::PersonalPaths;
use clap::{Args, ColorChoice, ValueEnum};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

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
    /// Refuse what is seen for the first time instead of remembering it [env: PILLARBOX_STRICT]
    #[arg(long, global = true)]
    pub strict: bool,
    /// Say nothing but data, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: what stays as it is, every step
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
    /// What the process was started with.
    pub env: Environment,
    /// Where to print.
    pub out: Output,
    /// Nobody is there to answer, even if there is a terminal: nothing is asked, and what could ask by
    /// itself (a desktop's keyring) is left alone.
    pub unattended: bool,
    /// Reads the desktop's keyring. `None` where it is left alone: a program that never sets this does not
    /// even hold the code that speaks to it, which is a large part of a small binary.
    pub(in crate::cli) desktop: Option<fn(Unlocking) -> Answer>,
    search: identity::Search,
    root: OnceCell<PathBuf>,
}

impl Context {
    pub(super) fn new(global: Global, env: Environment) -> Self {
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
        let out = Output::new(level, global.json, color);
        Self {
            global,
            env,
            out,
            unattended: false,
            desktop: None,
            search: identity::Search::default(),
            root: OnceCell::new(),
        }
    }

    /// For what runs where nobody can answer (a credential helper, whatever its streams are): no options,
    /// nothing is asked, and nothing is said but warnings and errors.
    pub(super) fn unattended(env: Environment) -> Self {
        let env = Environment { terminal: Terminal::default(), ..env };
        Self { unattended: true, ..Self::new(Global { quiet: true, ..Global::default() }, env) }
    }

    /// Whether a folder is the personal overlay.
    pub(super) fn is_overlay(&self, root: &Path) -> bool {
        self.paths().is_ok_and(|paths| paths.overlay.canonicalize().is_ok_and(|overlay| overlay == root))
    }

    /// Whether what is seen for the first time is refused: `--strict` or `PILLARBOX_STRICT`.
    pub fn strict(&self) -> bool {
        self.global.strict || self.env.strict
    }

    /// A path from the command line, absolute.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.env.cwd.join(path)
    }

    /// Where this person's own files are.
    ///
    /// # Errors
    /// Where there is no home folder.
    pub fn paths(&self) -> Result<PersonalPaths> {
        PersonalPaths::of(&self.env.personal)
    }

    /// The file that remembers what was seen outside of the workspace: `PILLARBOX_KNOWN`, else
    /// `~/.local/state/pillarbox/known.toml`. `None` without a home folder.
    pub fn known_path(&self) -> Option<PathBuf> {
        let named = self.env.personal.known.as_ref().map(PathBuf::from);
        named.or_else(|| Some(self.paths().ok()?.known)).map(|path| self.absolute(&path))
    }

    /// Where `identity new` puts the private key: `~/.config/pillarbox/identity.txt`. `None` without a
    /// home folder.
    pub fn identity_path(&self) -> Option<PathBuf> {
        Some(self.paths().ok()?.identity)
    }

    #[cfg(test)]
    pub(crate) fn for_tests(env: Environment) -> Self {
        Self::new(Global { color: When::Never, ..Global::default() }, env)
    }
}
