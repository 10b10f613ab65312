//! Fields of a gate in a file.

use super::key;
use crate::inventory::Host;
use crate::pillar::Value;
use crate::pillar::document::{Document, Written};
use crate::pillar::gate::{self, Gate};
use crate::problem::{Problem, Problems, Result};
use crate::session::Vault;

/// Gives a field a text, whatever stood there; `None` takes it out.
pub(in crate::cli::commands) fn field(
    document: &mut Document,
    app: &str,
    name: &str,
    text: Option<&str>,
) -> Result<()> {
    let key = key(app, Some(name))?;
    let found = document.get(&key).map(|node| matches!(node.value, Value::String(_)));
    match (text, found) {
        (None, None) => Ok(()),
        (None, Some(_)) => document.unset(&key),
        (Some(text), found) => {
            if found == Some(false) {
                document.unset(&key)?;
            }
            document.set(&key, Written::Plain(text))?;
            gate::check_key(&key, document.get(&key).map(|node| &node.value))
        }
    }
}

/// Takes tables away that are empty, up to the file itself if nothing is left in it.
pub(in crate::cli::commands) fn tidy(vault: &mut Vault<'_>, file: &str, app: &str) -> Result<()> {
    for key in [key(app, None)?, top()?] {
        let empty = |document: &Document| {
            document.get(&key).and_then(|node| node.as_table()).is_some_and(crate::pillar::Table::is_empty)
        };
        if vault.document(file).is_some_and(empty) {
            vault.edit(file, |document| document.unset(&key))?;
        }
    }
    if vault.document(file).is_some_and(|document| document.text().trim().is_empty()) {
        vault.remove_document(file);
    }
    Ok(())
}

fn top() -> Result<crate::name::KeyPath> {
    crate::name::KeyPath::from_parts(vec![gate::TABLE.to_owned()])
        .ok_or_else(|| Problem::failed("the table of gates has a name").into())
}

/// A gate as a host has it now, or all that is wrong with it; `None` where it has none.
pub(in crate::cli::commands) fn effective(vault: &Vault<'_>, host: &Host, app: &str) -> Result<Option<Gate>> {
    super::of_host(vault, host)?.get(app).cloned().transpose()
}

/// A gate as all hosts have it now, each with the hosts that have one. Every fault is said once.
pub(in crate::cli::commands) fn effective_everywhere<'v>(
    vault: &'v Vault<'_>,
    app: &str,
) -> Result<Vec<(&'v Host, Gate)>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for host in vault.inventory().hosts.values() {
        match effective(vault, host, app) {
            Ok(Some(gate)) => found.push((host, gate)),
            Ok(None) => {}
            Err(more) => {
                for problem in more.into_vec() {
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        }
    }
    Problems::check(problems)?;
    Ok(found)
}
