//! What Salt puts into files: from its tree, or as it has put them on the host.

use crate::highstate::{Content, Finds};
use crate::store;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Folders of files.
pub(super) struct Tree {
    /// Of Salt's own tree.
    pub(super) sources: Vec<PathBuf>,
    /// As on the host.
    pub(super) rendered: Vec<PathBuf>,
}

impl Finds for Tree {
    fn content(&self, minion: Option<&str>, target: &str, sources: &[String], template: bool) -> Content {
        let target = target.trim_start_matches('/');
        let names = minion
            .map(|minion| format!("{minion}/{target}"))
            .into_iter()
            .chain(std::iter::once(target.to_owned()))
            .chain(sources.iter().cloned());
        for name in names {
            if let Some(bytes) = read(&self.rendered, &name) {
                let called = sources.first().map_or(target, String::as_str);
                return Content::Found(called_as(called), bytes);
            }
        }
        for source in sources {
            let Some(bytes) = read(&self.sources, source) else { continue };
            let holds = |open: &str| bytes.windows(open.len()).any(|window| window == open.as_bytes());
            if template && ["{{", "{%", "{#"].into_iter().any(holds) {
                return Content::Template;
            }
            return Content::Found(called_as(source), bytes);
        }
        Content::Missing
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        if is_within(Path::new(folder)) {
            for root in &self.sources {
                found.extend(store::files_below(&root.join(folder), MOST_FILES));
            }
        }
        found.into_iter().collect()
    }
}

/// Files of a folder that a container is given, at most.
const MOST_FILES: usize = 1000;

fn is_within(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// A file in the first folder that has it. Nothing outside of the folders is read.
fn read(folders: &[PathBuf], name: &str) -> Option<Vec<u8>> {
    let path = Path::new(name);
    if !is_within(path) {
        return None;
    }
    folders.iter().find_map(|folder| {
        let full = folder.join(path);
        full.is_file().then(|| store::read_secret(&full).ok())?.map(|secret| secret.reveal().to_vec())
    })
}

/// Without the ending of a template.
fn called_as(source: &str) -> String {
    let ending = [".jinja", ".jinja2", ".j2", ".tmpl"].into_iter().find(|ending| source.ends_with(ending));
    ending.and_then(|ending| source.strip_suffix(ending)).unwrap_or(source).to_owned()
}
