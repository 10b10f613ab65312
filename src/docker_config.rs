//! The configuration of Docker's and Podman's own clients (`config.json`, `auth.json`): which helper
//! answers for which registry, and which credentials the file holds itself.
//!
//! One format: docker/cli `cli/config/configfile`, containers-auth.json(5). An edit changes a few bytes
//! and leaves all others as they are.

mod auths;
mod json;
mod layout;
mod put;
mod splice;
mod stored;
mod wire;
mod wired;

pub use auths::{Auth, Auths, Entries, read_auths, read_entries, without_auths};
pub use put::{Put, Puts, put};
pub use splice::{Splice, apply, undo};
pub use stored::{Stored, sound};
pub use wire::{HELPER, Helpers, Replaced, Want, helpers, unwire, wire};
pub use wired::{Edit, Wired};
