//! Which paths of a workspace may be read and written.

use crate::problem::{Problem, Result, escaped};
use std::path::{Path, PathBuf};

/// The file of `path`, relative to the workspace with `/` between its parts. Only `pillarbox.toml`,
/// git's own two files and what lies below `files/`, `keys/`, `pillar/` and `states/` can be named.
///
/// # Errors
/// Where it is another path, or a folder on the way is a symbolic link.
pub(super) fn within(root: &Path, path: &str) -> Result<PathBuf> {
    let parts: Vec<&str> = path.split('/').collect();
    let known = match parts.as_slice() {
        [file] => [crate::inventory::FILE, ".gitattributes", ".gitignore"].contains(file),
        [top, below @ ..] => {
            ["files", "keys", "pillar", "states"].contains(top)
                && below.iter().all(|part| clean(part) && !part.starts_with('.'))
        }
        [] => false,
    };
    if !known {
        return Err(refused(path, "it is not a file of a workspace").into());
    }
    below(root, path, &parts)
}

/// The file of `path` anywhere below the workspace's folder, to be read: what a Compose file names. Git's folder and the
/// tool's own are not for that.
///
/// # Errors
/// As [`within`].
pub(super) fn beside(root: &Path, path: &str) -> Result<PathBuf> {
    let parts: Vec<&str> = path.split('/').collect();
    if !parts.iter().all(|part| clean(part)) || [".git", ".pillarbox"].contains(&parts[0]) {
        return Err(refused(path, "it is not a file of a workspace").into());
    }
    below(root, path, &parts)
}

fn refused(path: &str, why: &str) -> Problem {
    Problem::failed(format!("{} is refused: {why}", escaped(path)))
}

fn clean(part: &str) -> bool {
    !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0'])
}

fn below(root: &Path, path: &str, parts: &[&str]) -> Result<PathBuf> {
    let mut folder = root.to_owned();
    for part in &parts[..parts.len() - 1] {
        folder.push(part);
        if folder.symlink_metadata().is_ok_and(|data| !data.is_dir()) {
            return Err(refused(path, "a folder on the way is a symbolic link or no folder").into());
        }
    }
    folder.push(parts[parts.len() - 1]);
    Ok(folder)
}
