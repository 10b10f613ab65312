//! Entries out of their source, once they are in the pillar: only those whose very secret was read back from there.

use super::plan::ImportRow;
use super::source::Origin;
use crate::cli::Context;
use crate::docker_config::{Auth, Entries, Stored, without_auths};
use crate::import::{BYTE_ORDER_MARK, Gives};
use crate::pillar::{Node, Origin as Place, Sealed, Value};
use crate::problem::{Code, Result, escaped};
use crate::session::Vault;
use crate::store::{self, Workspace};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The sealed values of an import, as they are to stand in the pillar.
pub(super) struct Expected(BTreeMap<Place, Sealed>);

impl Expected {
    /// As they stand in a vault before it is committed.
    pub(super) fn of(vault: &Vault<'_>, rows: &[ImportRow<'_>]) -> Self {
        let pair = |row: &ImportRow<'_>| {
            let place = row.secret_place()?;
            let sealed = sealed_at(vault, &place)?.clone();
            Some((place, sealed))
        };
        Self(rows.iter().filter_map(pair).collect())
    }
}

fn sealed_at<'v>(vault: &'v Vault<'_>, place: &Place) -> Option<&'v Sealed> {
    match &vault.document(&place.file)?.get(&place.key)? {
        Node { value: Value::Sealed(sealed), .. } => Some(sealed),
        _ => None,
    }
}

/// The rows whose secrets stand in the files of the pillar now. Where they open here they are opened; where
/// they do not, they are what was just sealed, to the byte.
fn confirmed<'r, 's>(
    ctx: &Context,
    workspace: &Workspace,
    rows: &'r [ImportRow<'s>],
    expected: &Expected,
) -> Result<Vec<&'r ImportRow<'s>>> {
    let written = Vault::load(&ctx.session, workspace)?;
    let found: Vec<(&ImportRow<'_>, &Sealed)> = rows
        .iter()
        .filter(|row| !row.item.entries.is_empty())
        .filter_map(|row| {
            let place = row.secret_place()?;
            let sealed = sealed_at(&written, &place)?;
            (expected.0.get(&place) == Some(sealed)).then_some((row, sealed))
        })
        .collect();
    let opened = written.open_all(&found.iter().map(|(_, sealed)| *sealed).collect::<Vec<_>>());
    let is_there = |row: &ImportRow<'_>, opened: Result<crate::pillar::seal::Opened>| match opened {
        Ok(opened) => row.item.gives.secret().is_some_and(|secret| secret.same_as(opened.secret.reveal())),
        Err(problems) => row.is_written() && problems.code() == Code::NoIdentity,
    };
    let pairs = found.into_iter().zip(opened);
    Ok(pairs.filter_map(|((row, _), opened)| is_there(row, opened).then_some(row)).collect())
}

/// Takes the entries that are in the pillar now out of the file; returns how many.
///
/// # Errors
/// Where the pillar cannot be read back, or the file cannot be read or written.
pub(super) fn remove(
    ctx: &Context,
    workspace: &Workspace,
    (origin, at): (&Origin, Entries),
    rows: &[ImportRow<'_>],
    expected: &Expected,
) -> Result<usize> {
    let Origin::File(path) = origin else { return Ok(0) };
    let confirmed = confirmed(ctx, workspace, rows, expected)?;
    let mut by_key: BTreeMap<&str, &Gives> = BTreeMap::new();
    for row in &confirmed {
        by_key.extend(row.item.entries.iter().map(|key| (key.as_str(), &row.item.gives)));
    }
    let _held = store::hold(&ctx.session.paths()?.wired)?;
    let shown = origin.shown(ctx);
    // Only what still is what was imported: a login may have changed it meanwhile.
    let text = store::read_text(path)?;
    let (mark, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (BYTE_ORDER_MARK, rest),
        None => ("", text.as_str()),
    };
    let gone = RefCell::new(Vec::new());
    let left = RefCell::new(BTreeSet::new());
    let goes = |auth: &Auth| {
        let goes = by_key.get(auth.key.as_str()).is_some_and(|gives| holds(auth, gives));
        match goes {
            true => gone.borrow_mut().push(auth.key.clone()),
            false => drop(left.borrow_mut().insert(auth.key.clone())),
        }
        goes
    };
    if let Some(without) = without_auths(text, &shown, at, goes)? {
        let without = zeroize::Zeroizing::new(format!("{mark}{without}"));
        store::write_alike(path, without.as_bytes())?;
    }
    let (gone, left) = (gone.into_inner(), left.into_inner());
    for key in gone.iter().filter(|key| left.contains(*key)).collect::<BTreeSet<_>>() {
        ctx.out.warn(format_args!(
            "{shown}: another entry of `{}` was hidden by the one that is gone; clients read it from now on",
            escaped(key)
        ));
    }
    let kept = rows.iter().filter(|row| !row.item.entries.iter().any(|key| gone.contains(key))).count();
    if kept > 0 {
        ctx.out.say(format_args!(
            "{kept} of them were not taken out of it; to remove what a helper keeps: docker logout HOST"
        ));
    }
    Ok(gone.len())
}

fn holds(auth: &Auth, gives: &Gives) -> bool {
    match (&auth.stored, gives) {
        (Ok(Stored::Basic { username, password }), Gives::Basic { username: user, password: secret }) => {
            username == user && password.same_as(secret.reveal())
        }
        (Ok(Stored::Token(token)), Gives::Token(secret)) => token.same_as(secret.reveal()),
        _ => false,
    }
}
