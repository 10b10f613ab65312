//! Keys of people, machines and boxes, and the age files sealed to them. The only module that names
//! the `age` crate; it knows X25519 keys alone, because a plugin key starts a program by its name.

mod envelope;
mod identity;
mod recipient;

pub(crate) use envelope::Envelope;
pub use identity::{Identities, Identity};
pub use recipient::{Recipient, fingerprint_of};
