//! Where a program is.

use crate::problem::escaped;
use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// The first program of a name in the folders of `PATH`. Relative folders are passed over: what the current
/// folder holds may be anybody's.
///
/// # Errors
/// [`io::ErrorKind::NotFound`]; [`io::ErrorKind::PermissionDenied`] where there is a file of this name that may
/// not be run.
pub fn find(name: &str) -> io::Result<PathBuf> {
    found_in(&env::var_os("PATH").unwrap_or_default(), name)
}

fn found_in(search_path: &OsStr, name: &str) -> io::Result<PathBuf> {
    find_in(search_path, name).ok_or_else(|| {
        match folders(search_path).map(|folder| folder.join(name)).find(|file| file.is_file()) {
            Some(file) => {
                let what =
                    format!("{} may not be run: it is not executable", escaped(&file.display().to_string()));
                io::Error::new(io::ErrorKind::PermissionDenied, what)
            }
            None => io::Error::new(io::ErrorKind::NotFound, format!("no program {name} in PATH")),
        }
    })
}

/// The first program of a name in the folders of a `PATH`.
pub fn find_in(search_path: &OsStr, name: &str) -> Option<PathBuf> {
    folders(search_path).map(|folder| folder.join(name)).find(|program| {
        program.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    })
}

fn folders(search_path: &OsStr) -> impl Iterator<Item = PathBuf> {
    env::split_paths(search_path).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_folders_and_files_that_may_not_be_run_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = format!(".::bin:{}:/bin:/usr/bin", folder.path().display());
        std::fs::write(folder.path().join("sh"), "").expect("written");
        let found = find_in(path.as_ref(), "sh").expect("the system has one");
        assert!(found == *"/bin/sh" || found == *"/usr/bin/sh", "{found:?}");
        assert_eq!(find_in(".::bin".as_ref(), "sh"), None);
        let denied = found_in(folder.path().as_os_str(), "sh").expect_err("it may not be run");
        assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
        let file = folder.path().join("sh");
        assert_eq!(denied.to_string(), format!("{} may not be run: it is not executable", file.display()));
        assert_eq!(find("is-not-there-at-all").expect_err("missing").kind(), io::ErrorKind::NotFound);
    }
}
