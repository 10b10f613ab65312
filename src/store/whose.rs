//! Where a file is, and whose.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The user id and the mode (permission bits alone) of what a path leads to; `None` where that cannot be told.
pub fn owner_and_mode(path: &Path) -> Option<(u32, u32)> {
    path.metadata().ok().map(|data| (data.uid(), data.mode() & 0o7777))
}

/// Whether a path leads into a folder, whether there is a file or not, and through symbolic links.
pub fn is_below(path: &Path, folder: &Path) -> bool {
    real(path).starts_with(real(folder))
}

/// As far as it is there without symbolic links, the rest as it is written.
fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match found {
        Some((above, real)) => path.strip_prefix(above).map_or(real.clone(), |rest| real.join(rest)),
        None => path.to_owned(),
    }
}
