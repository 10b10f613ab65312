//! Equal sealed texts anywhere twice: a copy is found without a key.

use super::places::{line, twice};
use crate::pillar::Origin;
use crate::problem::{Code, Problem};
use crate::session::Vault;
use std::collections::{BTreeMap, BTreeSet};

/// All copies, but for those of which a place is `said` to be wrong already.
pub(super) fn check(vault: &Vault<'_>, said: &BTreeSet<&Origin>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut texts: BTreeMap<&str, &Origin> = BTreeMap::new();
    let mut ids: BTreeMap<&str, &Origin> = BTreeMap::new();
    for sealed in vault.documents().flat_map(|document| document.sealed()) {
        let (origin, place) = (&sealed.origin, || line(vault, &sealed.origin));
        let same_text = texts.insert(&sealed.sealed, origin);
        let same_id = ids.insert(sealed.id.as_str(), origin);
        let is_new = |other: &Origin| !said.contains(origin) && !said.contains(other);
        match (same_text, same_id) {
            (Some(other), _) if is_new(other) => problems.push(twice(
                "the same sealed value",
                &other.to_string(),
                &origin.to_string(),
                Some(&place()),
            )),
            (None, Some(other)) if is_new(other) => problems.push(twice(
                &format!("the id {} of a sealed value", sealed.id),
                &other.to_string(),
                &origin.to_string(),
                Some(&place()),
            )),
            _ => {}
        }
    }
    let (mut slots, mut locks) = (BTreeMap::new(), BTreeMap::new());
    for (folder, file) in vault.boxes() {
        for (what, other) in
            [("slot", slots.insert(&file.slot, folder)), ("lock", locks.insert(&file.lock, folder))]
        {
            problems.extend(other.map(|other| {
                Problem::new(Code::Seal, format!("the boxes {other} and {folder} have the same {what}"))
                    .cause("a box.toml was copied; each box has keys of its own")
                    .hint(format!(
                        "take {} back from git, or make the box anew: pillarbox box new",
                        folder.file()
                    ))
            }));
        }
    }
    problems
}
