//! The order in which hosts are changed, as the groups say it: `after`, `canary`, `batch`.

use super::{FILE, Group, Host, Inventory, matches_glob};
use crate::name::HostName;
use crate::pillar::fields::wrong_type;
use crate::pillar::{Node, Value};
use crate::problem::{Place, Problem, escaped};
use crate::rollout::Share;
use std::collections::BTreeMap;

impl Inventory {
    /// How many groups in a row come before a host: 0 for one that waits for nothing. A host of several groups
    /// goes with the last of them.
    pub fn wave(&self, host: &Host) -> usize {
        host.groups.iter().filter_map(|name| self.groups.get(name)).map(|group| group.wave).max().unwrap_or(0)
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
    let mut after: Vec<String> = Vec::new();
    for (before, place) in written {
        if after.iter().any(|other| other == before) {
            problems
                .push(Problem::failed(format!("the group `{}` is listed twice", escaped(before))).at(place));
            continue;
        }
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

/// A canary that is none of its group's hosts: without this the first host by name would go first, silently.
pub(super) fn strangers(
    groups: &BTreeMap<String, Group>,
    hosts: &BTreeMap<HostName, Host>,
    problems: &mut Vec<Problem>,
) {
    for (name, group) in groups {
        let Some(glob) = &group.canary else { continue };
        let of_group =
            || hosts.values().filter(|host| host.groups.contains(name)).map(|host| host.name.as_str());
        if of_group().next().is_some() && !of_group().any(|host| matches_glob(glob, host)) {
            let what = format!(
                "`canary` in [groups.{}] is `{}`, which is none of its hosts",
                escaped(name),
                escaped(glob)
            );
            problems.push(Problem::failed(what).at(&group.place).nearest(glob, of_group()));
        }
    }
}

/// Says of each group how many groups in a row come before it. Where some come after each other in a cycle, that is
/// the error, with its path. A workspace may have thousands of groups: none is looked at twice.
pub(super) fn waves(groups: &mut BTreeMap<String, Group>) -> Option<Problem> {
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, group) in &*groups {
        let before = group.after.iter().filter(|before| groups.contains_key(*before));
        waits.insert(name, before.clone().count());
        before.for_each(|before| followers.entry(before).or_default().push(name));
    }
    let mut ready: Vec<&str> =
        waits.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut waves: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(name) = ready.pop() {
        let own = waves.get(name).copied().unwrap_or(0);
        waves.insert(name.to_owned(), own);
        waits.remove(name);
        for follower in followers.get(name).into_iter().flatten() {
            let wave = waves.entry((*follower).to_owned()).or_insert(0);
            *wave = (*wave).max(own + 1);
            let Some(count) = waits.get_mut(follower) else { continue };
            *count -= 1;
            if *count == 0 {
                ready.push(follower);
            }
        }
    }
    let problem = waits.keys().next().map(|first| cycle(groups, &waits, first));
    for (name, wave) in waves {
        if let Some(group) = groups.get_mut(&name) {
            group.wave = wave;
        }
    }
    problem
}

/// The cycle that one of the groups leads to which wait for each other.
fn cycle(groups: &BTreeMap<String, Group>, waiting: &BTreeMap<&str, usize>, first: &str) -> Problem {
    let mut path: Vec<&str> = Vec::new();
    let mut next = groups.get_key_value(first);
    while let Some((name, group)) = next {
        if let Some(at) = path.iter().position(|before| before == name) {
            path.drain(..at);
            path.push(name);
            break;
        }
        path.push(name);
        let before = group.after.iter().find(|before| waiting.contains_key(before.as_str()));
        next = before.and_then(|before| groups.get_key_value(before));
    }
    let place = path.first().and_then(|name| groups.get(*name)).map(|group| group.place.clone());
    let what = format!("groups come after each other in a cycle: {}", escaped(&path.join(" after ")));
    let problem = Problem::failed(what).hint(format!("take one `after` out of {FILE}"));
    place.iter().fold(problem, Problem::at)
}
