//! The files below a folder of a workspace.

use super::fault::cannot;
use crate::problem::{Problem, Problems, Result, escaped};
use std::io;
use std::path::Path;

/// Folders within folders, at most.
const DEEPEST: usize = 16;

/// The regular files below `root/folder` that `keep` wants, relative to it with `/` between the parts,
/// sorted. What begins with `.` is not looked at.
///
/// # Errors
/// All symbolic links, and what is no file and no folder.
pub(super) fn files(root: &Path, folder: &str, keep: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let top = root.join(folder);
    let mut problems = Vec::new();
    let mut found = Vec::new();
    match top.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(cannot("read", &top, &error).into()),
        Ok(data) if !data.is_dir() => return Err(refused(folder, data.is_symlink()).into()),
        Ok(_) => walk(&top, folder, "", 0, &keep, &mut found, &mut problems),
    }
    Problems::check(problems)?;
    found.sort();
    Ok(found)
}

fn refused(path: &str, is_link: bool) -> Problem {
    let what = if is_link { "a symbolic link" } else { "neither a file nor a folder" };
    Problem::failed(format!("{} is {what}", escaped(path)))
        .hint("a workspace holds regular files only: put the file itself there")
}

fn walk(
    path: &Path,
    folder: &str,
    below: &str,
    depth: usize,
    keep: &impl Fn(&str) -> bool,
    found: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return problems.push(cannot("read", path, &error)),
    };
    for entry in entries {
        let (entry, kind) = match entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) {
            Ok(both) => both,
            Err(error) => {
                problems.push(cannot("read", path, &error));
                continue;
            }
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            problems.push(Problem::failed(format!(
                "the name of {} is not UTF-8",
                escaped(&entry.path().display().to_string())
            )));
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let whole = format!("{folder}/{relative}");
        if kind.is_dir() && depth < DEEPEST {
            walk(&entry.path(), folder, &relative, depth + 1, keep, found, problems);
        } else if kind.is_dir() {
            problems.push(Problem::failed(format!("{} is too deep", escaped(&whole))));
        } else if !kind.is_file() {
            problems.push(refused(&whole, kind.is_symlink()));
        } else if keep(&relative) {
            found.push(relative);
        }
    }
}
