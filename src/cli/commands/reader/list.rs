//! `pillarbox reader list`: the locks beside `keys/`.

use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::boxes::BoxFolder;
use crate::problem::{Code, Result};
use crate::session::{KeyFiles, Vault};
use std::collections::BTreeSet;

/// A reader of a box, as the lock says or, where it does not open here, as the clear list says.
struct ReaderRow {
    name: ReaderName,
    key: Option<Recipient>,
    /// What `keys/` wants instead.
    pending: Option<String>,
}

pub(super) fn run(ctx: &Context) -> Result<Exit> {
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let files = vault.key_files()?;
    let (mut boxes, mut seen) = (Vec::new(), BTreeSet::new());
    for (folder, file) in vault.boxes() {
        let open = match vault.open_box(folder) {
            Ok(open) => Some(open),
            Err(problems) if problems.code() == Code::NoIdentity => None,
            Err(problems) => return Err(problems),
        };
        let mut rows = Vec::new();
        for name in &file.readers {
            let key = open.as_ref().and_then(|open| open.readers().get(name)).cloned();
            rows.push(ReaderRow { pending: pending(&files, name, key.as_ref()), name: name.clone(), key });
            seen.insert(name.clone());
        }
        boxes.push((folder, open.is_some(), rows));
    }
    let others: Vec<&ReaderName> =
        files.iter().map(|(name, _)| name).filter(|name| !seen.contains(*name)).collect();
    if ctx.out.json {
        ctx.out.object(&json(&boxes, &others));
        return Ok(Exit::Done);
    }
    for (folder, opened, rows) in &boxes {
        ctx.out.data(folder);
        for ReaderRow { name, key, pending } in rows {
            let key = key.as_ref().map(|key| format!("  {key}")).unwrap_or_default();
            let pending = pending.as_ref().map(|why| format!("  pending: {why}")).unwrap_or_default();
            ctx.out.data(format_args!("  {name}{key}{pending}"));
        }
        if !opened {
            ctx.out.data("  (as listed in clear: no private key here opens the lock)");
        }
    }
    for name in others {
        ctx.out.data(format_args!("{}: reads no box", KeyFiles::path(name)));
    }
    if boxes.iter().any(|(_, _, rows)| rows.iter().any(|row| row.pending.is_some())) {
        ctx.out.say("to make the locks agree with keys/: pillarbox reader rekey");
    }
    Ok(Exit::Done)
}

/// In which way `keys/` differs from the lock.
pub(in crate::cli) fn pending(
    files: &KeyFiles,
    name: &ReaderName,
    key: Option<&Recipient>,
) -> Option<String> {
    match files.get(name) {
        Ok(None) => Some(format!("{} is gone", KeyFiles::path(name))),
        Ok(Some(wish)) if key.is_some_and(|key| key != wish) => {
            Some(format!("{} has another key, {wish}", KeyFiles::path(name)))
        }
        Ok(Some(_)) => None,
        Err(_) => Some(format!("{} holds no key", KeyFiles::path(name))),
    }
}

fn json(boxes: &[(&BoxFolder, bool, Vec<ReaderRow>)], others: &[&ReaderName]) -> serde_json::Value {
    let row = |row: &ReaderRow| {
        serde_json::json!({
            "name": row.name.as_str(),
            "key": row.key.as_ref().map(Recipient::as_str),
            "pending": row.pending,
        })
    };
    let one = |(folder, opened, rows): &(&BoxFolder, bool, Vec<ReaderRow>)| {
        serde_json::json!({
            "box": folder.to_string(),
            "opened": opened,
            "readers": rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    serde_json::json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "boxes": boxes.iter().map(one).collect::<Vec<_>>(),
        "without_box": others.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
    })
}
