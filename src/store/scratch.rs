//! A place for plaintext while a person edits it: in memory, for this user alone, wiped afterwards.

use super::disk::{Disk, Like, read_regular};
use super::fault::cannot;
use crate::problem::{Problem, Result};
use crate::secret::Secret;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A folder, 0700, that is wiped when this is dropped. A program that ends by a signal drops it first.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes one in `$XDG_RUNTIME_DIR` if given, else in `/dev/shm`.
    ///
    /// # Errors
    /// Where there is neither: plaintext is not put on a disk.
    pub fn new(runtime: Option<&Path>) -> Result<Self> {
        let mut problem = Problem::failed("there is no folder in memory for the plaintext");
        for place in runtime.into_iter().chain([Path::new("/dev/shm")]) {
            match folder_in(place) {
                Ok(folder) => return Ok(Self { folder }),
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
        let folder = folder_in(place).map_err(|error| cannot("make a folder in", place, &error))?;
        Ok(Self { folder })
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

fn folder_in(place: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("pillarbox-").permissions(std::fs::Permissions::from_mode(0o700));
    builder.tempdir_in(place)
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
