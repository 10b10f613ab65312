//! Files that are rewritten in a container that stays.

use super::parts::fill_again;
use crate::desired::container_file::Content;
use crate::desired::{ContainerFile, Reaction};
use crate::observed::SeenFile;
use crate::plan::{Action, Target};
use crate::planner::context::PlanContext;
use crate::planner::decide::choice::Choice;
use crate::planner::decide::container::ContainerDecision;
use crate::planner::lower::steps::Group;
use std::collections::BTreeMap;

/// Rewrites all files of a container that does not run, and says that it will have seen them.
pub(super) fn at_rest(
    context: &PlanContext<'_>,
    decision: &ContainerDecision<'_>,
    container: &Target,
    name: &str,
    group: &mut Group<'_>,
    undo: &[Action],
) {
    let Choice::Existing(chosen) = decision.choice else { return };
    if decision.rewriting.is_empty() {
        return;
    }
    let mut files = written(decision);
    files.extend(mark(decision));
    if !files.is_empty() {
        let (container, name) = (container.clone(), name.to_owned());
        group.push(Action::WriteFiles { container, name, files }, undo.to_vec());
    }
    let mounted = of(decision, |path| decision.rewriting.mounted.contains(path));
    if !mounted.is_empty() {
        let instance = chosen.ours.as_ref().map_or("", |ours| ours.instance.as_str());
        fill_again(context, decision, instance, mounted, group, undo);
    }
}

/// Rewrites files of a container that runs and gets a signal, or nothing at all.
pub(super) fn before_signals(
    decision: &ContainerDecision<'_>,
    container: &Target,
    name: &str,
    group: &mut Group<'_>,
) {
    let files = written(decision);
    if signals(decision) && !files.is_empty() {
        let (container, name) = (container.clone(), name.to_owned());
        group.push(Action::WriteFiles { container, name, files }, Vec::new());
    }
}

/// Says for which content the signals were sent.
pub(super) fn after_signals(
    decision: &ContainerDecision<'_>,
    container: &Target,
    name: &str,
    group: &mut Group<'_>,
) {
    let files: BTreeMap<_, _> = mark(decision).into_iter().collect();
    if signals(decision) && !files.is_empty() {
        let (container, name) = (container.clone(), name.to_owned());
        group.push(Action::WriteFiles { container, name, files }, Vec::new());
    }
}

/// Puts files back as they were, where that is known and none is mounted.
pub(super) fn back(decision: &ContainerDecision<'_>, container: &Target, name: &str) -> Option<Action> {
    let files: BTreeMap<String, ContainerFile> = decision
        .rewriting
        .paths
        .iter()
        .filter_map(|path| match decision.seen?.get(path)? {
            SeenFile::Earlier(before) => {
                let file = decision.desired.spec.files.get(path)?;
                let content = Content::Clear(before.clone());
                Some((path.clone(), ContainerFile { content, ..file.clone() }))
            }
            _ => None,
        })
        .collect();
    let all = files.len() == decision.rewriting.paths.len() && decision.rewriting.mounted.is_empty();
    let (container, name) = (container.clone(), name.to_owned());
    (all && !files.is_empty()).then_some(Action::WriteFiles { container, name, files })
}

/// Whether it runs on: a restart rewrites its files while it is stopped.
fn signals(decision: &ContainerDecision<'_>) -> bool {
    decision.reactions.iter().any(|reaction| matches!(reaction, Reaction::Signal(_)))
        && !decision.reactions.contains(&Reaction::Restart)
}

fn written(decision: &ContainerDecision<'_>) -> BTreeMap<String, ContainerFile> {
    of(decision, |path| !decision.rewriting.mounted.contains(path))
}

fn of(decision: &ContainerDecision<'_>, which: impl Fn(&str) -> bool) -> BTreeMap<String, ContainerFile> {
    let files = decision.desired.spec.files.iter();
    let files = files.filter(|(path, _)| decision.rewriting.paths.contains(*path) && which(path));
    files.map(|(path, file)| (path.clone(), file.clone())).collect()
}

fn mark(decision: &ContainerDecision<'_>) -> Option<(String, ContainerFile)> {
    decision.desired.spec.signalled().filter(|_| decision.rewriting.marks)
}
