//! The states of all minions as texts, secrets put back as expressions.

use super::input::Input;
use super::tree::Tree;
use crate::highstate::{self, Finds, GivenFiles, LeftOut, Minion, PillarLeaf, Secrets, Sorted};
use crate::name::HostName;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the states of a minion.
pub(super) struct Written {
    pub(super) name: Option<String>,
    /// Files of Salt with their texts, in their order.
    pub(super) texts: Vec<(String, String)>,
    pub(super) count: usize,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) leaves: Vec<PillarLeaf>,
}

/// Writes the states of all minions.
pub(super) fn written(
    input: &Input,
    tree: Option<&Tree>,
    pillars: Vec<Vec<PillarLeaf>>,
    given: &mut GivenFiles,
) -> Vec<Written> {
    let mut all: Vec<(Written, BTreeMap<String, String>)> = Vec::new();
    let mut sealed = BTreeSet::new();
    for (minion, leaves) in input.minions.iter().zip(pillars) {
        let mut secrets = Secrets::of(&leaves);
        let Sorted { states, mut left_out } = highstate::sorted(minion, tree.map(|tree| tree as &dyn Finds));
        let host = host(minion, &input.minions);
        let (mut own, mut shared): (Vec<Group>, Vec<Group>) = (Vec::new(), Vec::new());
        let mut count = 0;
        for state in &states {
            let name = minion.name.as_deref();
            match highstate::state(state, &mut secrets, given, name, None) {
                Ok(text) => {
                    let general = highstate::state(state, &mut secrets, given, name, host);
                    put(&mut own, &state.sls, text.clone());
                    put(&mut shared, &state.sls, general.unwrap_or(text));
                    count += 1;
                }
                Err(found) => left_out.push(*found),
            }
        }
        let of = |sls: &str| left_out.iter().filter(|one| one.sls == sls).collect::<Vec<_>>();
        let whole = |(sls, states): &Group| {
            let texts: Vec<&str> = states.iter().map(String::as_str).collect();
            (sls.clone(), highstate::file(sls, &texts, &of(sls)))
        };
        let texts = own.iter().map(whole).collect();
        let shared = shared.iter().map(whole).collect();
        sealed.extend(secrets.sealed().iter().cloned());
        let mut leaves = leaves;
        leaves.extend(secrets.new_ones().iter().map(|(key, value)| PillarLeaf {
            key: key.clone(),
            value: highstate::LeafValue::Text(value.clone()),
            is_sealed: true,
            left_out: None,
        }));
        all.push((Written { name: minion.name.clone(), texts, count, left_out, leaves }, shared));
    }
    for (written, _) in &mut all {
        for leaf in &mut written.leaves {
            leaf.is_sealed |= sealed.contains(&leaf.key);
        }
    }
    let general = differing(&all);
    let finished = all.into_iter().map(|(mut written, shared)| {
        for (sls, text) in &mut written.texts {
            if let Some(better) = shared.get(sls).filter(|_| general.contains(sls)) {
                text.clone_from(better);
            }
        }
        written
    });
    finished.collect()
}

/// The states of a file.
type Group = (String, Vec<String>);

fn put(groups: &mut Vec<Group>, sls: &str, text: String) {
    match groups.iter_mut().find(|(before, _)| before == sls) {
        Some((_, texts)) => texts.push(text),
        None => groups.push((sls.to_owned(), vec![text])),
    }
}

/// The name of a host that its states may have in common with others: where there are others, and it is the host's.
fn host<'m>(minion: &'m Minion, all: &[Minion]) -> Option<&'m str> {
    let name = minion.name.as_deref().filter(|name| name.len() > 2 && all.len() > 1)?;
    HostName::parse(name).ok().map(|_| name)
}

/// Files that fewer minions have in different forms if `host.name` stands for the name.
fn differing(all: &[(Written, BTreeMap<String, String>)]) -> BTreeSet<String> {
    let mut own: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut general: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (written, shared) in all {
        for (sls, text) in &written.texts {
            own.entry(sls).or_default().insert(text);
        }
        for (sls, text) in shared {
            general.entry(sls).or_default().insert(text);
        }
    }
    let fewer = own
        .into_iter()
        .filter(|(sls, texts)| general.get(sls).is_some_and(|other| other.len() < texts.len()));
    fewer.map(|(sls, _)| sls.to_owned()).collect()
}
