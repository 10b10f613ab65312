//! Which files Salt puts on the host.

use super::files::Finds;
use super::rendered::{Minion, RenderedState};
use super::sort::clear;
use crate::state::ArgValue;
use std::collections::BTreeMap;

/// The `file.managed` and `file.recurse` states of a minion by the paths of their files, each with its file in
/// Salt's tree where the state does not say it itself.
pub(super) struct HostFiles<'m>(BTreeMap<String, (&'m RenderedState, Option<String>)>);

impl<'m> HostFiles<'m> {
    pub(super) fn of(minion: &'m Minion, finds: Option<&dyn Finds>) -> Self {
        let mut found = BTreeMap::new();
        for state in minion.states.iter().filter(|state| state.module == "file") {
            let mut paths: Vec<&str> = match state.args.get("names").map(|names| &names.value) {
                Some(ArgValue::Array(names)) => names.iter().filter_map(clear).collect(),
                _ => Vec::new(),
            };
            if paths.is_empty() {
                paths.push(state.args.get("name").and_then(clear).unwrap_or(&state.id));
            }
            let paths = paths.into_iter().map(|path| path.trim_end_matches('/').to_owned());
            match state.function.as_str() {
                "managed" => found.extend(paths.map(|path| (path, (state, None)))),
                "recurse" => {
                    for path in paths {
                        found.extend(within(&path, state, finds));
                    }
                }
                _ => {}
            }
        }
        Self(found)
    }

    /// The path of a state that a requisite names by its id or name.
    pub(super) fn is_named(&self, path: &str, name: &str) -> bool {
        self.0
            .get(path)
            .is_some_and(|(state, _)| path == name || state.id == name || is_folder_of(state, name))
    }

    /// Whether a requisite names one of them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.keys().any(|path| path == name || self.is_named(path, name))
    }

    /// The files at a path, or below it.
    pub(super) fn at(&self, path: &str) -> Vec<(&str, &'m RenderedState, Option<&str>)> {
        let path = path.trim_end_matches('/');
        let within =
            |file: &str| file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let found = self.0.iter().filter(|(file, _)| within(file));
        found.map(|(file, (state, source))| (file.as_str(), *state, source.as_deref())).collect()
    }
}

/// The files that a `file.recurse` puts into a folder; the folder itself where they are not known.
fn within<'m>(
    folder: &str,
    state: &'m RenderedState,
    finds: Option<&dyn Finds>,
) -> Vec<(String, (&'m RenderedState, Option<String>))> {
    let source = state.args.get("source").and_then(clear).and_then(|source| source.strip_prefix("salt://"));
    let source = source.map(|source| source.split('?').next().unwrap_or_default().trim_end_matches('/'));
    // Which of the files are chosen, only Salt knows.
    let chosen = ["include_pat", "exclude_pat", "maxdepth"].iter().any(|name| state.args.contains_key(*name));
    let files = source.zip(finds).filter(|_| !chosen).map(|(source, finds)| (source, finds.files(source)));
    match files {
        Some((source, files)) if !files.is_empty() => {
            let one = |file: String| (format!("{folder}/{file}"), (state, Some(format!("{source}/{file}"))));
            files.into_iter().map(one).collect()
        }
        _ => vec![(folder.to_owned(), (state, None))],
    }
}

/// Whether a requisite names the folder of a `file.recurse`.
fn is_folder_of(state: &RenderedState, name: &str) -> bool {
    state.args.get("name").and_then(clear).is_some_and(|folder| folder.trim_end_matches('/') == name)
}
