//! What differs between two times in what protects secrets. Pure, and needs no key.

use super::revision::Snapshot;
use crate::name::{KeyPath, Owner};
use crate::pillar::boxes::{BoxFile, BoxFolder};
use crate::pillar::{Node, Origin, Sealed};
use crate::problem::escaped;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One difference, to be looked at by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether it touches who can read what, or what protects a secret.
    pub(super) grave: bool,
    /// `slot changed`.
    pub(super) what: &'static str,
    /// The box, file, host or value.
    pub(super) of: String,
    /// Before and after, where it helps.
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Finding {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "grave": self.grave,
            "what": self.what,
            "of": self.of,
            "before": self.before,
            "after": self.after,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.grave { '!' } else { ' ' };
        write!(f, "{mark} {}: {}", self.what, escaped(&self.of))?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "\n    {} → {}", escaped(before), escaped(after)),
            (Some(one), None) | (None, Some(one)) => write!(f, "\n    {}", escaped(one)),
            (None, None) => Ok(()),
        }
    }
}

/// Everything that differs, what is grave first.
pub(super) fn between(before: &Snapshot, after: &Snapshot) -> Vec<Finding> {
    let mut found = Vec::new();
    workspace(before, after, &mut found);
    boxes(before, after, &mut found);
    texts(
        &before.keys,
        &after.keys,
        ["new key of a reader", "key of a reader changed", "key of a reader gone"],
        &mut found,
    );
    texts(&before.engines, &after.engines, ["new host", "engine changed", "host gone"], &mut found);
    for (host, text) in &after.gets {
        let old = before.gets.get(host).filter(|old| *old != text);
        found.extend(old.map(|old| {
            finding(false, "files of a host changed", host, Some(old.clone()), Some(text.clone()))
        }));
    }
    registries(before, after, &mut found);
    values(before, after, &mut found);
    for path in &before.unreadable {
        found.push(finding(false, "not readable at that revision", path, None, None));
    }
    found.sort_by_key(|finding| !finding.grave);
    found
}

fn finding(
    grave: bool,
    what: &'static str,
    of: &str,
    before: Option<String>,
    after: Option<String>,
) -> Finding {
    Finding { grave, what, of: of.to_owned(), before, after }
}

/// Under another name or id nothing that was known would count, on machines that do not know the folder.
fn workspace(before: &Snapshot, after: &Snapshot, found: &mut Vec<Finding>) {
    let (Some(old), Some(new)) = (&before.owner, &after.owner) else { return };
    let of = new.to_string();
    if old.name != new.name {
        found.push(finding(true, "workspace renamed", &of, Some(old.to_string()), Some(new.to_string())));
    }
    if old.id != new.id {
        let text = |owner: &Owner| owner.id.as_ref().map(ToString::to_string);
        let what = match (&old.id, &new.id) {
            (None, _) => "workspace got an id",
            (_, None) => "id of the workspace gone",
            _ => "id of the workspace changed",
        };
        found.push(finding(old.id.is_some(), what, &of, text(old), text(new)));
    }
    if old.id.is_some() && new.owns_without_id && !old.owns_without_id {
        found.push(finding(true, "what carries no id counts as the workspace's", &of, None, None));
    }
}

fn boxes(before: &Snapshot, after: &Snapshot, found: &mut Vec<Finding>) {
    for (folder, new) in &after.boxes {
        let of = folder.to_string();
        let Some(old) = before.boxes.get(folder) else {
            found.push(finding(
                true,
                "new box",
                &of,
                None,
                Some(format!("slot {}, readers {}", new.slot, names(new))),
            ));
            continue;
        };
        if old.slot != new.slot {
            found.push(finding(
                true,
                "slot changed",
                &of,
                Some(old.slot.to_string()),
                Some(new.slot.to_string()),
            ));
        }
        if old.readers != new.readers {
            found.push(finding(true, "readers changed", &of, Some(names(old)), Some(names(new))));
        } else if old.lock != new.lock && old.slot == new.slot {
            found.push(finding(true, "lock changed, with the same readers and slot", &of, None, None));
        }
    }
    for folder in before.boxes.keys().filter(|folder| !after.boxes.contains_key(*folder)) {
        found.push(finding(true, "box gone", &folder.to_string(), None, None));
    }
}

