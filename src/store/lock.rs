//! One writer at a time: `flock` on `.pillarbox/lock`.

use super::disk::{Disk, Like};
use super::fault::cannot;
use crate::problem::{Problem, Result, quoted};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a command waits for another one. The lock is held while files are written, never while a
/// person is asked.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

/// The tool's own folder of a workspace.
pub(super) fn own_folder(root: &Path) -> PathBuf {
    root.join(".pillarbox")
}

/// Makes the tool's own folder, which ignores itself in git; a symbolic link in its place is refused.
pub(super) fn make_own_folder(disk: &Disk, root: &Path) -> io::Result<PathBuf> {
    let folder = own_folder(root);
    match folder.symlink_metadata() {
        Ok(data) if data.is_dir() => {}
        Ok(_) => return Err(io::Error::other("it is not a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match disk.create_folder(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        },
        Err(error) => return Err(error),
    }
    match disk.write_new(&folder.join(".gitignore"), b"*\n", &Like::New) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(folder),
    }
}

/// Whether others may hold the lock at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Shared,
    Exclusive,
}

/// Takes a lock; it is given back when the file is dropped, also by a crash. `waiting` is called once
/// if somebody else has it.
///
/// # Errors
/// Where the file cannot be opened or locked, or the patience is over.
pub(super) fn take(path: &Path, mode: Mode, patience: Duration, waiting: &mut dyn FnMut()) -> Result<File> {
    let fail = |error: &io::Error| cannot("lock", path, error);
    let until = Instant::now() + patience;
    let mut told = false;
    loop {
        let file = open(path, mode).map_err(|error| fail(&error))?;
        loop {
            let tried = match mode {
                Mode::Shared => file.try_lock_shared(),
                Mode::Exclusive => file.try_lock(),
            };
            match tried {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(fail(&error).into()),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    if !std::mem::replace(&mut told, true) {
                        waiting();
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => return Err(busy(path).into()),
            }
        }
        // Somebody may have removed the folder meanwhile: then this is the lock of nothing.
        let same = |ours: std::fs::Metadata| {
            path.symlink_metadata()
                .is_ok_and(|theirs| (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()))
        };
        if file.metadata().is_ok_and(same) {
            return Ok(file);
        }
    }
}

/// Opens a lock, a regular file: a pipe that came with a workspace would be waited for without end.
pub(super) fn open(path: &Path, mode: Mode) -> io::Result<File> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags);
    if mode == Mode::Exclusive {
        options.write(true).create(true).truncate(false);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

fn busy(path: &Path) -> Problem {
    Problem::failed("another pillarbox is changing these files and does not end")
        .hint(format!("see which one: fuser -v {}", quoted(&path.display().to_string())))
}
