//! Which box governs a file; also where a box cannot be read, such as one in which git left a conflict.

use super::{Vault, folder_of_box};
use crate::pillar::boxes::BoxFolder;
use crate::pillar::document::Document;
use crate::problem::{Place, Problem, Result, escaped};

impl Vault<'_> {
    /// The box that governs a pillar file.
    ///
    /// # Errors
    /// Where none does.
    pub fn governing(&self, file: &str) -> Result<&BoxFolder> {
        let governing = BoxFolder::governing(file, self.boxes.keys());
        // One that cannot be read still governs: what is sealed below it must not go to the box above.
        if let Some(unread) = self.unread_box(file, governing) {
            let what = format!("the box that holds pillar/{} cannot be read", escaped(file));
            return Err(Problem::failed(what).at(&Place::new(unread, 0)).hint("pillarbox verify").into());
        }
        governing.ok_or_else(|| {
            Problem::failed(format!("no box holds pillar/{}", escaped(file)))
                .cause("there is no box.toml in its folder or above")
                .hint("make one for the whole pillar: pillarbox box new pillar --readers NAME")
                .into()
        })
    }

    /// The pillar files that a box governs.
    pub fn documents_in<'v>(&'v self, folder: &'v BoxFolder) -> impl Iterator<Item = &'v Document> + 'v {
        self.documents()
            .filter(move |document| BoxFolder::governing(document.file(), self.boxes.keys()) == Some(folder))
    }

    /// The texts of files that are no box and no TOML, by path relative to `pillar/`; why, [`Self::faults`] say.
    pub fn unread(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unread.iter().map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// Whether there is any box, also one that cannot be read.
    pub fn has_box(&self) -> bool {
        !self.boxes.is_empty() || self.unread.keys().any(|path| folder_of_box(path).is_some())
    }

    /// The path of a box that would govern a file before `instead` if it could be read.
    pub fn unread_box(&self, file: &str, instead: Option<&BoxFolder>) -> Option<String> {
        let unread = self.unread.keys().filter_map(|path| BoxFolder::parse(folder_of_box(path)?).ok());
        let all: Vec<BoxFolder> = unread.chain(instead.cloned()).collect();
        let nearest = BoxFolder::governing(file, &all)?;
        (Some(nearest) != instead).then(|| nearest.file())
    }
}
