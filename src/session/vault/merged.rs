//! The pillar of a host.

use super::Vault;
use crate::inventory::{Host, pillar_files};
use crate::pillar::document::Document;
use crate::pillar::{Node, merge};
use crate::problem::{Problems, Result};

/// The pillar of a host: its files laid over each other.
///
/// # Errors
/// Where it names files that are not there, and all that is unsound in them.
pub fn merged(vault: &Vault<'_>, host: &Host) -> Result<Node> {
    let all: Vec<String> = vault.documents().map(|document| document.file().to_owned()).collect();
    let (mut layers, mut problems) = (Vec::new(), Vec::new());
    for file in pillar_files(vault.inventory(), host, &all)? {
        match vault.document(&file).map(Document::tree) {
            Some(Ok(tree)) => layers.push(tree.clone()),
            Some(Err(found)) => problems.extend(found.into_vec()),
            None => {}
        }
    }
    Problems::check(problems)?;
    Ok(merge::merge(layers))
}
