//! Entries into the pillar, all of them as one change.

use super::super::add::{Entry, write as write_over};
use super::plan::{Does, ImportRow};
use crate::import::Gives;
use crate::inventory::pillar_files;
use crate::pillar::document::{Document, Written};
use crate::pillar::seal::{self, Kind};
use crate::pillar::{Node, Origin, Value};
use crate::problem::Result;
use crate::registry::{EMAIL, EXPIRES, HELPER, IDENTITY_TOKEN, PASSWORD, USERNAME};
use crate::session::Vault;
use std::collections::{BTreeMap, BTreeSet};

/// Puts them into the vault. Nothing is written before it commits.
///
/// # Errors
/// Where a box cannot be posted to, or a file cannot hold an entry.
pub(super) fn write(vault: &mut Vault<'_>, rows: &[ImportRow<'_>]) -> Result<()> {
    let mut new: BTreeMap<&str, Vec<&ImportRow<'_>>> = BTreeMap::new();
    let mut alike: BTreeMap<&str, Vec<&ImportRow<'_>>> = BTreeMap::new();
    for row in rows {
        match row.does {
            Does::Same => {}
            Does::New => new.entry(&row.origin.file).or_default().push(row),
            Does::Replaces | Does::Unseen if is_alike(vault, row) => {
                alike.entry(&row.origin.file).or_default().push(row);
            }
            Does::Replaces | Does::Unseen => over(vault, row)?,
        }
    }
    for (file, rows) in alike {
        replace(vault, file, &rows)?;
    }
    // New tables of one file in one go: a file that is read again for each of a thousand costs minutes.
    for (file, rows) in new {
        let slot = vault.slot_for(file, None)?;
        let mut tables = String::new();
        for row in rows {
            let table = table(row, &slot)?;
            if !tables.is_empty() {
                tables.push('\n');
            }
            tables.push_str(table.text());
        }
        let tables = Document::parse(file, tables)?;
        vault.edit(file, |document| document.append(&tables))?;
    }
    Ok(())
}

/// The table of a new entry.
fn table(row: &ImportRow<'_>, slot: &crate::keys::Recipient) -> Result<Document> {
    let mut table = Document::parse(&row.origin.file, "")?;
    let (field, secret) = match &row.item.gives {
        Gives::Basic { username, password } => {
            table.set(&row.origin.key.child(USERNAME), Written::Plain(username))?;
            (Some(PASSWORD), Some(password))
        }
        Gives::Token(token) => (Some(IDENTITY_TOKEN), Some(token)),
        Gives::Helper(name) => {
            table.set(&row.origin.key.child(HELPER), Written::Plain(name.as_str()))?;
            (None, None)
        }
    };
    if let Some(email) = &row.item.email {
        table.set(&row.origin.key.child(EMAIL), Written::Plain(email))?;
    }
    if let Some(lifetime) = row.lifetime() {
        table.set(&row.origin.key.child(EXPIRES), Written::Toml(&lifetime.toml()))?;
    }
    if let (Some(field), Some(secret)) = (field, secret) {
        let origin = Origin { file: row.origin.file.clone(), key: row.origin.key.child(field) };
        table.set_sealed(&seal::seal(secret, Kind::Text, &origin, seal::new_id()?, slot)?)?;
    }
    Ok(table)
}

/// Whether an entry has the fields of the one that it replaces, so that only values change.
fn is_alike(vault: &Vault<'_>, row: &ImportRow<'_>) -> bool {
    let document = vault.document(&row.origin.file);
    let fields = document.and_then(|document| document.get(&row.origin.key)).and_then(Node::as_table);
    let Some(fields) = fields else { return false };
    let is_basic = matches!(row.item.gives, Gives::Basic { .. });
    let known = fields.iter().all(|(name, node)| match (name.as_str(), &node.value) {
        (USERNAME, Value::String(_)) | (PASSWORD, Value::Sealed(_)) => is_basic,
        (IDENTITY_TOKEN, Value::Sealed(_)) => !is_basic,
        (EMAIL, Value::String(_)) => row.item.email.is_none(),
        _ => false,
    });
    let has = |name: &str| fields.get(name).is_some();
    let whole = if is_basic { has(USERNAME) && has(PASSWORD) } else { has(IDENTITY_TOKEN) };
    let has_secret = row.item.gives.secret().is_some();
    known && whole && has_secret && row.item.email.is_none() && row.lifetime().is_none()
}

/// Replaces the values of entries of one file.
fn replace(vault: &mut Vault<'_>, file: &str, rows: &[&ImportRow<'_>]) -> Result<()> {
    let slot = vault.slot_for(file, None)?;
    let (mut texts, mut all) = (Vec::new(), Vec::new());
    for row in rows {
        if let Gives::Basic { username, .. } = &row.item.gives {
            texts.push((row.origin.key.child(USERNAME), username.as_str()));
        }
        if let (Some(place), Some(secret)) = (row.secret_place(), row.item.gives.secret()) {
            all.push(seal::seal(secret, Kind::Text, &place, seal::new_id()?, &slot)?);
        }
    }
    vault.edit(file, |document| document.replace(&texts, &all))
}

/// Writes over an entry that is there.
fn over(vault: &mut Vault<'_>, row: &ImportRow<'_>) -> Result<()> {
    let entry = match &row.item.gives {
        Gives::Basic { username, password } => Entry::Basic(username.clone(), password.clone()),
        Gives::Token(token) => Entry::Token(token.clone()),
        Gives::Helper(name) => Entry::Helper(name.clone()),
    };
    let lifetime = row.lifetime().map(|lifetime| lifetime.toml());
    write_over(vault, &row.origin, &entry, row.item.email.as_deref(), lifetime.as_deref())
}

/// Files that no host gets; without hosts there is nothing to say.
pub(super) fn unreached(vault: &Vault<'_>, rows: &[ImportRow<'_>]) -> BTreeSet<String> {
    let mut files: BTreeSet<String> = rows.iter().map(|row| row.origin.file.clone()).collect();
    let all: Vec<String> = vault.documents().map(|document| document.file().to_owned()).collect();
    let inventory = vault.inventory();
    for host in inventory.hosts.values() {
        match pillar_files(inventory, host, &all) {
            Ok(reached) => files.retain(|file| !reached.contains(file)),
            // Problems of the inventory are reported when it is compiled.
            Err(_) => files.clear(),
        }
    }
    if inventory.hosts.is_empty() {
        files.clear();
    }
    files
}
