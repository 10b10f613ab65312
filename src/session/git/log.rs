//! The commits in which what protects secrets changed.

use super::Git;
use super::files::Text;
use crate::problem::{Problem, Result};
use std::collections::BTreeMap;

/// A commit that changed something, or joined two that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its whole id.
    pub id: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// The steps before it, as indices, the first parent's first.
    pub parents: Vec<usize>,
    /// What differs from the first of them.
    pub changes: Vec<FileChange>,
}

/// A file that was written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to the workspace.
    pub path: String,
    /// The id of its text; `None` where it was removed, or is no regular file now.
    pub blob: Option<String>,
}

/// What was read, by the path and the id of each text.
type Read<T> = BTreeMap<(String, String), T>;

impl Git {
    /// Every commit that these revisions reach in which inventory, pillar or keys changed, parents before
    /// children. `git rev-list` finds them, with those that changed nothing taken out of the line.
    ///
    /// # Errors
    /// Where git fails.
    pub fn steps(&self, revisions: &[&str]) -> Result<Vec<Step>> {
        let paths = self.paths();
        let mut arguments = vec!["rev-list", "--parents", "--timestamp", "--topo-order", "--reverse"];
        arguments.push("--full-history");
        arguments.extend(revisions);
        arguments.push("--");
        arguments.extend(paths.iter().map(String::as_str));
        let listed = self.ask(arguments, b"")?;
        let (mut steps, mut index, mut pairs): (Vec<Step>, BTreeMap<String, usize>, _) =
            (Vec::new(), BTreeMap::new(), String::new());
        for line in String::from_utf8_lossy(&listed).lines() {
            let mut words = line.split(' ');
            let (Some(time), Some(id)) = (words.next().and_then(|time| time.parse().ok()), words.next())
            else {
                return Err(Problem::failed("git gave an answer that is not understood").into());
            };
            let parents: Vec<&str> = words.collect();
            // With the parent that is left in the line; without one, everything in the commit is new.
            let first = parents.first().map(|parent| format!(" {parent}")).unwrap_or_default();
            pairs.push_str(&format!("{id}{first}\n"));
            let parents = parents.iter().filter_map(|parent| index.get(*parent).copied()).collect();
            index.insert(id.to_owned(), steps.len());
            steps.push(Step { id: id.to_owned(), time, parents, changes: Vec::new() });
        }
        let mut arguments = vec!["diff-tree", "--stdin", "--root", "-m", "-r", "-z", "--no-renames", "--"];
        arguments.extend(paths.iter().map(String::as_str));
        let listed = self.ask(arguments, pairs.as_bytes())?;
        let text = String::from_utf8_lossy(&listed);
        let (mut parts, mut at) = (text.split('\0'), None);
        while let Some(part) = parts.next() {
            let part = part.trim_start_matches('\n');
            match (part.strip_prefix(':'), at) {
                (Some(data), Some(step)) => {
                    let path = parts.next().unwrap_or_default();
                    let path = path.strip_prefix(self.prefix()).unwrap_or(path).to_owned();
                    let blob = match data.split(' ').collect::<Vec<_>>().as_slice() {
                        [_, "100644" | "100755", _, id, _] => Some((*id).to_owned()),
                        _ => None,
                    };
                    let step: &mut Step = &mut steps[step];
                    step.changes.push(FileChange { path, blob });
                }
                _ if !part.is_empty() => at = index.get(part).copied(),
                _ => {}
            }
        }
        Ok(steps)
    }

    /// Reads every text that steps brought, each once, in portions: what `read` makes of path and text, by path
    /// and id. What is not in the repository is left out, and counted.
    ///
    /// # Errors
    /// Where git fails.
    pub fn read_changes<T>(
        &self,
        steps: &[Step],
        mut read: impl FnMut(&[(&str, String)]) -> Vec<T>,
    ) -> Result<(Read<T>, usize)> {
        let brought = steps.iter().flat_map(|step| &step.changes);
        let wanted: BTreeMap<(String, String), ()> =
            brought.filter_map(|change| Some(((change.path.clone(), change.blob.clone()?), ()))).collect();
        let wanted: Vec<(String, String)> = wanted.into_keys().collect();
        let ids: Vec<String> = wanted.iter().map(|(_, id)| id.clone()).collect();
        let (mut found, mut missing) = (BTreeMap::new(), 0);
        self.texts(&ids, &mut |portion: Vec<(usize, Text)>| {
            missing += portion.iter().filter(|(_, text)| text.is_err()).count();
            let there = |(index, text): (usize, Text)| Some((index, text.ok()??));
            let portion: Vec<(usize, String)> = portion.into_iter().filter_map(there).collect();
            let indices: Vec<usize> = portion.iter().map(|(index, _)| *index).collect();
            let texts: Vec<(&str, String)> =
                portion.into_iter().map(|(index, text)| (wanted[index].0.as_str(), text)).collect();
            let made = read(&texts);
            found.extend(indices.into_iter().zip(made).map(|(index, one)| (wanted[index].clone(), one)));
            Ok(())
        })?;
        Ok((found, missing))
    }
}
