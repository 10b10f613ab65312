//! Files outside of a workspace: identities, the known file, stored plans.

use super::disk::{Disk, Like, read_bounded, read_regular};
use super::fault::cannot;
use super::journal::LARGEST;
use super::lock::{Mode, TIMEOUT, take};
use crate::problem::{Code, Problem, Result, escaped, quoted};
use crate::secret::Secret;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// An identity file has a few lines; in bytes.
const LARGEST_IDENTITY: u64 = 64 << 10;

/// A file of keys or certificates has a few of them; in bytes.
const LARGEST_KEY_FILE: u64 = 1 << 20;

/// The longest secret that can be sealed, in bytes.
const LARGEST_SECRET: u64 = 99_999_999;

/// Any text file: a stored plan, a file for `show`.
///
/// # Errors
/// Where it is not there, no file, larger than 64 MiB or not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let fail = |error: &io::Error| cannot("read", path, error);
    let real = path.canonicalize().map_err(|error| fail(&error))?;
    let bytes = read_regular(&real, LARGEST).map_err(|error| fail(&error))?;
    String::from_utf8(bytes)
        .map_err(|_| Problem::failed(format!("{} is not UTF-8", escaped(&path.display().to_string()))).into())
}

/// The bytes of a regular file that holds a key or a certificate, of up to 1 MiB; a symbolic link is followed.
///
/// # Errors
/// The system's, and where it is no such file.
pub fn read_key_file(path: &Path) -> io::Result<Secret> {
    read_regular(&path.canonicalize()?, LARGEST_KEY_FILE).map(Secret::new)
}

/// Every byte of a file, to be sealed or shown; a pipe is fine.
///
/// # Errors
/// Where it is not there, a folder, or larger than 100 MB.
pub fn read_secret(path: &Path) -> Result<Secret> {
    let fail = |error: &io::Error| cannot("read", path, error);
    let file = File::open(path).map_err(|error| fail(&error))?;
    let data = file.metadata().map_err(|error| fail(&error))?;
    if data.is_dir() {
        return Err(fail(&io::Error::other("it is a folder")).into());
    }
    // Room for all of it at once, so that no copy is left behind by growing.
    let expected = if data.is_file() { data.len() } else { LARGEST_IDENTITY };
    let bytes = read_bounded(&file, expected, LARGEST_SECRET).map_err(|error| fail(&error))?;
    Ok(Secret::new(bytes))
}

/// A text file on which it depends who is trusted; `None` if it is not there.
///
/// # Errors
/// As [`read_text`]; where others may write it, or put another one in its place.
pub fn read_trusted(path: &Path) -> Result<Option<String>> {
    let fail = |error: &io::Error| cannot("read", path, error);
    let real = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        real => real.map_err(|error| fail(&error))?,
    };
    let data = real.metadata().map_err(|error| fail(&error))?;
    let folder = folder_of(&real).metadata().map_err(|error| fail(&error))?;
    let user = rustix::process::geteuid().as_raw();
    let (shown, mode) = (path.display().to_string(), data.mode() & 0o7777);
    let wrong = |what: &str| {
        Problem::failed(format!("{} {what}", escaped(&shown))).cause("it decides who is trusted")
    };
    if data.uid() != user && data.uid() != 0 {
        return Err(wrong("belongs to another user").into());
    }
    if mode & 0o022 != 0 {
        return Err(wrong("may be written by others")
            .cause(format!("its mode is {mode:04o}"))
            .hint(format!("check that it was not changed, then: chmod go-w {}", quoted(&shown)))
            .into());
    }
    if folder.mode() & 0o1002 == 0o002 {
        let folder = folder_of(&real).display().to_string();
        return Err(wrong("is in a folder that every user may write")
            .hint(format!("check that it was not changed, then: chmod o-w {}", quoted(&folder)))
            .into());
    }
    read_text(&real).map(Some)
}

/// A personal text file; `None` if it is not there.
///
/// # Errors
/// As [`read_text`].
pub fn read_private(path: &Path) -> Result<Option<String>> {
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read_text(path).map(Some),
    }
}

