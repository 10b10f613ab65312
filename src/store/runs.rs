//! The folder of records of runs: files of lines that only this user may read, written as a run goes on.

use super::fault::cannot;
use crate::problem::{Problem, Result};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const ENDING: &str = ".jsonl";

/// A record that is being written. Its lock is held until it is dropped: so others see that the run goes on.
#[derive(Debug)]
pub struct RunFile {
    file: File,
    path: PathBuf,
}

impl RunFile {
    /// Makes a new file, 0600, in a folder that is made as needed, 0700.
    ///
    /// # Errors
    /// Where it is there already or cannot be made.
    pub fn create(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let made = || -> io::Result<File> {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
            // A file system without locks has records all the same.
            let _ = file.try_lock();
            Ok(file)
        };
        let file = made().map_err(|error| cannot("write", &path, &error))?;
        Ok(Self { file, path })
    }

    /// Adds text in one call.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn append(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).map_err(|error| self.fault(&error).into())
    }

    /// Brings what was written to the disk.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.fault(&error).into())
    }

    fn fault(&self, error: &io::Error) -> Problem {
        cannot("write", &self.path, error)
    }
}

/// The records of a folder, the newest first; none where it is not there.
///
/// # Errors
/// Where the folder cannot be read.
pub fn run_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| cannot("read", folder, &error))?,
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING)))
        .collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found)
}

/// Whether a process still writes it.
pub fn is_being_written(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Removes records: those that are neither among the `keep` newest nor named after `oldest`, the beginning of a name.
///
/// # Errors
/// Where the folder cannot be read.
pub fn prune_runs(folder: &Path, keep: usize, oldest: &str) -> Result<()> {
    for path in run_files(folder)?.into_iter().skip(keep) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if *name < *oldest && !is_being_written(&path) {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_record_is_for_its_owner_alone_and_the_newest_and_the_young_stay() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("runs/shop");
        assert_eq!(run_files(&folder).expect("none"), Vec::<PathBuf>::new());
        let names = [
            "2026-01-01T00-00-00Z-000001.jsonl",
            "2026-02-01T00-00-00Z-000002.jsonl",
            "2026-03-01T00-00-00Z-000003.jsonl",
        ];
        for name in names {
            RunFile::create(&folder, name).expect("made").append("{}\n").expect("written");
        }
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(names[0]))), (0o700, 0o600));
        assert!(RunFile::create(&folder, names[0]).is_err(), "never over another");
        fs::write(folder.join("notes.txt"), "").expect("written");
        let left = |keep, oldest| {
            prune_runs(&folder, keep, oldest).expect("pruned");
            run_files(&folder).expect("read").len()
        };
        assert_eq!(left(3, "2027"), 3, "the newest stay");
        assert_eq!(left(0, "2026-01-01"), 3, "the young stay");
        assert_eq!(left(2, "2026-02-15"), 2);
        assert_eq!(left(1, "2026-02-15"), 1);
        assert!(folder.join("notes.txt").exists(), "what is no record stays");
    }

    #[test]
    fn a_record_that_is_being_written_is_told_from_one_that_was_cut_off() {
        let home = tempfile::tempdir().expect("a folder");
        let file = RunFile::create(home.path(), "a.jsonl").expect("made");
        assert!(is_being_written(&home.path().join("a.jsonl")));
        prune_runs(home.path(), 0, "z").expect("pruned");
        assert_eq!(run_files(home.path()).expect("read").len(), 1, "it is not taken away");
        drop(file);
        assert!(!is_being_written(&home.path().join("a.jsonl")));
    }
}
