//! Boxes: folders of the pillar with a public slot, to which anyone may post, and a lock, which only
//! the readers can open.
//!
//! `box.toml` in a folder governs every file in it and below, down to the next `box.toml`. The lock
//! decides who can open a box, `keys/` only says who should; `rekey` makes them agree.

mod change;
mod file;
mod folder;
mod join;
mod lock;
#[cfg(test)]
pub(super) mod people;
#[cfg(test)]
mod refused;

pub use change::{Made, NewSlot, ReaderChange, make, rekey};
pub use file::BoxFile;
pub use folder::BoxFolder;
pub use join::join;
pub use lock::{BoxKeys, OpenBox, RETIRED};

use crate::keys::{Recipient, fingerprint_of};
use crate::name::ReaderName;
use std::collections::BTreeMap;

/// Readers of a box with their keys.
pub type Readers = BTreeMap<ReaderName, Recipient>;

/// 80 bits of a hash of names and keys, short enough to compare and to accept:
/// `1f0c-77ab-90de-3c55-0d1e`.
pub fn fingerprint(readers: &Readers) -> String {
    let lines: Vec<String> = readers.iter().map(|(name, key)| format!("{name} {key}")).collect();
    fingerprint_of("pillarbox-readers/1", lines.iter().map(String::as_str))
}
