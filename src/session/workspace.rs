//! Which folder is the workspace: `-C`, else `PILLARBOX_WORKSPACE`, else the nearest folder upwards
//! with a `pillarbox.toml`.

use super::context::Session;
use crate::problem::{Problem, Result};
use crate::store::{Search, Workspace, find};
use std::path::PathBuf;

impl Session {
    /// The workspace.
    ///
    /// # Errors
    /// Where there is none, or it cannot be opened.
    pub fn workspace(&self) -> Result<Workspace> {
        let given = self.options.workspace.as_ref().or(self.env.workspace.as_ref());
        let workspace = find(&Search {
            given: given.map(|path| self.absolute(path)),
            start: self.env.cwd.clone(),
            home: self.env.personal.home.clone().map(PathBuf::from),
        })?;
        let _ = self.root.set(workspace.root().to_path_buf());
        Ok(workspace)
    }

    /// The workspace of a program that others start in any folder: `PILLARBOX_WORKSPACE`, else the one
    /// that `config.toml` names; never the current folder, which may hold a stranger's.
    ///
    /// # Errors
    /// Where it is named by a relative path, is none, or cannot be opened.
    pub fn standing_workspace(&self) -> Result<Option<Workspace>> {
        let named = match &self.env.workspace {
            Some(path) if path.is_relative() => {
                return Err(Problem::failed("PILLARBOX_WORKSPACE is a relative path")
                    .cause("the current folder may belong to anyone")
                    .hint("set it to an absolute path")
                    .into());
            }
            Some(path) => Some(path.clone()),
            None => self.config()?.workspace,
        };
        let Some(root) = named else { return Ok(None) };
        let workspace = Workspace::open(&root)?;
        let _ = self.root.set(workspace.root().to_path_buf());
        Ok(Some(workspace))
    }

    /// The workspace's folder.
    ///
    /// # Errors
    /// As [`Self::workspace`].
    pub fn workspace_dir(&self) -> Result<PathBuf> {
        match self.root.get() {
            Some(root) => Ok(root.clone()),
            None => Ok(self.workspace()?.root().to_path_buf()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::environment::Environment;

    #[test]
    fn an_option_goes_before_a_variable_and_a_variable_before_the_search() {
        let dir = tempfile::tempdir().expect("a folder");
        let make = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(&path).expect("made");
            std::fs::write(path.join("pillarbox.toml"), "workspace = \"shop\"\n").expect("written");
            path.canonicalize().expect("its real path")
        };
        let (option, variable, here) = (make("option"), make("variable"), make("here"));
        let found = |global: Option<&str>, variable: Option<&PathBuf>| {
            let mut session = Session::for_tests(Environment {
                cwd: here.clone(),
                workspace: variable.cloned(),
                ..Environment::default()
            });
            session.options.workspace = global.map(PathBuf::from);
            session.workspace_dir().expect("a workspace")
        };
        assert_eq!(found(Some("../option"), Some(&variable)), option);
        assert_eq!(found(None, Some(&variable)), variable);
        assert_eq!(found(None, None), here);
    }
}
