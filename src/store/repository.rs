//! The git repository around a workspace, found by its `.git` alone.
//!
//! git itself also takes any folder for a repository that holds `HEAD`, `objects` and `refs`, and such files
//! can be committed: anyone who can write to a workspace could put a repository of their own in the way. A
//! `.git` cannot be committed, so only that counts, and nothing inside of the workspace does.

use super::disk::read_regular;
use super::fault::cannot;
use crate::problem::{Problem, Result, escaped};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file that says where a repository is has one line; in bytes.
const LARGEST_POINTER: u64 = 8 << 10;

/// A git repository with a work tree that holds the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `GIT_DIR`: absolute, without symbolic links.
    pub git_dir: PathBuf,
    /// The folder with the `.git`: the top of its work tree.
    pub top: PathBuf,
    /// The workspace relative to the top: empty, or with a `/` at its end.
    pub prefix: String,
    /// A folder of it that belongs to another user: git refuses such a repository unless `safe.directory`
    /// names it.
    pub foreign: Option<PathBuf>,
}

impl Repository {
    /// The repository around the workspace in `root`; `None` where no folder from there upwards has a `.git`.
    ///
    /// # Errors
    /// Where the `.git` cannot be followed, or leads into the workspace.
    pub fn around(root: &Path) -> Result<Option<Self>> {
        let root = root.canonicalize().map_err(|error| cannot("open", root, &error))?;
        let found = root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
        let Some(top) = found else { return Ok(None) };
        let entry = top.join(".git");
        let git_dir = followed(&entry).map_err(|error| cannot("follow", &entry, &error))?;
        let common = common(&git_dir).map_err(|error| cannot("follow", &git_dir, &error))?;
        let own = own_folder(&root);
        for folder in [Some(&git_dir), common.as_ref()].into_iter().flatten() {
            let inside = folder.starts_with(&root);
            if inside && !own.as_ref().is_some_and(|own| folder.starts_with(own)) {
                return Err(Problem::failed(format!("{} leads into the workspace", shown(&entry)))
                    .cause(format!("{} may be a repository that was committed there", shown(folder)))
                    .hint("give the workspace a repository of its own: git init")
                    .into());
            }
        }
        let below = root.strip_prefix(top).unwrap_or(Path::new(""));
        let below = below
            .to_str()
            .ok_or_else(|| Problem::failed(format!("the path {} is not UTF-8", shown(&root))))?;
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        let user = rustix::process::geteuid().as_raw();
        let mut parts = vec![top.to_path_buf(), entry, git_dir.clone()];
        parts.extend(common);
        let foreign = parts.into_iter().find(|path| !is_of(path, user));
        Ok(Some(Self { git_dir, top: top.to_path_buf(), prefix, foreign }))
    }

    /// The branch that is checked out; `None` where a commit is, or it cannot be read.
    pub fn branch(&self) -> Option<String> {
        let head = read_regular(&self.git_dir.join("HEAD"), LARGEST_POINTER).ok()?;
        let head = String::from_utf8(head).ok()?;
        head.trim_end().strip_prefix("ref: refs/heads/").map(str::to_owned)
    }
}

/// `.git` in the workspace's own folder, if it is a folder: no clone brings one.
fn own_folder(root: &Path) -> Option<PathBuf> {
    let own = root.join(".git");
    own.symlink_metadata().is_ok_and(|data| data.is_dir()).then_some(own)
}

/// The folder that a `.git` is or, in a linked work tree or submodule, names.
fn followed(entry: &Path) -> io::Result<PathBuf> {
    let real = entry.canonicalize()?;
    if real.is_dir() {
        return Ok(real);
    }
    let text = String::from_utf8(read_regular(&real, LARGEST_POINTER)?).map_err(io::Error::other)?;
    let named = text.trim_end_matches(['\n', '\r']).strip_prefix("gitdir: ");
    let named = named.ok_or_else(|| io::Error::other("it names no repository (`gitdir: …`)"))?;
    entry.parent().unwrap_or(entry).join(named).canonicalize()
}

/// The repository that a linked work tree shares.
fn common(git_dir: &Path) -> io::Result<Option<PathBuf>> {
    let file = git_dir.join("commondir");
    match read_regular(&file, LARGEST_POINTER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => {
            let text = String::from_utf8(read?).map_err(io::Error::other)?;
            git_dir.join(text.trim_end_matches(['\n', '\r'])).canonicalize().map(Some)
        }
    }
}

fn is_of(path: &Path, user: u32) -> bool {
    path.symlink_metadata().is_ok_and(|data| data.uid() == user)
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn made(folder: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
    }

    #[test]
    fn only_a_dot_git_makes_a_repository() {
        let dir = tempfile::tempdir().expect("a folder");
        let top = dir.path().canonicalize().expect("its real path");
        made(
            &top,
            &[
                ("shop/HEAD", "ref: refs/heads/main\n"),
                ("shop/config", ""),
                ("shop/objects/x", ""),
                ("shop/refs/x", ""),
            ],
        );
        assert_eq!(Repository::around(&top.join("shop")).expect("looked"), None);
        made(&top, &[(".git/HEAD", "ref: refs/heads/main\n")]);
        let found = Repository::around(&top.join("shop")).expect("looked").expect("one");
        let expected =
            Repository { git_dir: top.join(".git"), top, prefix: "shop/".to_owned(), foreign: None };
        assert_eq!(found, expected);
        assert_eq!(found.branch().as_deref(), Some("main"));
        made(&found.top, &[(".git/HEAD", "0123456789abcdef0123456789abcdef01234567\n")]);
        assert_eq!(found.branch(), None);
    }

    #[test]
    fn a_work_tree_is_followed_unless_it_leads_into_the_workspace() {
        let dir = tempfile::tempdir().expect("a folder");
        let top = dir.path().canonicalize().expect("its real path");
        made(&top, &[("main/.git/worktrees/shop/commondir", "../..\n")]);
        made(&top, &[("shop/.git", "gitdir: ../main/.git/worktrees/shop\n"), ("shop/evil/HEAD", "")]);
        let found = Repository::around(&top.join("shop")).expect("looked").expect("one");
        assert_eq!((found.git_dir, found.prefix.as_str()), (top.join("main/.git/worktrees/shop"), ""));
        for text in ["gitdir: evil\n", "gitdir: ../shop/evil\n", "gitdir: nowhere\n", "evil\n"] {
            made(&top, &[("shop/.git", text)]);
            assert!(Repository::around(&top.join("shop")).is_err(), "{text}");
        }
        // What is shared may not lie there either.
        made(&top, &[("shop/.git", "gitdir: ../main/.git/worktrees/shop\n")]);
        made(&top, &[("main/.git/worktrees/shop/commondir", "../../../../shop/evil\n")]);
        assert!(Repository::around(&top.join("shop")).is_err());
    }
}
