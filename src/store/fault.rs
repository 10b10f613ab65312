//! What the operating system refused, said for people.

use crate::problem::{Problem, escaped, quoted};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// "cannot VERB PATH", with what helps.
pub(super) fn cannot(verb: &str, path: &Path, error: &Error) -> Problem {
    let shown = escaped(&path.display().to_string());
    let problem = Problem::failed(format!("cannot {verb} {shown}")).because(error);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            problem.hint("nothing was changed: make some room, then run the same command again")
        }
        ErrorKind::ReadOnlyFilesystem => {
            problem.hint("nothing was changed: this file system is read-only here")
        }
        ErrorKind::PermissionDenied => {
            problem.hint(format!("see the permissions: ls -ld {}", quoted(&shown)))
        }
        _ => problem,
    }
}

/// Whether nothing can be written here, so that reading must do without.
pub(super) fn is_read_only(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}
