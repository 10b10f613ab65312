//! The states of several minions as files, so that what is equal is written once, and minions with the same files
//! are a group.

use std::collections::BTreeMap;

/// What minions have, as files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Files below `states/`, without their ending, each with its text.
    pub files: BTreeMap<String, String>,
    /// The files of each minion, in their order.
    pub minions: Vec<(Option<String>, Vec<String>)>,
    /// Minions that have the same files.
    pub groups: Vec<Group>,
}

/// Minions that have the same files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its minions.
    pub minions: Vec<String>,
    /// Its files.
    pub files: Vec<String>,
}

/// The path of a file of Salt, `web.haproxy`, below `states/`.
pub fn file_of(sls: &str) -> String {
    let parts = sls.split(['.', '/']).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(word).collect();
    if parts.is_empty() { "salt".to_owned() } else { parts.join("/") }
}

/// A word for a file or group.
fn word(text: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.chars().map(|c| if fine(c) { c } else { '-' }).collect()
}

/// The texts of one minion: `(sls, text)` in their order.
type Texts = Vec<(String, String)>;

/// Places the texts of all minions. `group` gives the name for a group, as a role that its minions have.
pub fn placed(minions: &[(Option<String>, Texts)], group: impl Fn(&[String]) -> Option<String>) -> Placed {
    let mut variants: BTreeMap<&str, Vec<(&str, Vec<usize>)>> = BTreeMap::new();
    for (at, (_, texts)) in minions.iter().enumerate() {
        for (sls, text) in texts {
            let of = variants.entry(sls).or_default();
            match of.iter_mut().find(|(before, _)| before == text) {
                Some((_, who)) => who.push(at),
                None => of.push((text, vec![at])),
            }
        }
    }
    let mut placed = Placed::default();
    let mut paths: BTreeMap<(&str, usize), String> = BTreeMap::new();
    for (sls, mut of) in variants {
        // What most of them have keeps the name.
        of.sort_by_key(|(_, who)| std::cmp::Reverse(who.len()));
        for (nth, (text, who)) in of.into_iter().enumerate() {
            let first = who.first().and_then(|at| minions[*at].0.as_deref()).unwrap_or("local");
            let mut path =
                if nth == 0 { file_of(sls) } else { format!("hosts/{}/{}", word(first), file_of(sls)) };
            while placed.files.contains_key(&path) {
                path.push_str("-2");
            }
            placed.files.insert(path.clone(), text.to_owned());
            for at in who {
                paths.insert((sls, at), path.clone());
            }
        }
    }
    for (at, (name, texts)) in minions.iter().enumerate() {
        let files = texts.iter().filter_map(|(sls, _)| paths.get(&(sls.as_str(), at)).cloned());
        placed.minions.push((name.clone(), files.collect()));
    }
    placed.groups = groups(&placed.minions, group);
    placed
}

fn groups(
    minions: &[(Option<String>, Vec<String>)],
    group: impl Fn(&[String]) -> Option<String>,
) -> Vec<Group> {
    let mut by_files: Vec<(&[String], Vec<String>)> = Vec::new();
    for (name, files) in minions {
        let (Some(name), false) = (name, files.is_empty()) else { continue };
        match by_files.iter_mut().find(|(before, _)| before == files) {
            Some((_, who)) => who.push(name.clone()),
            None => by_files.push((files, vec![name.clone()])),
        }
    }
    let mut found: Vec<Group> = Vec::new();
    for (files, minions) in by_files.into_iter().filter(|(_, who)| who.len() > 1) {
        let first = files.first().map(|file| file.split('/').next().unwrap_or(file));
        let wanted = group(&minions).or_else(|| first.map(str::to_owned)).unwrap_or_default();
        let wanted = match word(&wanted) {
            name if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name != "salt" => name,
            _ => "minions".to_owned(),
        };
        let mut name = wanted.clone();
        let mut number = 2;
        while found.iter().any(|group| group.name == name) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        found.push(Group { name, minions, files: files.to_vec() });
    }
    found
}
