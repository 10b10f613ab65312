//! Loading a part of a workspace, for what must answer fast however large it is.

use super::{Vault, files, folder_of_box};
use crate::problem::{Problems, Result};
use crate::session::context::Session;
use crate::store::Workspace;
use std::collections::BTreeSet;

impl<'c> Vault<'c> {
    /// For what needs a few pillar files alone, relative to `pillar/`: those of them that are there, with
    /// the boxes above them. However many others there are, they are not touched.
    ///
    /// # Errors
    /// All that is wrong with their form.
    pub fn load_files(session: &'c Session, workspace: &'c Workspace, wanted: &[&str]) -> Result<Self> {
        let files = workspace.at_one_moment(|workspace| {
            let boxes: BTreeSet<String> = wanted.iter().flat_map(|file| boxes_above(file)).collect();
            let all = boxes.into_iter().chain(wanted.iter().map(|file| (*file).to_owned()));
            let read = all.map(|file| {
                let text = workspace.read_if_there(&format!("pillar/{file}"));
                (file, text.transpose())
            });
            Ok(read.filter_map(|(file, text)| Some((file, text?))).collect())
        })?;
        Self::sound(session, workspace, files)
    }

    /// For what needs only the pillar files of which `wanted` says so by path and text, with all boxes:
    /// others are read but not parsed.
    ///
    /// # Errors
    /// All that is wrong with the form of those files and of boxes.
    pub fn load_where(
        session: &'c Session,
        workspace: &'c Workspace,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Self> {
        let mut files = workspace.at_one_moment(|workspace| files(workspace, |path| workspace.read(path)))?;
        files.retain(|(file, text)| {
            folder_of_box(file).is_some() || text.as_ref().map_or(true, |text| wanted(file, text))
        });
        Self::sound(session, workspace, files)
    }

    fn sound(
        session: &'c Session,
        workspace: &'c Workspace,
        files: Vec<(String, Result<String>)>,
    ) -> Result<Self> {
        let mut vault = Self::of(session, workspace, None, files)?;
        Problems::check(std::mem::take(&mut vault.faults))?;
        Ok(vault)
    }
}

/// Every `box.toml` that could govern a file, relative to `pillar/`.
fn boxes_above(file: &str) -> impl Iterator<Item = String> {
    file.rmatch_indices('/').map(|(at, _)| format!("{}/box.toml", &file[..at])).chain(["box.toml".to_owned()])
}
