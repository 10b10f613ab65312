//! A file that gets secrets in clear text, because a person asked for one.

use super::Context;
use crate::problem::{Problem, Result, escaped};
use crate::secret::Secret;
use crate::store;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where it is. Only its owner can read it once it is written.
pub(in crate::cli) struct ClearFile {
    path: PathBuf,
    shown: String,
}

impl ClearFile {
    /// A path as it was given.
    ///
    /// # Errors
    /// Where it is in the workspace.
    pub(in crate::cli) fn of(ctx: &Context, given: &Path, workspace: &Path) -> Result<Self> {
        let path = ctx.session.absolute(given);
        let shown = escaped(&path.display().to_string());
        if store::is_below(&path, workspace) {
            return Err(Problem::failed(format!("{shown} is in the workspace"))
                .cause("it could be committed, and it is not encrypted")
                .hint("choose a file outside of it")
                .into());
        }
        Ok(Self { path, shown })
    }

    /// For people.
    pub(in crate::cli) fn shown(&self) -> &str {
        &self.shown
    }

    /// What is in it, if it is there.
    ///
    /// # Errors
    /// Where it is no regular file, or not UTF-8.
    pub(in crate::cli) fn read(&self) -> Result<Option<Zeroizing<String>>> {
        Ok(store::read_private(&self.path)?.map(Zeroizing::new))
    }

    /// Writes it, 0600, wholly or not at all.
    ///
    /// # Errors
    /// Where it is there and no regular file, or cannot be written; then it is as it was.
    pub(in crate::cli) fn write(&self, text: &Secret) -> Result<()> {
        if self.path.exists() && !self.path.is_file() {
            return Err(Problem::failed(format!("{} is not a regular file", self.shown)).into());
        }
        store::write_private(&self.path, text.reveal())
    }

    /// Who can read it, for people.
    pub(in crate::cli) fn readable_by(&self) -> String {
        match store::owner_and_mode(&self.path) {
            Some((user, mode)) => {
                format!("its mode is {mode:04o}: only its owner (user {user}) and root can read it")
            }
            None => "its mode could not be read".to_owned(),
        }
    }
}
