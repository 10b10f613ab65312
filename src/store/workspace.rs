//! A workspace on the disk.

use super::change::{Change, collect};
use super::disk::{Disk, read_regular};
use super::fault::{cannot, is_read_only};
use super::journal::{Files, LARGEST, pending};
use super::lock::{Mode, TIMEOUT, make_own_folder, open, own_folder, take};
use super::path::{beside, within};
use super::{journal, listing};
use crate::inventory::{FILE, Inventory};
use crate::pillar::document::Document;
use crate::problem::{Problem, Result, escaped, quoted};
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Files of a folder that containers may be given.
const MOST_BESIDE: usize = 256;

/// A folder with `pillarbox.toml`.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    inventory: Inventory,
    disk: Disk,
    /// The rest of an unfinished change where nothing can be written: read in place of the files.
    unfinished: Files,
    writing: AtomicBool,
}

impl Workspace {
    /// Opens the workspace in a folder. A change that was cut off is finished first; where nothing can
    /// be written, it is read as if it were finished.
    ///
    /// # Errors
    /// Where there is no `pillarbox.toml`, it is not sound, or an unfinished change is in the way.
    pub fn open(root: &Path) -> Result<Self> {
        Self::with_disk(root, Disk::default())
    }

    /// As [`Self::open`]; `None` where there is no such folder, or no workspace in it.
    ///
    /// # Errors
    /// Where its `pillarbox.toml` is not sound, or an unfinished change is in the way.
    pub fn open_if_there(root: &Path) -> Result<Option<Self>> {
        match root.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Self::look(root, Disk::default()),
        }
    }

    pub(super) fn with_disk(root: &Path, disk: Disk) -> Result<Self> {
        Self::look(root, disk)?.ok_or_else(|| {
            let shown = escaped(&root.display().to_string());
            Problem::failed(format!("{shown} is not a workspace: it has no {FILE}"))
                .hint(format!("make one: pillarbox init {}", quoted(&root.display().to_string())))
                .into()
        })
    }

    fn look(root: &Path, disk: Disk) -> Result<Option<Self>> {
        let root = root.canonicalize().map_err(|error| cannot("open the workspace", root, &error))?;
        let unfinished = finish_pending(&disk, &root)?;
        let Some(text) = read(&root, &unfinished, FILE)? else { return Ok(None) };
        let inventory = Inventory::parse(&text)?;
        Ok(Some(Self { root, inventory, disk, unfinished, writing: AtomicBool::new(false) }))
    }

    /// Makes a workspace in a folder, with files that make one. The folder is made if it is not there.
    ///
    /// # Errors
    /// Where there is one already, or a file of that name.
    pub fn create(root: &Path, files: &Change) -> Result<Self> {
        Self::create_with(root, files, Disk::default())
    }

    pub(super) fn create_with(root: &Path, files: &Change, disk: Disk) -> Result<Self> {
        std::fs::create_dir_all(root).map_err(|error| cannot("make", root, &error))?;
        let real = root.canonicalize().map_err(|error| cannot("open", root, &error))?;
        let own =
            make_own_folder(&disk, &real).map_err(|error| cannot("make", &own_folder(&real), &error))?;
        {
            let _lock = take(&own.join("lock"), Mode::Exclusive, TIMEOUT, &mut || {})?;
            if let Some(pending) = pending(&own)? {
                pending.finish(&disk, &real, &own)?;
            }
            for path in files.files.keys() {
                let target = within(&real, path)?;
                if target.symlink_metadata().is_ok() {
                    return Err(Problem::failed(format!(
                        "{} is there already",
                        escaped(&target.display().to_string())
                    ))
                    .hint("nothing was written: choose another folder, or move it away")
                    .into());
                }
            }
            journal::write(&disk, &real, &own, &files.files)?;
        }
        Self::with_disk(&real, disk)
    }

    /// Its folder, absolute and without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its hosts and groups, as they were when it was opened.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// All files of values relative to `pillar/`, sorted; without `box.toml`.
    ///
    /// # Errors
    /// All symbolic links below `pillar/`.
    pub fn pillar_files(&self) -> Result<Vec<String>> {
        self.list("pillar", |file| file.ends_with(".toml") && !is_box(file))
    }

    /// All `box.toml` relative to `pillar/`, sorted.
    ///
    /// # Errors
    /// As [`Self::pillar_files`].
    pub fn box_files(&self) -> Result<Vec<String>> {
        self.list("pillar", is_box)
    }

    /// All files of readers relative to `keys/`, sorted: `alice.pub`.
    ///
    /// # Errors
    /// All symbolic links below `keys/`.
    pub fn key_files(&self) -> Result<Vec<String>> {
        self.list("keys", |file| file.ends_with(".pub"))
    }

    /// All state files relative to `states/`, sorted: `nginx.toml`.
    ///
    /// # Errors
    /// All symbolic links below `states/`.
    pub fn state_files(&self) -> Result<Vec<String>> {
        self.list("states", |file| file.ends_with(".toml") || file.ends_with(".star"))
    }

    fn list(&self, folder: &str, keep: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut files = listing::files(&self.root, folder, &keep)?;
        for (path, bytes) in &self.unfinished {
            let Some(file) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            files.retain(|other| other != file);
            if bytes.is_some() && keep(file) {
                files.push(file.to_owned());
            }
        }
        files.sort();
        Ok(files)
    }

    /// The text of a file of the workspace, relative to it: `keys/alice.pub`.
    ///
    /// # Errors
    /// Where it is not there, not a regular file, too large or not UTF-8.
    pub fn read(&self, path: &str) -> Result<String> {
        self.read_if_there(path)?
            .ok_or_else(|| Problem::failed(format!("there is no {}", escaped(path))).into())
    }

    /// As [`Self::read`]; `None` if it is not there.
    ///
    /// # Errors
    /// Where it is not a regular file, too large or not UTF-8.
    pub fn read_if_there(&self, path: &str) -> Result<Option<String>> {
        read(&self.root, &self.unfinished, path)
    }

    /// The text of any file below the workspace's folder, relative to it: a Compose file, or what it names.
    /// `None` if it is not there.
    ///
    /// # Errors
    /// Where it is not a regular file, too large or not UTF-8, and for files of git and of pillarbox itself.
    pub fn read_beside(&self, path: &str) -> Result<Option<String>> {
        text(path, &beside(&self.root, path)?)
    }

    /// The bytes of any file below the workspace's folder, relative to it, and whether it may be executed.
    /// `None` if it is not there.
    ///
    /// # Errors
    /// As [`Self::read_beside`]; they need not be text.
    pub fn bytes_beside(&self, path: &str) -> Result<Option<(Vec<u8>, bool)>> {
        let target = beside(&self.root, path)?;
        match read_regular(&target, LARGEST) {
            Ok(bytes) => Ok(Some((bytes, is_executable(&target)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot("read", &target, &error).into()),
        }
    }

    /// The files at or below a path of the workspace's folder, relative to it (empty: it is a file itself), and
    /// whether they may be executed; none if nothing is there. What begins with `.` is left out.
    ///
    /// # Errors
    /// As [`Self::read_beside`]; all links, and more than 256 files.
    pub fn files_beside(&self, path: &str) -> Result<Vec<(String, bool)>> {
        let target = beside(&self.root, path)?;
        match target.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot("read", &target, &error).into()),
            Ok(data) if data.is_file() => return Ok(vec![(String::new(), is_executable(&target))]),
            Ok(_) => {}
        }
        let files = listing::files(&self.root, path, |_| true)?;
        if files.len() > MOST_BESIDE {
            let what = format!(
                "{} has {} files, and {MOST_BESIDE} may be brought along",
                escaped(path),
                files.len()
            );
            return Err(Problem::failed(what).hint("put them into the image").into());
        }
        Ok(files.into_iter().map(|file| (file.clone(), is_executable(&target.join(&file)))).collect())
    }

    /// A pillar file, relative to `pillar/`.
    ///
    /// # Errors
    /// Where it cannot be read or is not TOML.
    pub fn document(&self, file: &str) -> Result<Document> {
        Document::parse(file, self.read(&format!("pillar/{file}"))?)
    }

    /// All pillar files as they are at one moment, never half of a change that is being made.
    ///
    /// # Errors
    /// All files that cannot be read or are not TOML.
    pub fn documents(&self) -> Result<Vec<Document>> {
        self.at_one_moment(|workspace| {
            collect(workspace.pillar_files()?.iter().map(|file| workspace.document(file)))
        })
    }

    /// Reads several files while no change is being made.
    ///
    /// # Errors
    /// Those of `reading`, and where a writer does not end.
    pub fn at_one_moment<T>(&self, reading: impl Fn(&Self) -> Result<T>) -> Result<T> {
        if self.writing.load(Ordering::SeqCst) {
            return reading(self);
        }
        let own = own_folder(&self.root);
        loop {
            let before = self.shared_lock()?;
            if self.unfinished.is_empty() && pending(&own)?.is_some() {
                // Cut off after this workspace was opened.
                drop(before);
                if finish_pending(&self.disk, &self.root)?.is_empty() {
                    continue;
                }
                return Err(Problem::failed("the workspace was changed while it was read")
                    .hint("run the same command again")
                    .into());
            }
            let read = reading(self);
            // Without a lock file no process has written here yet; if one has begun to, it is there now.
            if before.is_some() || self.shared_lock()?.is_none() {
                return read;
            }
        }
    }

    fn shared_lock(&self) -> Result<Option<File>> {
        let path = own_folder(&self.root).join("lock");
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // Where the lock may not even be read, its readers do without.
            _ if open(&path, Mode::Shared).is_err_and(|error| is_read_only(&error)) => Ok(None),
            _ => Ok(Some(take(&path, Mode::Shared, TIMEOUT, &mut || {})?)),
        }
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(super) fn writing(&self, now: bool) {
        self.writing.store(now, Ordering::SeqCst);
    }
}

