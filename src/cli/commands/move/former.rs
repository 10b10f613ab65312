//! Who could read what is moved, and is no reader of the box that it goes to: a move keeps the secret.

use crate::cli::Context;
use crate::name::ReaderName;
use crate::pillar::Sealed;
use crate::session::{Past, Vault};
use std::collections::BTreeSet;

/// The names of these readers, as far as git knows.
pub(super) fn of(vault: &Vault<'_>, moved: &[Sealed]) -> BTreeSet<String> {
    let mut former = BTreeSet::new();
    if moved.is_empty() {
        return former;
    }
    let past = Past::everything(vault);
    for sealed in moved {
        let file = past.state.governing(&sealed.origin.file).and_then(|folder| past.state.boxes.get(folder));
        let reads = |name: &ReaderName| file.is_some_and(|file| file.readers.contains(name));
        let could = past.readership.who(&sealed.id).into_iter().map(|reader| &reader.name);
        former.extend(could.filter(|name| !reads(name)).map(ToString::to_string));
    }
    former
}

/// Warns of them.
pub(super) fn warn(ctx: &Context, former: &BTreeSet<String>) {
    if former.is_empty() {
        return;
    }
    let names: Vec<&str> = former.iter().map(String::as_str).collect();
    ctx.out.warn(format_args!(
        "not readers of its box now, but could read what was moved, also in older commits: {}; a move keeps the \
         secret, so change it where it is valid, then seal the new one",
        names.join(", ")
    ));
    if let [name] = names.as_slice() {
        ctx.out.say(format_args!("what else: pillarbox reader leavers {name}"));
    }
}
