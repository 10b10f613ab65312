//! Where the workspace is.

use super::fault::cannot;
use super::workspace::Workspace;
use crate::inventory::FILE;
use crate::problem::{Problem, Result, escaped, quoted};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What decides which workspace is meant; the command line and the environment are read elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// `-C DIR`, or else `PILLARBOX_WORKSPACE`: this folder and no other.
    pub given: Option<PathBuf>,
    /// Where the search upwards begins: the current folder.
    pub start: PathBuf,
    /// The home folder, above which nothing is looked at.
    pub home: Option<PathBuf>,
}

/// Opens the workspace that is given, or else the first one upwards from the start: up to the home
/// folder, and only where `pillarbox.toml` and its folder belong to this user or root.
///
/// # Errors
/// Where there is none, it belongs to another user, or it cannot be opened.
pub fn find(search: &Search) -> Result<Workspace> {
    if let Some(given) = &search.given {
        return Workspace::open(given);
    }
    let start = search.start.canonicalize().map_err(|error| cannot("open", &search.start, &error))?;
    let home = search.home.as_ref().and_then(|home| home.canonicalize().ok());
    let user = rustix::process::geteuid().as_raw();
    match upwards(&start, home.as_deref(), user)? {
        Some(root) => Workspace::open(root),
        None => Err(Problem::failed(format!(
            "there is no {FILE} in {} or above it",
            escaped(&start.display().to_string())
        ))
        .hint("go to your workspace, or name it: pillarbox -C DIR …")
        .hint("make one here: pillarbox init")
        .into()),
    }
}

/// The folder with the inventory, for a user id.
pub(super) fn upwards<'p>(start: &'p Path, home: Option<&Path>, user: u32) -> Result<Option<&'p Path>> {
    for folder in start.ancestors() {
        if let Ok(file) = folder.join(FILE).symlink_metadata() {
            let own = |owner: u32| owner == user || owner == 0;
            if own(file.uid()) && folder.symlink_metadata().is_ok_and(|data| own(data.uid())) {
                return Ok(Some(folder));
            }
            let shown = folder.display().to_string();
            return Err(Problem::failed(format!("{}/{FILE} belongs to another user", escaped(&shown)))
                .hint(format!("if you trust it: pillarbox -C {} …", quoted(&shown)))
                .into());
        }
        if home == Some(folder) {
            break;
        }
    }
    Ok(None)
}
