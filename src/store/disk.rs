//! The single steps that changes are made of, each of which may be the last.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many files are waited for at once.
const AT_ONCE: usize = 16;

/// Changes of the file system, one call each. Tests cut it off after any number of them.
#[derive(Debug, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) faults: super::tests::Faults,
}

/// The file whose mode and owner a new file gets.
pub(super) enum Like<'a> {
    /// Those of the file it replaces.
    Existing(&'a Metadata),
    /// Those of any new file of this user.
    New,
    /// Only this user may read it.
    Private,
}

impl Disk {
    #[cfg(not(test))]
    fn step(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self) -> io::Result<()> {
        self.faults.step()
    }

    /// Whether files can be made in a folder.
    pub(super) fn writable(&self, folder: &Path) -> io::Result<()> {
        #[cfg(test)]
        self.faults.writable()?;
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).map_err(io::Error::from)
    }

    /// Makes a file that is not there yet and waits until it is on the disk.
    pub(super) fn write_new(&self, path: &Path, bytes: &[u8], like: &Like<'_>) -> io::Result<()> {
        let file = self.write_unsynced(path, bytes, like)?;
        self.step()?;
        file.sync_all()
    }

    /// Waits until files are on the disk: many at once, because each wait is for the disk and not for a core.
    pub(super) fn sync_files(&self, paths: &[PathBuf]) -> io::Result<()> {
        paths.iter().try_for_each(|_| self.step())?;
        let next = AtomicUsize::new(0);
        let sync = || -> io::Result<()> {
            while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                File::open(path)?.sync_all()?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..paths.len().min(AT_ONCE)).map(|_| scope.spawn(sync)).collect();
            waiting.into_iter().try_for_each(|one| {
                one.join()
                    .unwrap_or_else(|_| Err(io::Error::other("a file could not be brought to the disk")))
            })
        })
    }

    /// Makes a file that is not there yet; it may not be on the disk.
    pub(super) fn write_unsynced(&self, path: &Path, bytes: &[u8], like: &Like<'_>) -> io::Result<File> {
        let mode = match like {
            Like::Private => 0o600,
            Like::Existing(_) | Like::New => 0o666,
        };
        self.step()?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        self.fill(&mut file, bytes)?;
        if let Like::Existing(old) = like {
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
                // Only root may give files away; for others the file becomes theirs, as with an editor.
                let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
            }
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
        }
        Ok(file)
    }

    fn fill(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        if let Err(error) = self.step() {
            // Cut off within the write: half of it is there.
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        file.write_all(bytes)
    }

    pub(super) fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::create_dir(path)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)
    }

    pub(super) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::hard_link(from, to)
    }

    /// Removes a file; fine if it is not there.
    pub(super) fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes a folder with the files in it; fine if it is not there.
    pub(super) fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.remove_folder(&entry.path())?;
            } else {
                self.remove_file(&entry.path())?;
            }
        }
        self.step()?;
        fs::remove_dir(path)
    }

    /// Waits until the names in a folder are on the disk.
    pub(super) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        File::open(path)?.sync_all()
    }
}

/// Reads a regular file; a symbolic link, a pipe or a device is an error, and so is more than `limit`
/// bytes.
pub(super) fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path).map_err(
        |error| match path.symlink_metadata() {
            Ok(data) if data.is_symlink() => io::Error::other("it is a symbolic link"),
            _ => error,
        },
    )?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if data.len() > limit {
        return Err(larger(limit));
    }
    read_bounded(&file, data.len(), limit)
}

/// Reads up to `limit` bytes.
pub(super) fn read_bounded(file: &File, expected: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected.min(limit)).unwrap_or_default() + 1);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(larger(limit));
    }
    Ok(bytes)
}

fn larger(limit: u64) -> io::Error {
    io::Error::other(format!("it is larger than {limit} bytes"))
}
