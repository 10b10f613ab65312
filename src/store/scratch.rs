//! A place for plaintext while a person edits it: in memory, for this user alone, wiped afterwards.

use super::disk::{Disk, Like, read_regular};
use super::fault::cannot;
use crate::problem::{Problem, Result};
use crate::secret::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What the names of the folders begin with.
const PREFIX: &str = "pillarbox-";

/// A file in the folder that is locked as long as its owner lives.
const ALIVE: &str = ".alive";

/// A folder, 0700, that is wiped when this is dropped. A program that ends by a signal drops it first; what
/// one that was killed left behind is wiped by the next one.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
    _alive: File,
}

impl Scratch {
    /// Makes one in `$XDG_RUNTIME_DIR` if given, else in `/dev/shm`.
    ///
    /// # Errors
    /// Where there is neither: plaintext is not put on a disk.
    pub fn new(runtime: Option<&Path>) -> Result<Self> {
        let mut problem = Problem::failed("there is no folder in memory for the plaintext");
        for place in runtime.into_iter().chain([Path::new("/dev/shm")]) {
            wipe_abandoned(place);
            match folder_in(place) {
                Ok(scratch) => return Ok(scratch),
                Err(error) => problem = problem.cause(format!("{}: {error}", place.display())),
            }
        }
        Err(problem.hint("set XDG_RUNTIME_DIR to a folder in memory that only you can read").into())
    }

    /// Makes one in any folder, which may lie on a disk: what is wiped there can sometimes be found.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn on_disk(place: &Path) -> Result<Self> {
        wipe_abandoned(place);
        folder_in(place).map_err(|error| cannot("make a folder in", place, &error).into())
    }

    /// Writes a file into it, 0600; returns its path.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, name: &str, secret: &Secret) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        let disk = Disk::default();
        disk.remove_file(&path)
            .and_then(|()| disk.write_new(&path, secret.reveal(), &Like::Private))
            .map_err(|error| cannot("write", &path, &error))?;
        Ok(path)
    }

    /// Reads a file of it, up to 64 MiB.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(&self, name: &str) -> Result<Secret> {
        let path = self.folder.path().join(name);
        let bytes =
            read_regular(&path, super::journal::LARGEST).map_err(|error| cannot("read", &path, &error))?;
        Ok(Secret::new(bytes))
    }

    /// Wipes and removes it now.
    ///
    /// # Errors
    /// Where it cannot; with its path.
    pub fn wipe(self) -> Result<()> {
        let path = self.folder.path().to_owned();
        overwrite(&path)
            .and_then(|()| std::fs::remove_dir_all(&path))
            .map_err(|error| cannot("wipe", &path, &error).into())
    }
}

fn folder_in(place: &Path) -> io::Result<Scratch> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).permissions(std::fs::Permissions::from_mode(0o700));
    let folder = builder.tempdir_in(place)?;
    let alive = OpenOptions::new().write(true).create_new(true).open(folder.path().join(ALIVE))?;
    alive.lock()?;
    Ok(Scratch { folder, _alive: alive })
}

/// Wipes folders of this user whose owners were killed. What cannot be wiped is no reason to stop.
fn wipe_abandoned(place: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let is_own = entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == own);
        if !is_own || !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
        let alive = OpenOptions::new().write(true).custom_flags(flags).open(path.join(ALIVE));
        if alive.is_ok_and(|alive| alive.try_lock().is_ok()) {
            let _ = overwrite(&path).and_then(|()| std::fs::remove_dir_all(&path));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The folder itself goes with its owner, right after this.
        let _ = overwrite(self.folder.path());
    }
}

/// Zeroes over every file, the editor's leftovers too.
fn overwrite(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let mut file = OpenOptions::new().write(true).open(entry.path())?;
            let mut left = file.metadata()?.len();
            while left > 0 {
                let zeroes = [0; 4096];
                let count = left.min(4096);
                file.write_all(&zeroes[..usize::try_from(count).unwrap_or(4096)])?;
                left -= count;
            }
        }
    }
    Ok(())
}
