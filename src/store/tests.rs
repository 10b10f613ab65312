//! Tests of the store on real folders, with faults put between any two steps.

mod at_once;
mod cut_off;
mod faults;
mod outside;
mod stranger;

pub(super) use faults::{Fault, Faults};

use super::disk::Disk;
use super::{Change, Workspace};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const SHOP: &str = "workspace = \"shop\"\n";

/// A workspace with some files: path and text.
fn shop(files: &[(&str, &str)]) -> TempDir {
    // In memory where there is such a place: the tests sync some thousand times.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let mut change = Change::new();
    change.put("pillarbox.toml", SHOP);
    for (path, text) in files {
        change.put(*path, *text);
    }
    Workspace::create(folder.path(), &change).expect("a workspace");
    folder
}

fn open_with(root: &Path, steps: usize, fault: Fault) -> crate::problem::Result<Workspace> {
    Workspace::with_disk(root, Disk { faults: Faults::after(steps, fault) })
}

/// Every file but the tool's own, with mode and text.
fn state(root: &Path) -> BTreeMap<String, (u32, String)> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, (u32, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path != root.join(".pillarbox") {
                    walk(root, &path, found);
                }
            } else {
                let mode = path.metadata().expect("a file").permissions().mode() & 0o7777;
                let name = path.strip_prefix(root).expect("below").display().to_string();
                found.insert(name, (mode, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

fn own(root: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root.join(".pillarbox"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn write(workspace: &Workspace, change: &Change) -> crate::problem::Result<()> {
    workspace.lock(&mut || {})?.commit(change)
}
