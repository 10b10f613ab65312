//! The order in which hosts are changed, as the groups say it: `after`, `canary`, `batch`.

use super::{FILE, Group, Host, Inventory, matches_glob};
use crate::pillar::fields::wrong_type;
use crate::pillar::{Node, Value};
use crate::problem::{Place, Problem, escaped};
use crate::rollout::Share;
use std::collections::BTreeMap;

impl Inventory {
    /// How many groups in a row come before a host: 0 for one that waits for nothing. A host of several groups
    /// goes with the last of them.
    pub fn wave(&self, host: &Host) -> usize {
        host.groups.iter().map(|group| self.wave_of_group(group)).max().unwrap_or(0)
    }

    // There is no cycle: it would have been an error when it was read.
    fn wave_of_group(&self, group: &str) -> usize {
        let before = self.groups.get(group).map(|group| group.after.as_slice()).unwrap_or_default();
        before.iter().map(|before| self.wave_of_group(before) + 1).max().unwrap_or(0)
    }

    /// Whether a host is changed before the others of its wave.
    pub fn is_canary(&self, host: &Host) -> bool {
        let globs = host.groups.iter().filter_map(|group| self.groups.get(group)?.canary.as_deref());
        host.canary || globs.into_iter().any(|glob| matches_glob(glob, host.name.as_str()))
    }

    /// The groups of a host of which only so many hosts are changed at once.
    pub fn bounds_of<'i>(&'i self, host: &'i Host) -> Vec<(&'i str, Share)> {
        let groups = host.groups.iter();
        groups.filter_map(|name| Some((name.as_str(), self.groups.get(name)?.batch?))).collect()
    }
}

/// `after` of a group.
pub(super) fn after(
    name: &str,
    written: Vec<(&str, &Place)>,
    groups: &[&str],
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut after = Vec::new();
    for (before, place) in written {
        if groups.contains(&before) {
            after.push(before.to_owned());
            continue;
        }
        let what =
            format!("[groups.{}] is to come after `{}`, which is no group", escaped(name), escaped(before));
        problems.push(Problem::failed(what).at(place).nearest(before, groups.iter().copied()));
    }
    after
}

/// `batch` of a group: a number of hosts or a text such as `"10%"`.
pub(super) fn batch(name: &str, node: &Node, problems: &mut Vec<Problem>) -> Option<Share> {
    let what = format!("`batch` in [groups.{}]", escaped(name));
    let read: Result<Share, String> = match &node.value {
        Value::Integer(count) => count.to_string().parse(),
        Value::String(text) => text.parse(),
        _ => {
            problems.push(wrong_type(&what, "a number of hosts or a text such as \"10%\"", node));
            return None;
        }
    };
    match read {
        Ok(Share::Hosts(0) | Share::Percent(0)) => {
            problems.push(Problem::failed(format!("{what}: a batch has at least one host")).at(&node.place));
            None
        }
        Ok(share) => Some(share),
        Err(why) => {
            problems.push(Problem::failed(format!("{what}: {why}")).at(&node.place));
            None
        }
    }
}

/// A cycle of `after`, with its path.
pub(super) fn cycle(groups: &BTreeMap<String, Group>) -> Option<Problem> {
    let mut finished: Vec<&str> = Vec::new();
    for name in groups.keys() {
        let mut path = Vec::new();
        if let Some(path) = walk(groups, name, &mut path, &mut finished) {
            let from = &groups[path[0].as_str()];
            let what = format!("groups come after each other in a cycle: {}", escaped(&path.join(" after ")));
            let hint = format!("take one `after` out of {FILE}");
            return Some(Problem::failed(what).at(&from.place).hint(hint));
        }
    }
    None
}

fn walk<'g>(
    groups: &'g BTreeMap<String, Group>,
    name: &'g str,
    path: &mut Vec<&'g str>,
    finished: &mut Vec<&'g str>,
) -> Option<Vec<String>> {
    if finished.contains(&name) {
        return None;
    }
    if let Some(at) = path.iter().position(|before| *before == name) {
        return Some(path[at..].iter().copied().chain([name]).map(str::to_owned).collect());
    }
    path.push(name);
    for before in groups.get(name).into_iter().flat_map(|group| &group.after) {
        let found = walk(groups, before, path, finished);
        if found.is_some() {
            return found;
        }
    }
    path.pop();
    finished.push(name);
    None
}
