//! Which folder is the workspace: `-C`, else `PILLARBOX_WORKSPACE`, else the nearest folder upwards
//! with a `pillarbox.toml`. The search stops at the home folder and at folders and files of another
//! owner: a `/tmp/pillarbox.toml` that somebody left is not ours to follow.

use super::Context;
use crate::problem::{Problem, Result};
use std::path::{Path, PathBuf};

/// The file that makes a folder a workspace.
const INVENTORY: &str = "pillarbox.toml";

impl Context {
    /// The workspace's folder.
    ///
    /// # Errors
    /// Where there is none.
    pub fn workspace_dir(&self) -> Result<PathBuf> {
        let named = [("-C", &self.global.workspace), ("PILLARBOX_WORKSPACE", &self.env.workspace)]
            .into_iter()
            .find_map(|(by, path)| Some((by, path.as_ref()?)));
        if let Some((by, path)) = named {
            let dir = self.absolute(path);
            if dir.join(INVENTORY).is_file() {
                return Ok(dir);
            }
            return Err(Problem::failed(format!("{by}: `{}` is not a workspace", path.display()))
                .cause(format!("there is no {INVENTORY} in it"))
                .hint(format!("make one: pillarbox init {}", quoted(&dir)))
                .into());
        }
        self.search().ok_or_else(|| {
            Problem::failed(format!("there is no {INVENTORY} here or above"))
                .hint("name a workspace with -C DIR or PILLARBOX_WORKSPACE, or make one: pillarbox init")
                .into()
        })
    }

    fn search(&self) -> Option<PathBuf> {
        for dir in self.env.cwd.ancestors() {
            if !is_ours(dir) {
                return None;
            }
            let inventory = dir.join(INVENTORY);
            if inventory.is_file() {
                return is_ours(&inventory).then(|| dir.to_path_buf());
            }
            if self.env.home.as_deref() == Some(dir) {
                return None;
            }
        }
        None
    }
}

fn quoted(path: &Path) -> String {
    crate::problem::quoted(&path.display().to_string())
}

/// Whether a file or folder belongs to who runs this, links not followed.
#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.symlink_metadata().is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_ours(_path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::context::Environment;

    fn context(cwd: &Path, home: &Path) -> Context {
        Context::for_tests(Environment {
            cwd: cwd.to_path_buf(),
            home: Some(home.to_path_buf()),
            ..Environment::default()
        })
    }

    #[test]
    fn the_nearest_inventory_upwards_is_found_but_none_above_the_home_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let deep = dir.path().join("home/shop/states/web");
        std::fs::create_dir_all(&deep).expect("made");
        let home = dir.path().join("home");
        std::fs::write(dir.path().join(INVENTORY), "").expect("written");
        assert!(context(&deep, &home).workspace_dir().is_err());
        std::fs::write(home.join("shop").join(INVENTORY), "").expect("written");
        assert_eq!(context(&deep, &home).workspace_dir().expect("found"), home.join("shop"));
    }

    #[test]
    fn a_named_folder_is_taken_or_refused_never_searched_from() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(INVENTORY), "").expect("written");
        let below = dir.path().join("below");
        std::fs::create_dir(&below).expect("made");
        let mut context = context(&below, dir.path());
        context.global.workspace = Some(".".into());
        let problems = context.workspace_dir().expect_err("not a workspace");
        assert!(problems.to_string().starts_with("-C: `.` is not a workspace"), "{problems}");
        context.global.workspace = Some("..".into());
        assert!(context.workspace_dir().is_ok());
    }
}