/// Writes a file that only this user may read, 0600, wholly or not at all; one that is there is
/// replaced. Folders are made as needed, 0700. A symbolic link stays and its target is replaced.
///
/// # Errors
/// Where it cannot be written; then it is as it was.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |error: &io::Error| cannot("write", path, error);
    let (disk, real) = (Disk::default(), path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    make_private_parents(&real).map_err(|error| fail(&error))?;
    let beside = write_beside(&disk, &real, bytes, &Like::Private).map_err(|error| fail(&error))?;
    let placed = disk.rename(&beside, &real);
    if placed.is_err() {
        let _ = disk.remove_file(&beside);
    }
    placed.and_then(|()| disk.sync_folder(folder_of(&real))).map_err(|error| fail(&error).into())
}

/// Writes a new file that only this user may read, 0600; never over one that is there.
///
/// # Errors
/// Where there is one, or it cannot be written.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |error: &io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Problem::failed(format!("{} is there already", escaped(&path.display().to_string())))
                .hint("it is never overwritten: choose another file, or move it away")
        }
        _ => cannot("write", path, error),
    };
    let disk = Disk::default();
    make_private_parents(path).map_err(|error| fail(&error))?;
    let beside = write_beside(&disk, path, bytes, &Like::Private).map_err(|error| fail(&error))?;
    // A link, unlike a rename, fails where the name is taken.
    let made = match disk.link(&beside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            disk.write_new(path, bytes, &Like::Private)
        }
        linked => linked,
    };
    let _ = disk.remove_file(&beside);
    made.and_then(|()| disk.sync_folder(folder_of(path))).map_err(|error| fail(&error).into())
}

/// Changes a personal file from what is in it, under a lock (`<file>.lock`), so that two commands at
/// once lose nothing. `None` leaves it as it is.
///
/// # Errors
/// Those of `change`, and where it cannot be read or written.
pub fn update_private(
    path: &Path,
    change: impl FnOnce(Option<&str>) -> Result<Option<String>>,
) -> Result<()> {
    let _held = hold(path)?;
    let old = read_trusted(path)?;
    match change(old.as_deref())? {
        Some(new) if old.as_deref() != Some(new.as_str()) => write_private(path, new.as_bytes()),
        _ => Ok(()),
    }
}

/// Keeps others out of a personal file, and of what belongs to it, until this is dropped.
#[derive(Debug)]
pub struct PrivateLock(#[expect(dead_code, reason = "the lock is held as long as the file is open")] File);

/// Takes the lock of a personal file, `<file>.lock`, for a change of more than that file.
///
/// # Errors
/// Where it cannot be taken.
pub fn hold(path: &Path) -> Result<PrivateLock> {
    make_private_parents(path).map_err(|error| cannot("write", path, &error))?;
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    take(Path::new(&lock), Mode::Exclusive, TIMEOUT, &mut || {}).map(PrivateLock)
}

/// Writes a file that belongs to another program, wholly or not at all: with the mode and owner that it
/// has, or 0600 where it is new. A symbolic link stays and its target is replaced.
///
/// # Errors
/// Where it cannot be written; then it is as it was.
pub fn write_alike(path: &Path, bytes: &[u8]) -> Result<()> {
    make_private_parents(path).map_err(|error| cannot("write", path, &error))?;
    replace(path, bytes, &Like::Private)
}

/// Writes a file that other programs read, wholly or not at all: with the mode and owner that it has, or
/// those of any new file of this user. A symbolic link stays and its target is replaced.
///
/// # Errors
/// Where it cannot be written; then it is as it was.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, &Like::New)
}

/// Replaces a file, which keeps its mode and owner; `new` says those of one that is not there.
fn replace(path: &Path, bytes: &[u8], new: &Like<'_>) -> Result<()> {
    let fail = |error: &io::Error| cannot("write", path, error);
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if path.is_symlink() => return Err(fail(&error).into()),
        Err(_) => path.to_owned(),
    };
    let old = match real.metadata() {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(fail(&error).into()),
    };
    let disk = Disk::default();
    let existing = old.as_ref().map(Like::Existing);
    let beside = write_beside(&disk, &real, bytes, existing.as_ref().unwrap_or(new));
    let beside = beside.map_err(|error| fail(&error))?;
    let placed = disk.rename(&beside, &real);
    if placed.is_err() {
        let _ = disk.remove_file(&beside);
    }
    placed.and_then(|()| disk.sync_folder(folder_of(&real))).map_err(|error| fail(&error).into())
}

