//! What every command works with below the command line.

use super::environment::Environment;
use super::identity::source::Search;
use super::operator::Operator;
use crate::keyring::Answer;
use crate::keyring::desktop::Unlocking;
use crate::problem::Result;
use crate::store::PersonalPaths;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// Options of the command line that decide what a session may read and trust.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-C`: the workspace's folder.
    pub workspace: Option<PathBuf>,
    /// `--identity`: file with the private key.
    pub identity: Option<PathBuf>,
    /// `--no-identity`: no private key is used.
    pub no_identity: bool,
    /// `--strict`: what is seen for the first time is refused.
    pub strict: bool,
}

/// What every command works with: options and environment as values, the operator, and the private keys
/// that were found so far.
#[derive(Debug)]
pub struct Session {
    /// Options of the command line.
    pub options: Options,
    /// What the process was started with.
    pub env: Environment,
    /// Who is told and asked.
    pub operator: Box<dyn Operator>,
    /// There is no operator to answer, even if there is a terminal: nothing is asked, and what could ask by
    /// itself (a desktop's keyring) is left alone.
    pub unattended: bool,
    /// Reads the desktop's keyring. `None` where it is left alone: a program that never sets this does not
    /// even hold the code that speaks to it, which is a large part of a small binary.
    pub desktop: Option<fn(Unlocking) -> Answer>,
    pub(super) search: Search,
    pub(super) root: OnceCell<PathBuf>,
}

impl Session {
    /// A session in which no key was looked for yet.
    pub fn new(options: Options, env: Environment, operator: Box<dyn Operator>) -> Self {
        Self {
            options,
            env,
            operator,
            unattended: false,
            desktop: None,
            search: Search::default(),
            root: OnceCell::new(),
        }
    }

    /// Whether a folder is the personal overlay.
    pub(super) fn is_overlay(&self, root: &Path) -> bool {
        self.paths().is_ok_and(|paths| paths.overlay.canonicalize().is_ok_and(|overlay| overlay == root))
    }

    /// Whether what is seen for the first time is refused: `--strict` or `PILLARBOX_STRICT`.
    pub fn strict(&self) -> bool {
        self.options.strict || self.env.strict
    }

    /// A path as a person gave it, absolute.
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
        Self::new(Options::default(), env, Box::new(super::operator::NoOperator))
    }
}
