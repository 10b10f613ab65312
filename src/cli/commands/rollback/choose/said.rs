//! What `--to` means: a generation's number, or a version.

use super::Host;
use crate::history::{Generation, State};
use std::collections::BTreeSet;

/// A generation's number, `3` or `g3`, unless a version is called so.
pub(super) fn number(said: &str, hosts: &[Host]) -> Option<u64> {
    let mut all = hosts.iter().flat_map(|host| &host.generations);
    let is_version = all.any(|one| one.version.as_deref() == Some(said));
    said.strip_prefix('g').unwrap_or(said).parse().ok().filter(|_| !is_version)
}

/// The generation of that version on each host: the one that is in service, else the newest with a container,
/// else the newest of which the image is left. Where only an image is left, another host may know which
/// version it is.
pub(super) fn of_version<'a>(said: &str, hosts: &'a [Host]) -> Vec<Option<&'a Generation>> {
    let all = hosts.iter().flat_map(|host| &host.generations);
    let meant: BTreeSet<&String> =
        all.filter(|one| one.is_version(said)).filter_map(|one| one.image.as_ref()).collect();
    let is_meant =
        |one: &Generation| one.is_version(said) || one.image.as_ref().is_some_and(|it| meant.contains(it));
    let rank = |one: &&Generation| {
        let serves = matches!(one.state, State::Runs | State::Down);
        (serves, one.state != State::ImageOnly, one.number)
    };
    let found = hosts.iter().map(|host| {
        let usable = host.generations.iter().filter(|one| one.is_usable() && is_meant(one));
        usable.max_by_key(rank)
    });
    found.collect()
}
