//! A repository for a workspace, and what git has to know of pillar files.

use super::{Child, Git, Inherited, LIMIT, LIMITS, shown};
use crate::problem::{Problem, Result, escaped};
use crate::process::{self, End};
use crate::session::Session;
use std::path::Path;
use zeroize::Zeroizing;

/// What `git config` has to be told, for readable diffs and for merges by key.
pub const DRIVERS: [(&str, &str); 4] = [
    ("diff.pillarbox.textconv", "pillarbox show"),
    ("diff.pillarbox.cachetextconv", "true"),
    ("merge.pillarbox.name", "values by their keys"),
    ("merge.pillarbox.driver", "pillarbox merge-driver %O %A %B %P"),
];

impl Git {
    /// Whether there is one.
    pub fn is_installed(session: &Session) -> bool {
        process::find_in(session.env.search_path.as_deref().unwrap_or_default(), "git").is_some()
    }

    /// `git init`, as the user's own configuration has it (the name of the first branch).
    ///
    /// # Errors
    /// Where there is no git, or it fails.
    pub fn make(session: &Session, folder: &Path) -> Result<()> {
        let failed = || Problem::failed(format!("no git repository was made in {}", shown(folder)));
        let search_path = session.env.search_path.clone().unwrap_or_default();
        let Some(program) = process::find_in(&search_path, "git") else {
            return Err(failed().cause("git is not installed").into());
        };
        let mut command = process::command(&program, Inherited::Basic);
        command.args(["init", "--quiet", "--"]).arg(folder);
        let child = Child::start(&mut command, Zeroizing::new(Vec::new()), LIMITS)
            .map_err(|error| failed().because(&error))?;
        let (end, output) = child.finish(LIMIT);
        if matches!(end, End::Exit(0)) {
            return Ok(());
        }
        Err(failed().cause(escaped(String::from_utf8_lossy(&output.err).trim())).into())
    }

    /// Tells this repository of [`DRIVERS`].
    ///
    /// # Errors
    /// Where its configuration cannot be written.
    pub fn set_drivers(&self) -> Result<()> {
        for (key, value) in DRIVERS {
            self.ask(["config", "--local", key, value], &[])?;
        }
        Ok(())
    }
}
