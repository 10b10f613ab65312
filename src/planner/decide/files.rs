//! Files that are rewritten in the container that stays: which, and what it does then.
//!
//! A restart is between its stop and its start, so that an apply that is cut off leaves a container that is not
//! started yet, or one that has the new file. After a signal another small file says for which content it was sent; cut
//! off before, the next plan sends it.

use crate::desired::container_file::field_of;
use crate::desired::{DesiredContainer, OnChange, Reaction};
use crate::observed::{Container, SeenFile};
use crate::planner::context::PlanContext;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is done about files of a container that stays.
#[derive(Debug, Default)]
pub(in crate::planner) struct Rewriting {
    /// Paths that are rewritten.
    pub(in crate::planner) paths: BTreeSet<String>,
    /// Paths of which only the signal was not sent.
    pub(in crate::planner) unsignalled: BTreeSet<String>,
    /// Those that it mounts.
    pub(in crate::planner) mounted: BTreeSet<String>,
    /// It is said for which content the signal was sent.
    pub(in crate::planner) marks: bool,
}

impl Rewriting {
    pub(in crate::planner) fn of(
        context: &PlanContext<'_>,
        desired: &DesiredContainer,
        container: &Container,
    ) -> Self {
        let Some(seen) = context.files_of(&container.id) else { return Self::default() };
        let in_place = || desired.spec.files.iter().filter(|(_, file)| file.on_change != OnChange::Replace);
        let differs = |path: &String| seen.get(path).is_some_and(|seen| *seen != SeenFile::Same);
        let paths: BTreeSet<String> =
            in_place().map(|(path, _)| path).filter(|path| differs(path)).cloned().collect();
        let mounted = paths.iter().filter(|path| mounts(container, path)).cloned().collect();
        let Some((mark, _)) = desired.spec.signalled() else {
            return Self { paths, mounted, ..Self::default() };
        };
        let prints = desired.spec.field_fingerprints();
        let as_made = |path: &String| as_made(&prints, container, path);
        let signals = in_place().filter(|(_, file)| file.on_change != OnChange::Restart);
        let signals = signals.map(|(path, _)| path).filter(|path| !paths.contains(*path));
        let unsignalled: BTreeSet<String> = match seen.get(&mark) {
            None | Some(SeenFile::Same) => BTreeSet::new(),
            Some(SeenFile::Missing) => signals.filter(|path| !as_made(path)).cloned().collect(),
            // For another content, of whichever of them.
            Some(SeenFile::Earlier(_) | SeenFile::Other) => signals.cloned().collect(),
        };
        let marks = !unsignalled.is_empty() || paths.iter().any(|path| is_signal(desired, path));
        Self { paths, unsignalled, mounted, marks }
    }

    /// Whether there is nothing to do.
    pub(in crate::planner) fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.marks
    }

    /// What a container that runs does.
    pub(in crate::planner) fn reactions<'a>(
        &'a self,
        desired: &'a DesiredContainer,
    ) -> impl Iterator<Item = Reaction> + 'a {
        self.paths.iter().chain(&self.unsignalled).filter_map(|path| {
            Some(match &desired.spec.files.get(path)?.on_change {
                // It sees the file that it mounts only when it is started.
                _ if self.mounted.contains(path) => Reaction::Restart,
                OnChange::Signal(signal) => Reaction::Signal(signal.clone()),
                OnChange::Restart | OnChange::Replace => Reaction::Restart,
            })
        })
    }
}

/// Whether the files that are rewritten in place are declared as a container was made with. One that never got into
/// service has no other ones; they are not looked at in it.
pub(in crate::planner) fn are_as_made(desired: &DesiredContainer, container: &Container) -> bool {
    let mut in_place =
        desired.spec.files.iter().filter(|(_, file)| file.on_change != OnChange::Replace).peekable();
    if in_place.peek().is_none() {
        return true;
    }
    let prints = desired.spec.field_fingerprints();
    in_place.all(|(path, _)| as_made(&prints, container, path))
}

fn as_made(prints: &BTreeMap<String, String>, container: &Container, path: &str) -> bool {
    let (field, ours) = (field_of(path), container.ours.as_ref());
    ours.and_then(|ours| ours.fields.get(&field)) == prints.get(&field)
}

fn is_signal(desired: &DesiredContainer, path: &str) -> bool {
    desired.spec.files.get(path).is_some_and(|file| matches!(file.on_change, OnChange::Signal(_)))
}

/// Whether a container mounts something at a path.
fn mounts(container: &Container, path: &str) -> bool {
    let mounts = container.inspect.compare("/Mounts").and_then(Value::as_array);
    let mut places = mounts.into_iter().flatten().filter_map(|mount| mount["Destination"].as_str());
    places.any(|place| place == path)
}
