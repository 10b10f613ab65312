//! Which files a host gets, and in which order.

use super::{Host, Inventory, ListEntry};
use crate::problem::{Problem, Problems, Result, escaped, quoted};

/// Whether a glob matches a text: `*` is any run of characters and `?` any one, neither matches `/`.
pub fn matches_glob(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut g, mut t) = (0, 0);
    // The position of the last `*`, and up to where it has matched so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some('?') if text[t] != '/' => (g, t) = (g + 1, t + 1),
            Some(c) if *c == text[t] && *c != '?' => (g, t) = (g + 1, t + 1),
            _ => match star {
                Some((at, matched)) if text[matched] != '/' => {
                    star = Some((at, matched + 1));
                    (g, t) = (at + 1, matched + 1);
                }
                _ => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

/// The pillar files of a host in merge order: those of its groups in order, its own list, then
/// `hosts/<host>.toml` if it is there. `all` are the files that there are, relative to `pillar/`. A file
/// that is listed again stays where it came first. A glob may match nothing, and never matches below
/// `hosts/`.
///
/// # Errors
/// All names that are not files, with their lines.
pub fn pillar_files(inventory: &Inventory, host: &Host, all: &[String]) -> Result<Vec<String>> {
    let own = format!("hosts/{}.toml", host.name);
    let lists = lists(inventory, host, |group| &group.pillar, &host.pillar);
    let mut found = resolve("pillar", &[".toml"], lists, all)?;
    found.retain(|file| *file != own);
    if all.contains(&own) {
        found.push(own);
    }
    Ok(found)
}

/// The state files of a host in order: those of its groups, then its own. `all` are the files that
/// there are, relative to `states/`. Each once.
///
/// # Errors
/// All names that are not files, with their lines.
pub fn state_files(inventory: &Inventory, host: &Host, all: &[String]) -> Result<Vec<String>> {
    resolve("states", &[".toml", ".star"], lists(inventory, host, |group| &group.states, &host.states), all)
}

fn lists<'a>(
    inventory: &'a Inventory,
    host: &'a Host,
    of_group: impl Fn(&'a super::Group) -> &'a Vec<ListEntry>,
    own: &'a [ListEntry],
) -> Vec<&'a ListEntry> {
    let groups = host.groups.iter().filter_map(|name| inventory.groups.get(name));
    groups.flat_map(of_group).chain(own).collect()
}

fn resolve(folder: &str, endings: &[&str], wanted: Vec<&ListEntry>, all: &[String]) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    let stem =
        |file: &str| endings.iter().find_map(|ending| file.strip_suffix(ending)).map(ToOwned::to_owned);
    for entry in wanted {
        let (pattern, is_glob) = (entry.text.as_str(), entry.text.contains(['*', '?']));
        let whole = stem(pattern).is_some();
        let fits: Vec<&String> = all
            .iter()
            .filter(|file| match stem(file) {
                Some(stem) => matches_glob(pattern, if whole { file } else { &stem }),
                None => false,
            })
            .filter(|file| !(is_glob && folder == "pillar" && file.starts_with("hosts/")))
            .collect();
        match fits.as_slice() {
            [] if is_glob => {}
            [] => {
                let stems: Vec<String> = all.iter().filter_map(|file| stem(file)).collect();
                problems.push(
                    Problem::failed(format!(
                        "there is no {folder}/{pattern}{}",
                        if whole { "" } else { endings[0] }
                    ))
                    .at(&entry.place)
                    .nearest(pattern, stems.iter().map(String::as_str)),
                );
            }
            [first, second, ..] if !is_glob => problems.push(
                Problem::failed(format!("`{}` is two files", escaped(&entry.text)))
                    .at(&entry.place)
                    .hint(format!("write {} or {}", quoted(first), quoted(second))),
            ),
            files => {
                for file in files {
                    if !found.contains(*file) {
                        found.push((*file).clone());
                    }
                }
            }
        }
    }
    problems.dedup();
    Problems::check(problems)?;
    Ok(found)
}
