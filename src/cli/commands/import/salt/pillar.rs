//! Pillar files with the values of Salt's pillar; what is there stays.

use crate::highstate::{self, LeafValue, PillarLeaf, Share};
use crate::name::KeyPath;
use crate::pillar::document::{Document, Written};
use crate::pillar::seal::{self, Kind};
use crate::pillar::{Origin, Sealed};
use crate::problem::{Problem, Result, escaped};
use crate::secret::Secret;
use crate::session::Vault;
use std::collections::BTreeMap;

/// A pillar file that is made or changed.
pub(super) struct PillarChange {
    pub(super) document: Document,
    /// Keys that are new.
    pub(super) new: usize,
    /// Those of them that are sealed.
    pub(super) sealed: Vec<KeyPath>,
}

/// What is written of each file, and how many values are there already.
pub(super) fn changes(
    vault: &Vault<'_>,
    shares: &BTreeMap<String, Share>,
) -> Result<(Vec<PillarChange>, usize)> {
    let (mut changes, mut there) = (Vec::new(), 0);
    for (file, share) in shares {
        let before = vault.document(file);
        let has = |key: &KeyPath| before.is_some_and(|document| document.get(key).is_some());
        let mut new = share.clone();
        new.leaves.retain(|key, _| !has(key));
        there += share.leaves.len() - new.leaves.len();
        if new.leaves.is_empty() {
            continue;
        }
        let sealed: Vec<KeyPath> =
            new.leaves.iter().filter(|(_, (_, sealed))| *sealed).map(|(key, _)| key.clone()).collect();
        let slot = if sealed.is_empty() { None } else { Some(vault.slot_for(file, None)?) };
        let seal = |key: &KeyPath, text: &str| -> Result<Sealed> {
            let slot = slot.as_ref().ok_or_else(|| Problem::failed("there is no slot to seal to"))?;
            let secret = Secret::from(text.to_owned());
            let origin = Origin { file: file.clone(), key: key.clone() };
            seal::seal(&secret, Kind::of(&secret), &origin, seal::new_id()?, slot)
        };
        let document = match before {
            Some(before) => added(before, &new, seal)?,
            None => {
                let text = highstate::pillar_file(&new, |key, text| {
                    let sealed = seal(key, text)?;
                    Ok(format!("{{ sealed = \"{}\", id = \"{}\" }}", sealed.sealed, sealed.id.as_str()))
                })?;
                Document::parse(file, text)?
            }
        };
        document.tree()?;
        changes.push(PillarChange { document, new: new.leaves.len(), sealed });
    }
    Ok((changes, there))
}

fn added(
    before: &Document,
    new: &Share,
    seal: impl Fn(&KeyPath, &str) -> Result<Sealed>,
) -> Result<Document> {
    let mut document = before.clone();
    for (key, (value, is_sealed)) in &new.leaves {
        match (value, is_sealed) {
            (LeafValue::Text(text), true) => document.set_sealed(&seal(key, text)?)?,
            (LeafValue::Text(text), false) => document.set(key, Written::Plain(text))?,
            (LeafValue::Toml(written), _) => document.set(key, Written::Toml(written))?,
        }
    }
    Ok(document)
}

/// Keys of `--seal` and `--clear`, each of which names a value or a table of one.
pub(super) fn keys(typed: &[String]) -> Result<Vec<KeyPath>> {
    typed.iter().map(|typed| KeyPath::parse(typed)).collect()
}

/// Reports keys that no pillar has.
pub(super) fn known(keys: &[KeyPath], pillars: &[Vec<PillarLeaf>]) -> Result<()> {
    let all = || pillars.iter().flatten().map(|leaf| &leaf.key);
    let mut problems = Vec::new();
    for key in keys {
        let starts = |leaf: &KeyPath| leaf.parts().starts_with(key.parts());
        if !all().any(starts) {
            let names: Vec<String> = all().map(ToString::to_string).collect();
            let what = format!("the pillar has no value {}", escaped(&key.to_string()));
            problems.push(Problem::usage(what).nearest(&key.to_string(), names.iter().map(String::as_str)));
        }
    }
    crate::problem::Problems::check(problems)
}
