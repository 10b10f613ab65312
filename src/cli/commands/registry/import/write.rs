//! Entries into the pillar, all of them as one change.

use super::super::add::{Entry, write as write_over};
use super::plan::{Does, ImportRow};
use crate::import::Gives;
use crate::inventory::pillar_files;
use crate::pillar::Origin;
use crate::pillar::document::{Document, Written};
use crate::pillar::seal::{self, Kind};
use crate::problem::Result;
use crate::registry::{EMAIL, HELPER, IDENTITY_TOKEN, PASSWORD, USERNAME};
use crate::session::Vault;
use std::collections::{BTreeMap, BTreeSet};

/// Puts them into the vault. Nothing is written before it commits.
///
/// # Errors
/// Where a box cannot be posted to, or a file cannot hold an entry.
pub(super) fn write(vault: &mut Vault<'_>, rows: &[ImportRow<'_>]) -> Result<()> {
    let mut new: BTreeMap<&str, Vec<&ImportRow<'_>>> = BTreeMap::new();
    for row in rows {
        match row.does {
            Does::Same => {}
            Does::New => new.entry(&row.origin.file).or_default().push(row),
            Does::Replaces | Does::Unseen => over(vault, row)?,
        }
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
    if let (Some(field), Some(secret)) = (field, secret) {
        let origin = Origin { file: row.origin.file.clone(), key: row.origin.key.child(field) };
        table.set_sealed(&seal::seal(secret, Kind::Text, &origin, seal::new_id()?, slot)?)?;
    }
    Ok(table)
}

/// Writes over an entry that is there.
fn over(vault: &mut Vault<'_>, row: &ImportRow<'_>) -> Result<()> {
    let entry = match &row.item.gives {
        Gives::Basic { username, password } => Entry::Basic(username.clone(), password.clone()),
        Gives::Token(token) => Entry::Token(token.clone()),
        Gives::Helper(name) => Entry::Helper(name.clone()),
    };
    write_over(vault, &row.origin, &entry, row.item.email.as_deref())
}

/// Files that no host gets; without hosts there is nothing to say.
pub(super) fn unreached(vault: &Vault<'_>, rows: &[ImportRow<'_>]) -> BTreeSet<String> {
    let mut files: BTreeSet<String> = rows.iter().map(|row| row.origin.file.clone()).collect();
    let all: Vec<String> = vault.documents().map(|document| document.file().to_owned()).collect();
    let inventory = vault.inventory();
    for host in inventory.hosts.values() {
        match pillar_files(inventory, host, &all) {
            Ok(reached) => files.retain(|file| !reached.contains(file)),
            // What is wrong with the inventory is said by whoever compiles it.
            Err(_) => files.clear(),
        }
    }
    if inventory.hosts.is_empty() {
        files.clear();
    }
    files
}
