//! A change of many files that is done wholly or not at all.
//!
//! The new files are written to `.pillarbox/next/` with a manifest of what they replace, brought to
//! the disk and read back. Renaming that folder to `.pillarbox/commit` is the one moment of change:
//! before it nothing has happened, after it the change will be finished, by this command or by any
//! later one. Each file is then linked beside its target and renamed over it, so that finishing needs
//! no room; the folder stays whole until all of them stand and the change is renamed to `done`.

use super::disk::{Disk, Like, read_regular};
use super::fault::cannot;
use super::path::within;
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// No file of a workspace may be larger, in bytes.
pub(super) const LARGEST: u64 = 64 << 20;

/// What is to be written and removed: `None` removes.
pub(super) type Files = BTreeMap<String, Option<Vec<u8>>>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    /// The inode of the folder that it lies in: a change that came in with a clone has another one and
    /// is not taken for our own.
    folder: u64,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    /// SHA-256 of the file that is replaced; none if there is none.
    old: Option<String>,
    /// SHA-256 of the new file; none if it is to be removed.
    new: Option<String>,
}

/// A change that has happened but is not finished.
#[derive(Debug)]
pub(super) struct Pending {
    manifest: Manifest,
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a file; `None` if there is none.
pub(super) fn hash_of(path: &Path) -> io::Result<Option<String>> {
    match read_regular(path, LARGEST) {
        Ok(bytes) => Ok(Some(hash(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.pillarbox-new"))
}

/// Removes what changes that were cut off have left. The caller holds the lock.
pub(super) fn sweep(disk: &Disk, own: &Path) {
    for leftover in ["next", "done"] {
        // If it cannot be removed now, the next change will say why.
        let _ = disk.remove_folder(&own.join(leftover));
    }
}

/// Makes a change. The caller holds the lock, and no change is pending.
///
/// # Errors
/// Before the moment of change: nothing has changed. After it: the problem says so.
pub(super) fn write(disk: &Disk, root: &Path, own: &Path, files: &Files) -> Result<()> {
    let mut staged = Vec::new();
    for (path, bytes) in files {
        let target = within(root, path)?;
        let old = hash_of(&target).map_err(|error| cannot("read", &target, &error))?;
        let new = bytes.as_deref().map(hash);
        if old != new {
            staged.push((Entry { path: path.clone(), old, new }, target, bytes.as_deref()));
        }
    }
    let single = match staged.as_slice() {
        [] => return Ok(()),
        [(_, target, bytes)] => Some((target, *bytes)),
        _ => None,
    };
    if let Some((target, bytes)) = single {
        return one(disk, root, own, target, bytes).map_err(|error| cannot("write", target, &error).into());
    }
    let (next, commit) = (own.join("next"), own.join("commit"));
    if let Err(error) = stage(disk, &next, staged) {
        sweep(disk, own);
        return Err(cannot("write", &next, &error).into());
    }
    disk.rename(&next, &commit).map_err(|error| cannot("write", &commit, &error))?;
    // From here on it has happened.
    let finished = disk
        .sync_folder(own)
        .map_err(|error| Problems::from(cannot("write", own, &error)))
        .and_then(|()| match pending(own)? {
            Some(pending) => pending.finish(disk, root, own),
            None => Ok(()),
        });
    finished.map_err(|problems| {
        problems.map(|mut problem| {
            problem.hints.clear();
            problem
                .cause("the change is saved, but not all of its files are in place yet")
                .hint("fix this; the next pillarbox command in this workspace finishes it")
        })
    })
}

/// A single file needs no journal: its rename is the moment of change.
fn one(disk: &Disk, root: &Path, own: &Path, target: &Path, bytes: Option<&[u8]>) -> io::Result<()> {
    let folder = target.parent().unwrap_or(root);
    let Some(bytes) = bytes else {
        disk.remove_file(target)?;
        return disk.sync_folder(folder);
    };
    let staged = own.join("new");
    disk.remove_file(&staged)?;
    let old = existing(target);
    let like = old.as_ref().map_or(Like::New, Like::Existing);
    let written = disk
        .write_new(&staged, bytes, &like)
        .and_then(|()| make_parents(disk, root, target))
        .and_then(|()| match disk.rename(&staged, target) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                place(disk, &staged, target, bytes, &like)
            }
            renamed => renamed,
        });
    if written.is_err() {
        let _ = disk.remove_file(&staged);
    }
    written?;
    disk.sync_folder(folder)
}

fn existing(target: &Path) -> Option<Metadata> {
    target.symlink_metadata().ok().filter(Metadata::is_file)
}

fn make_parents(disk: &Disk, root: &Path, target: &Path) -> io::Result<()> {
    let below = target.parent().and_then(|folder| folder.strip_prefix(root).ok());
    let mut folder = root.to_owned();
    for part in below.into_iter().flat_map(Path::components) {
        let above = folder.clone();
        folder.push(part);
        if folder.symlink_metadata().is_err() {
            disk.create_folder(&folder)?;
            disk.sync_folder(&above)?;
        }
    }
    Ok(())
}

/// Puts a staged file over its target in one step, leaving the staged one where it is.
fn place(disk: &Disk, staged: &Path, target: &Path, bytes: &[u8], like: &Like<'_>) -> io::Result<()> {
    let beside = beside(target);
    disk.remove_file(&beside)?;
    let placed = match disk.link(staged, &beside) {
        // Another file system, or one without links.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::CrossesDevices | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            disk.write_new(&beside, bytes, like)
        }
        linked => linked,
    };
    let placed = placed.and_then(|()| disk.rename(&beside, target));
    if placed.is_err() {
        let _ = disk.remove_file(&beside);
    }
    placed
}

fn stage(disk: &Disk, next: &Path, staged: Vec<(Entry, PathBuf, Option<&[u8]>)>) -> io::Result<()> {
    disk.remove_folder(next)?;
    disk.create_folder(next)?;
    let (mut entries, mut written) = (Vec::new(), Vec::new());
    for (index, (entry, target, bytes)) in staged.into_iter().enumerate() {
        if let Some(bytes) = bytes {
            let old = existing(&target);
            let path = next.join(index.to_string());
            disk.write_unsynced(&path, bytes, &old.as_ref().map_or(Like::New, Like::Existing))?;
            written.push(path);
        }
        entries.push(entry);
    }
    disk.sync_files(&written)?;
    let manifest = Manifest { format: 1, folder: next.symlink_metadata()?.ino(), files: entries };
    disk.write_new(&next.join("manifest.json"), &serde_json::to_vec_pretty(&manifest)?, &Like::New)?;
    disk.sync_folder(next)?;
    for (index, entry) in manifest.files.iter().enumerate().filter(|(_, entry)| entry.new.is_some()) {
        if hash_of(&next.join(index.to_string()))? != entry.new {
            return Err(io::Error::other("what was written is not what is read back"));
        }
    }
    Ok(())
}

/// The change that has happened and is not finished, if there is one.
///
/// # Errors
/// Where its manifest cannot be read, or it was not made in this very folder.
pub(super) fn pending(own: &Path) -> Result<Option<Pending>> {
    let commit = own.join("commit");
    let inode = match commit.symlink_metadata() {
        Ok(data) if data.is_dir() => data.ino(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(_) => return Err(broken("it is not a folder").into()),
        Err(error) => return Err(cannot("read", &commit, &error).into()),
    };
    let path = commit.join("manifest.json");
    let bytes = read_regular(&path, LARGEST).map_err(|error| cannot("read", &path, &error))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| broken("its manifest is damaged").because(&error))?;
    if manifest.format != 1 {
        return Err(broken("its format is not known to this version").into());
    }
    if manifest.folder != inode {
        return Err(broken("it was not made in this folder, but came with a copy or a clone").into());
    }
    Ok(Some(Pending { manifest }))
}

fn broken(why: &str) -> Problem {
    Problem::failed(format!("the unfinished change in .pillarbox/commit cannot be finished: {why}"))
        .hint("look at it, and discard it if it is not yours: rm -r .pillarbox/commit")
}

impl Pending {
    /// What is still to be done: the content of each file that does not stand yet.
    ///
    /// # Errors
    /// All targets that are neither what the change began with nor what it makes.
    pub(super) fn left(&self, root: &Path, own: &Path) -> Result<Files> {
        let mut left = Files::new();
        let mut problems = Vec::new();
        for (index, entry) in self.manifest.files.iter().enumerate() {
            let staged = own.join("commit").join(index.to_string());
            let target = within(root, &entry.path)?;
            let now = hash_of(&target).map_err(|error| cannot("read", &target, &error))?;
            if now == entry.new {
                continue;
            }
            if now != entry.old {
                problems.push(foreign(entry, index));
                continue;
            }
            let bytes = match &entry.new {
                None => None,
                Some(new) => {
                    let bytes =
                        read_regular(&staged, LARGEST).map_err(|error| cannot("read", &staged, &error))?;
                    if hash(&bytes) != *new {
                        return Err(broken("one of its files is damaged").into());
                    }
                    Some(bytes)
                }
            };
            left.insert(entry.path.clone(), bytes);
        }
        Problems::check(problems)?;
        Ok(left)
    }

    /// Brings every file to its place. The caller holds the lock.
    ///
    /// # Errors
    /// As [`Self::left`], before anything is moved; and what the operating system refuses.
    pub(super) fn finish(&self, disk: &Disk, root: &Path, own: &Path) -> Result<()> {
        let left = self.left(root, own)?;
        let mut folders = BTreeSet::new();
        for (index, entry) in self.manifest.files.iter().enumerate() {
            let target = within(root, &entry.path)?;
            let fail = |error: io::Error| cannot("write", &target, &error);
            match left.get(&entry.path) {
                None => {
                    let leftover = beside(&target);
                    if leftover.symlink_metadata().is_ok() {
                        disk.remove_file(&leftover).map_err(fail)?;
                    }
                }
                Some(None) => disk.remove_file(&target).map_err(fail)?,
                Some(Some(bytes)) => {
                    let staged = own.join("commit").join(index.to_string());
                    let old = existing(&target);
                    let like = old.as_ref().map_or(Like::New, Like::Existing);
                    make_parents(disk, root, &target).map_err(fail)?;
                    place(disk, &staged, &target, bytes, &like).map_err(fail)?;
                }
            }
            folders.extend(target.parent().filter(|folder| folder.is_dir()).map(Path::to_owned));
        }
        for folder in folders {
            disk.sync_folder(&folder).map_err(|error| cannot("write", &folder, &error))?;
        }
        let done = own.join("done");
        let over = disk.remove_folder(&done).and_then(|()| disk.rename(&own.join("commit"), &done));
        over.and_then(|()| disk.sync_folder(own)).map_err(|error| cannot("write", own, &error))?;
        sweep(disk, own);
        Ok(())
    }
}

fn foreign(entry: &Entry, index: usize) -> Problem {
    let path = escaped(&entry.path);
    let problem = Problem::failed(format!("{path} was changed while a change of it was not finished"))
        .cause("it is neither what that change began with nor what it makes");
    let problem = match entry.new {
        Some(_) => problem.hint(format!(
            "to finish the change over it: cp .pillarbox/commit/{index} {}",
            quoted(&entry.path)
        )),
        None => problem.hint(format!("to finish the change, which removes it: rm {}", quoted(&entry.path))),
    };
    problem.hint("to discard the change as it is, and then run `pillarbox verify`: rm -r .pillarbox/commit")
}
