//! Readers whose key files say something else than the locks, and private keys in the workspace.

use crate::cli::Context;
use crate::cli::commands::reader::pending_want;
use crate::keys::holds_private_key;
use crate::name::ReaderName;
use crate::problem::{Code, Place, Problem, Problems, escaped, quoted};
use crate::session::{KeyFiles, Vault};
use crate::store::Workspace;
use std::collections::BTreeSet;

/// Key files that cannot be read, and readers whose file and lock differ.
pub(in crate::cli::commands) fn pending(vault: &Vault<'_>) -> Vec<Problem> {
    let files = match vault.key_files() {
        Ok(files) => files,
        Err(found) => return found.into_vec(),
    };
    let mut problems: Vec<Problem> =
        files.iter().filter_map(|(_, key)| key.clone().err()).flat_map(Problems::into_vec).collect();
    for (folder, file) in vault.boxes() {
        let open = vault.unlock(folder).ok();
        for name in &file.readers {
            if files.iter().any(|(found, key)| found == name && key.is_err()) {
                continue;
            }
            let key = open.as_ref().and_then(|open| open.readers().get(name));
            problems.extend(pending_want(&files, name, key).map(|why| {
                Problem::failed(format!("the lock of {folder} and keys/ differ for {name}: {why}"))
                    .at(&Place::new(KeyFiles::path(name), 0))
                    .hint("if the file is right, make the locks agree with it: pillarbox reader rekey")
                    .hint("if it is not, restore it from git")
            }));
        }
    }
    problems
}

/// Readers with a key file who read no box: where two branches each added a reader, a merge keeps one of the
/// locks. Nothing where a box cannot be read.
pub(in crate::cli::commands) fn keys_without_box(vault: &Vault<'_>) -> Vec<ReaderName> {
    let Ok(files) = vault.key_files() else { return Vec::new() };
    if vault.unread().next().is_some() {
        return Vec::new();
    }
    let readers: BTreeSet<&ReaderName> = vault.boxes().values().flat_map(|file| &file.readers).collect();
    let without = files.iter().filter(|(name, key)| key.is_ok() && !readers.contains(name));
    without.map(|(name, _)| name.clone()).collect()
}

/// Warns of them, with the command for either case.
pub(in crate::cli::commands) fn warn_of_keys_without_box(ctx: &Context, vault: &Vault<'_>) {
    for name in keys_without_box(vault) {
        let path = KeyFiles::path(&name);
        ctx.out.warn(format_args!(
            "{path} reads no box; if it should: pillarbox reader add {name}; if not: git rm {path}"
        ));
    }
}

/// Private keys in files of the workspace's folder.
pub(in crate::cli::commands) fn private_keys(workspace: &Workspace) -> Vec<Problem> {
    let mut problems = Vec::new();
    workspace.every_file(&mut |path, bytes| {
        let starts = std::iter::once(0)
            .chain(bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1));
        for (number, start) in (1..).zip(starts) {
            if holds_private_key(&bytes[start..]) {
                problems.push(
                    Problem::new(Code::Seal, "a private key is in the workspace")
                        .at(&Place::new(escaped(path), number))
                        .cause("anyone who can read the repository can open what this key opens")
                        .hint(format!("remove it from the folder and from git: git rm --cached {}", quoted(path)))
                        .hint("if it was ever committed or shared, make another key and rekey: pillarbox identity new, pillarbox reader rekey --new-slot"),
                );
            }
        }
    });
    problems
}