fn is_box(file: &str) -> bool {
    file == "box.toml" || file.ends_with("/box.toml")
}

fn read(root: &Path, unfinished: &Files, path: &str) -> Result<Option<String>> {
    let target = within(root, path)?;
    match unfinished.get(path) {
        Some(None) => Ok(None),
        Some(Some(bytes)) => utf8(path, bytes.clone()).map(Some),
        None => text(path, &target),
    }
}

fn text(path: &str, target: &Path) -> Result<Option<String>> {
    match read_regular(target, LARGEST) {
        Ok(bytes) => utf8(path, bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", target, &error).into()),
    }
}

fn is_executable(target: &Path) -> bool {
    target.symlink_metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

fn utf8(path: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
        Problem::failed("this is not UTF-8").at(&crate::problem::Place::new(path, line)).into()
    })
}

/// Finishes a change that was cut off; returns what is left of it where nothing can be written.
fn finish_pending(disk: &Disk, root: &Path) -> Result<Files> {
    let own = own_folder(root);
    match own.symlink_metadata() {
        Ok(data) if data.is_dir() => {}
        _ => return Ok(Files::new()),
    }
    let Some(found) = pending(&own)? else { return Ok(Files::new()) };
    if let Err(error) = disk.writable(&own) {
        if is_read_only(&error) {
            return found.left(root, &own);
        }
        return Err(cannot("write to", &own, &error).into());
    }
    let _lock = take(&own.join("lock"), Mode::Exclusive, TIMEOUT, &mut || {})?;
    // The process that had the lock may have finished it.
    if let Some(found) = pending(&own)? {
        found.finish(disk, root, &own)?;
    }
    Ok(Files::new())
}
