//! Boxes and sealed values: form, lock, place, and what this machine knows.

use super::copies;
use super::places::line;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::seal::check_shape;
use crate::pillar::{Origin, Sealed};
use crate::problem::{Code, Problem, Problems, escaped};
use crate::session::{Asking, Vault};
use std::collections::{BTreeMap, BTreeSet};

/// How much was looked at.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Sealed values.
    pub(super) values: usize,
    /// Those that were opened, and stand where they were sealed for.
    pub(super) opened: usize,
    /// Values in boxes that do not open here.
    pub(super) closed_by_box: BTreeMap<BoxFolder, usize>,
    /// Values in boxes that open here and are refused: what this machine knows of them says otherwise.
    pub(super) refused_by_box: BTreeMap<BoxFolder, usize>,
}

impl Counts {
    pub(super) fn closed(&self) -> usize {
        self.closed_by_box.values().sum()
    }
}

/// Checks everything sealed.
pub(super) fn check(vault: &Vault<'_>) -> (Counts, Vec<Problem>) {
    let (mut counts, mut problems) = (Counts::default(), Vec::new());
    for document in vault.documents() {
        problems.extend(document.tree().err().into_iter().flat_map(Problems::into_vec));
    }
    let mut usable = BTreeSet::new();
    vault.prepare(&vault.boxes().keys().cloned().collect::<Vec<_>>(), Asking::Allowed);
    for folder in vault.boxes().keys() {
        // Unlike who posts, who verifies wants to see inside: a passphrase may be asked for, and a private
        // key that cannot be read is said, once.
        let unlocked = vault.unlock(folder);
        let opens = unlocked.is_ok();
        if let Err(found) = unlocked
            && found.code() == Code::Failed
        {
            let new: Vec<Problem> =
                found.into_vec().into_iter().filter(|new| !problems.contains(new)).collect();
            problems.extend(new);
        }
        match vault.meet_to_post(folder, vault.is_strict()) {
            Ok(Some(_)) => drop(usable.insert(folder)),
            Ok(None) => drop(counts.closed_by_box.insert(folder.clone(), 0)),
            Err(found) => {
                if opens {
                    counts.refused_by_box.insert(folder.clone(), 0);
                }
                problems.extend(found.into_vec());
            }
        }
    }

    let (mut to_open, mut bad): (Vec<&Sealed>, BTreeSet<&Origin>) = (Vec::new(), BTreeSet::new());
    for sealed in vault.documents().flat_map(|document| document.sealed()) {
        counts.values += 1;
        // What is wrong with the box is said once.
        if vault.unread_box(&sealed.origin.file, vault.governing(&sealed.origin.file).ok()).is_some() {
            continue;
        }
        let checked = vault.governing(&sealed.origin.file).and_then(|folder| {
            // Opening says more than the form does: where a moved value was sealed for.
            if usable.contains(folder) {
                Ok((folder, true))
            } else {
                check_shape(sealed).map(|()| (folder, false))
            }
        });
        match checked {
            Ok((_, true)) => to_open.push(sealed),
            Ok((folder, false)) => match counts.refused_by_box.get_mut(folder) {
                Some(refused) => *refused += 1,
                None => *counts.closed_by_box.entry(folder.clone()).or_default() += 1,
            },
            Err(found) => {
                bad.insert(&sealed.origin);
                problems.extend(placed(vault, &sealed.origin, found));
            }
        }
    }
    let mut late: BTreeMap<&BoxFolder, Vec<String>> = BTreeMap::new();
    for (sealed, result) in to_open.iter().zip(vault.open_all(&to_open)) {
        match result {
            Ok(opened) => {
                counts.opened += 1;
                if opened.retired.is_some()
                    && let Ok(folder) = vault.governing(&sealed.origin.file)
                {
                    late.entry(folder).or_default().push(escaped(&sealed.origin.to_string()));
                }
            }
            Err(found) => {
                bad.insert(&sealed.origin);
                problems.extend(placed(vault, &sealed.origin, found));
            }
        }
    }
    problems.extend(late.into_iter().map(|(folder, places)| {
        let what = match places.len() {
            1 => format!("a sealed value of {folder} was posted to a slot that has retired"),
            count => format!("{count} sealed values of {folder} were posted to a slot that has retired"),
        };
        places
            .iter()
            .fold(Problem::failed(what), |problem, place| problem.cause(place.clone()))
            .cause("removed readers of the box can read them")
            .hint("seal them again: pillarbox reader rekey")
    }));
    problems.extend(copies::check(vault, &bad));
    (counts, problems)
}

/// Problems of a value, with its line.
fn placed(vault: &Vault<'_>, origin: &Origin, found: Problems) -> Vec<Problem> {
    let place = line(vault, origin);
    found.map(|problem| if problem.place.is_none() { problem.at(&place) } else { problem }).into_vec()
}
