//! Every file around a workspace, for a look at what should not be there.

use super::Workspace;
use super::disk::read_regular;
use std::path::Path;

/// Folders within folders, at most.
const DEEPEST: usize = 24;
/// What is larger is no text that people wrote; in bytes.
const LARGEST: u64 = 1 << 20;

impl Workspace {
    /// Shows every regular file of up to 1 MiB below the workspace's folder: its path relative to it, and
    /// its bytes. Symbolic links are not followed; git's own folder, the tool's own and caches (with a
    /// `CACHEDIR.TAG`) are left out, and what cannot be read.
    pub fn every_file(&self, see: &mut dyn FnMut(&str, &[u8])) {
        walk(self.root(), "", 0, see);
    }
}

/// Regular files below a folder, relative to it and in order, at most `most`. Symbolic links are not followed.
pub fn files_below(folder: &Path, most: usize) -> Vec<String> {
    fn go(folder: &Path, below: &str, depth: usize, most: usize, found: &mut Vec<String>) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEEPEST => {
                    go(&entry.path(), &path, depth + 1, most, found);
                }
                Ok(kind) if kind.is_file() && found.len() < most => found.push(path),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    go(folder, "", 0, most, &mut found);
    found
}

fn walk(folder: &Path, below: &str, depth: usize, see: &mut dyn FnMut(&str, &[u8])) {
    if depth > DEEPEST || (depth > 0 && folder.join("CACHEDIR.TAG").is_file()) {
        return;
    }
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = if below.is_empty() { name.to_string() } else { format!("{below}/{name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && name != ".git" && path != ".pillarbox" => {
                walk(&entry.path(), &path, depth + 1, see);
            }
            Ok(kind) if kind.is_file() => {
                if let Ok(bytes) = read_regular(&entry.path(), LARGEST) {
                    see(&path, &bytes);
                }
            }
            _ => {}
        }
    }
}
