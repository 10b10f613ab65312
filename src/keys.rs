//! Keys of people, machines and boxes, and the age files sealed to them. The only module that names
//! the `age` crate; it supports only X25519 and ssh-ed25519 keys, because a plugin key starts a program by
//! its name.

mod envelope;
mod file;
mod identities;
mod identity;
mod openssh;
mod protected;
mod recipient;

pub(crate) use envelope::Envelope;
pub use file::{IdentityFile, holds_private_key};
pub use identities::{Identities, PrivateKey};
pub use identity::Identity;
pub use protected::{Locked, Passphrase, protect};
pub use recipient::{Recipient, fingerprint_of};