/// Removes a personal file; fine if it is not there.
///
/// # Errors
/// Where it cannot be removed.
pub fn remove_private(path: &Path) -> Result<()> {
    Disk::default().remove_file(path).map_err(|error| cannot("remove", path, &error).into())
}

/// The bytes of an identity file. A pipe is fine, and its mode is not looked at.
///
/// # Errors
/// Where others may read it (with the command that helps), where it lies in the workspace, is not there,
/// or is larger than 64 KiB.
pub fn read_identity(path: &Path, workspace: Option<&Path>) -> Result<Secret> {
    let fail = |error: &io::Error| {
        let mut problem = cannot("read the identity", path, error);
        problem.code = Code::NoIdentity;
        problem
    };
    let shown = path.display().to_string();
    // Not `canonicalize` first: `/dev/fd/63` of a shell's `<(…)` leads to no path.
    let file = File::open(path).map_err(|error| fail(&error))?;
    let data = file.metadata().map_err(|error| fail(&error))?;
    let is_stream =
        data.file_type().is_fifo() || data.file_type().is_socket() || data.file_type().is_char_device();
    if !is_stream {
        if !data.is_file() {
            return Err(fail(&io::Error::other("it is not a file")).into());
        }
        let real = path.canonicalize().map_err(|error| fail(&error))?;
        if workspace.and_then(|root| root.canonicalize().ok()).is_some_and(|root| real.starts_with(root)) {
            return Err(Problem::failed(format!("the identity {} is in the workspace", escaped(&shown)))
                .cause("it could be committed, and anyone with the repository could open the boxes")
                .hint(format!("move it: mv {} ~/.config/pillarbox/identity.txt", quoted(&shown)))
                .into());
        }
        if data.mode() & 0o077 != 0 {
            return Err(Problem::failed(format!("others may read the identity {}", escaped(&shown)))
                .cause(format!(
                    "its mode is {:04o}, and must be 0600 or 0400",
                    data.permissions().mode() & 0o7777
                ))
                .hint(format!("chmod 600 {}", quoted(&shown)))
                .into());
        }
    }
    // Room for all of it at once, so that no copy is left behind by growing.
    let expected = if is_stream { LARGEST_IDENTITY } else { data.len() };
    Ok(Secret::new(read_bounded(&file, expected, LARGEST_IDENTITY).map_err(|error| fail(&error))?))
}

/// As [`read_identity`]; `None` if there is no such file.
///
/// # Errors
/// As [`read_identity`], but for a file that is not there.
pub fn read_identity_if_there(path: &Path, workspace: Option<&Path>) -> Result<Option<Secret>> {
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // It has no name, so no other process can write into it.
        Ok(data) if !data.is_file() => {
            let mut problem =
                cannot("read the identity", path, &io::Error::other("it is not a regular file"));
            problem.code = Code::NoIdentity;
            Err(problem.into())
        }
        _ => read_identity(path, workspace).map(Some),
    }
}

/// Whether a new folder, or one that is there, is a place that others cannot change: `Some` says why not.
/// Only this user and root may write it, replace it, or replace a folder above it.
pub fn changed_by_others(folder: &Path) -> Option<String> {
    let user = rustix::process::geteuid().as_raw();
    for (depth, above) in folder.ancestors().enumerate() {
        // What is not there yet is made by this user, in the first one that is.
        let Ok(data) = above.metadata() else { continue };
        let (shown, mode) = (escaped(&above.display().to_string()), data.mode() & 0o7777);
        if data.uid() != user && data.uid() != 0 && user != 0 {
            return Some(format!("{shown} belongs to another user"));
        }
        // Of a folder with the sticky bit others can take nothing away, but they can put something into it.
        if mode & 0o002 != 0 && (mode & 0o1000 == 0 || depth == 0) {
            return Some(format!("every user may write {shown}: its mode is {mode:04o}"));
        }
    }
    None
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn make_private_parents(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder_of(path))
}

fn write_beside(disk: &Disk, path: &Path, bytes: &[u8], like: &Like<'_>) -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_file_name(format!(".{name}.{}-{count}", std::process::id()));
        match disk.write_new(&beside, bytes, like) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                let _ = disk.remove_file(&beside);
                return Err(error);
            }
            Ok(()) => return Ok(beside),
        }
    }
}
