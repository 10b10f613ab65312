//! A pillar file under another name, or in another folder.

use super::{again, former, new_readers};
use crate::cli::{Context, Exit};
use crate::inventory::ListEntry;
use crate::pillar::document::file_name;
use crate::pillar::{Origin, Sealed};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::Vault;

/// The file that is meant, if one is: it ends in `.toml` and is there.
pub(super) fn named(vault: &Vault<'_>, typed: &str) -> Option<String> {
    let below = typed.strip_prefix("pillar/").unwrap_or(typed);
    vault.document(below.strip_suffix(".toml").map(|_| below)?).map(|document| document.file().to_owned())
}

pub(super) fn run(ctx: &Context, mut vault: Vault<'_>, from: &str, to: &str) -> Result<Exit> {
    let to = file_name(to.strip_prefix("pillar/").unwrap_or(to))?;
    if vault.document(&to).is_some() {
        return Err(Problem::usage(format!("pillar/{} is there already", escaped(&to))).into());
    }
    let (mut resealed, mut problems): (Vec<Sealed>, _) = (Vec::new(), Vec::new());
    let Some(document) = vault.document(from) else { return Ok(Exit::Done) };
    let text = document.text().to_owned();
    for sealed in document.sealed() {
        let origin = Origin { file: to.clone(), key: sealed.origin.key.clone() };
        match vault.sealed_for(sealed, &origin) {
            Ok(sealed) => resealed.push(sealed),
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    problems.dedup();
    Problems::check(problems)?;
    vault.edit(&to, |document| {
        *document = crate::pillar::document::Document::parse(&to, text)?;
        document.reseal(&resealed)
    })?;
    vault.remove_document(from);
    let readers = new_readers(&vault, from, &to, !resealed.is_empty())?;
    let (naming, former) = (naming(&vault, from), former::of(&vault, &resealed));
    vault.commit()?;
    ctx.out.say(format_args!(
        "moved pillar/{} to pillar/{}{}",
        escaped(from),
        escaped(&to),
        again(resealed.len())
    ));
    if let Some(readers) = readers {
        ctx.out.say(format_args!("its readers are now {readers}"));
    }
    former::warn(ctx, &former);
    for place in naming {
        ctx.out.warn(format_args!("{place} still names {}", escaped(from)));
    }
    Ok(Exit::Done)
}

/// Where the inventory names the file, other than by a glob.
fn naming(vault: &Vault<'_>, file: &str) -> Vec<String> {
    let inventory = vault.inventory();
    let named = |entry: &&ListEntry| {
        entry.text.strip_suffix(".toml").unwrap_or(&entry.text) == file.trim_end_matches(".toml")
    };
    let groups = inventory.groups.values().flat_map(|group| &group.pillar);
    let hosts = inventory.hosts.values().flat_map(|host| &host.pillar);
    groups.chain(hosts).filter(named).map(|entry| entry.place.to_string()).collect()
}