fn names(file: &BoxFile) -> String {
    file.readers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Texts by name; only a change of one that was there is grave.
fn texts(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    [new, changed, gone]: [&'static str; 3],
    found: &mut Vec<Finding>,
) {
    for (name, text) in after {
        match before.get(name) {
            None => found.push(finding(false, new, name, None, Some(text.clone()))),
            Some(old) if old != text => {
                found.push(finding(true, changed, name, Some(old.clone()), Some(text.clone())));
            }
            Some(_) => {}
        }
    }
    for (name, text) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        found.push(finding(false, gone, name, Some(text.clone()), None));
    }
}

/// Registry entries by file and host, with what decides whose credential is sent.
fn registries(before: &Snapshot, after: &Snapshot, found: &mut Vec<Finding>) {
    let (old, new) = (entries(before), entries(after));
    for (of, fields) in &new {
        let Some(known) = old.get(of) else {
            let helper = fields.get("helper").map(|helper| format!("helper {helper}"));
            found.push(finding(helper.is_some(), "new registry", of, None, helper));
            continue;
        };
        for field in ["helper", "username", "anonymous"] {
            if known.get(field) != fields.get(field) {
                let what = match field {
                    "helper" => "helper of a registry changed",
                    "username" => "user of a registry changed",
                    _ => "registry made anonymous, or not any more",
                };
                let text = |fields: &BTreeMap<&str, String>| {
                    Some(fields.get(field).cloned().unwrap_or("none".into()))
                };
                found.push(finding(field == "helper", what, of, text(known), text(fields)));
            }
        }
    }
    for of in old.keys().filter(|of| !new.contains_key(*of)) {
        found.push(finding(false, "registry gone", of, None, None));
    }
}

fn entries(snapshot: &Snapshot) -> BTreeMap<String, BTreeMap<&str, String>> {
    let mut all = BTreeMap::new();
    let Some(top) = KeyPath::from_parts(vec!["registries".to_owned()]) else { return all };
    for document in snapshot.documents.values() {
        for (host, entry) in document.get(&top).and_then(Node::as_table).into_iter().flatten() {
            let fields = entry.as_table().into_iter().flatten().filter_map(|(name, node)| {
                let text = match &node.value {
                    crate::pillar::Value::String(text) => text.clone(),
                    crate::pillar::Value::Boolean(yes) => yes.to_string(),
                    _ => return None,
                };
                Some((name.as_str(), text))
            });
            all.insert(format!("{host} in pillar/{}", document.file()), fields.collect());
        }
    }
    all
}

/// Sealed values: new, gone, moved, replaced, sealed again, made clear.
fn values(before: &Snapshot, after: &Snapshot, found: &mut Vec<Finding>) {
    let (old, new) = (sealed(before), sealed(after));
    let new_ids: BTreeMap<&str, &Origin> =
        new.values().map(|sealed| (sealed.id.as_str(), &sealed.origin)).collect();
    let old_ids: BTreeSet<&str> = old.values().map(|sealed| sealed.id.as_str()).collect();
    let mut again: BTreeMap<String, usize> = BTreeMap::new();
    for (origin, was) in &old {
        let of = origin.to_string();
        let clear =
            || after.documents.get(&origin.file).and_then(|document| document.get(&origin.key)).is_some();
        match new.get(origin) {
            Some(is) if is.sealed == was.sealed && is.id == was.id => {}
            Some(is) if is.id != was.id => found.push(finding(
                false,
                "secret replaced by another",
                &of,
                Some(was.id.to_string()),
                Some(is.id.to_string()),
            )),
            Some(_) => match (slot_of(before, origin), slot_of(after, origin)) {
                (Some((folder, from)), Some((_, to))) if from != to => *again.entry(folder).or_default() += 1,
                _ => found.push(finding(true, "sealed again under the same id and slot", &of, None, None)),
            },
            None if clear() => found.push(finding(true, "was sealed and is clear now", &of, None, None)),
            None => match new_ids.get(was.id.as_str()).filter(|to| !old.contains_key(**to)) {
                Some(to) => found.push(finding(false, "secret moved", &of, None, Some(to.to_string()))),
                None => found.push(finding(false, "secret gone", &of, None, None)),
            },
        }
    }
    for (folder, count) in again {
        let of = format!("{count} {} of {folder}", if count == 1 { "value" } else { "values" });
        found.push(finding(false, "sealed again for the new slot, with their ids", &of, None, None));
    }
    for (origin, is) in new.iter().filter(|(origin, _)| !old.contains_key(*origin)) {
        if !old_ids.contains(is.id.as_str()) {
            found.push(finding(false, "new secret", &origin.to_string(), None, Some(is.id.to_string())));
        }
    }
}

fn sealed(snapshot: &Snapshot) -> BTreeMap<&Origin, &Sealed> {
    let all = snapshot.documents.values().flat_map(|document| document.sealed());
    all.map(|sealed| (&sealed.origin, sealed)).collect()
}

/// The box that governs a value, and its slot.
fn slot_of<'s>(snapshot: &'s Snapshot, origin: &Origin) -> Option<(String, &'s crate::keys::Recipient)> {
    let folder = BoxFolder::governing(&origin.file, snapshot.boxes.keys())?;
    Some((folder.to_string(), &snapshot.boxes.get(folder)?.slot))
}
