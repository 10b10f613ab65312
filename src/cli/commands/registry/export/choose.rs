//! Which entries are meant: those of the pillar's files, of one file, or of hosts.

use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::registry::{Credentials, Entry, Scope};
use crate::session::{Vault, merged};
use std::collections::BTreeMap;

/// What was asked for.
pub(super) struct Only<'a> {
    /// Registries or prefixes; all of them without one.
    pub(super) registries: &'a [Scope],
    /// One file, relative to `pillar/`.
    pub(super) file: Option<&'a str>,
    /// The hosts whose pillars count, by terms.
    pub(super) hosts: &'a [String],
}

/// The entries, sorted by what they cover.
///
/// # Errors
/// Where an entry is not sound, two are for the same, or a registry has none.
pub(super) fn entries(vault: &Vault<'_>, only: &Only<'_>) -> Result<Vec<Entry>> {
    let mut all: BTreeMap<Scope, Entry> = BTreeMap::new();
    let mut wrong = Vec::new();
    for credentials in sources(vault, only)? {
        for entry in credentials.iter() {
            match all.get(&entry.scope) {
                // The same value, as another host sees it.
                Some(other) if other.how == entry.how => {}
                Some(other) => wrong.push(twice(other, entry)),
                None => drop(all.insert(entry.scope.clone(), entry.clone())),
            }
        }
    }
    if only.registries.is_empty() {
        Problems::check(wrong.into_iter().map(|(_, problem)| problem).collect())?;
        return Ok(all.into_values().collect());
    }
    let is_meant = |scope: &Scope| only.registries.iter().any(|wanted| wanted.holds(scope));
    let of_others = |(scope, _): &(Scope, Problem)| is_meant(scope);
    Problems::check(wrong.into_iter().filter(of_others).map(|(_, problem)| problem).collect())?;
    let mut meant: BTreeMap<&Scope, &Entry> = all.iter().filter(|(scope, _)| is_meant(scope)).collect();
    let mut missing = Vec::new();
    for wanted in only.registries.iter().filter(|wanted| !all.keys().any(|scope| wanted.holds(scope))) {
        // As an image there would be answered: by the longest entry that covers it.
        match all.iter().filter(|(scope, _)| scope.holds(wanted)).max_by_key(|(scope, _)| scope.depth()) {
            Some((scope, entry)) => drop(meant.insert(scope, entry)),
            None => {
                let known: Vec<String> = all.keys().map(ToString::to_string).collect();
                missing.push(
                    Problem::failed(format!("there is no entry for {wanted}"))
                        .nearest(&wanted.to_string(), known.iter().map(String::as_str))
                        .hint("list them: pillarbox registry list"),
                );
            }
        }
    }
    Problems::check(missing)?;
    Ok(meant.into_values().cloned().collect())
}

/// The tables to look into. Files of single hosts (`hosts/`) count only where hosts were asked for.
fn sources(vault: &Vault<'_>, only: &Only<'_>) -> Result<Vec<Credentials>> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let mut add = |read: Result<Credentials>| match read {
        Ok(credentials) => found.push(credentials),
        Err(problems) => wrong.extend(problems.into_vec()),
    };
    if only.hosts.is_empty() {
        let is_meant = |file: &str| match only.file {
            Some(wanted) => file == wanted,
            None => !file.starts_with("hosts/"),
        };
        let documents: Vec<_> = vault.documents().filter(|document| is_meant(document.file())).collect();
        if let (Some(file), true) = (only.file, documents.is_empty()) {
            return Err(Problem::failed(format!("there is no pillar/{}", escaped(file))).into());
        }
        documents.into_iter().for_each(|document| add(document.tree().and_then(Credentials::read)));
    } else {
        for host in vault.inventory().select(only.hosts)? {
            add(merged(vault, host).and_then(|pillar| Credentials::read(&pillar)));
        }
    }
    wrong.dedup();
    Problems::check(wrong)?;
    Ok(found)
}

fn twice(one: &Entry, other: &Entry) -> (Scope, Problem) {
    let mut problem = Problem::usage(format!("there are several entries for {}", one.scope))
        .cause(format!("one is at {}", one.place))
        .cause(format!("another is at {}", other.place));
    for entry in [one, other] {
        let file = entry.place.file.strip_prefix("pillar/").unwrap_or(&entry.place.file);
        problem = problem.hint(format!("take the one of a file: --in {}", quoted(file)));
    }
    (one.scope.clone(), problem.hint("or those of a host: --host HOST"))
}
