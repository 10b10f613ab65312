//! The kernel's keyring (keyrings(7)): in memory, gone after a reboot, with a timeout.
//!
//! The keyring of a session ends with the session. The keyring of a user (`@u`) is found but
//! cannot be read by a session that has no link to it. The persistent keyring of a user
//! (persistent-keyring(7)) can be reached from every session, until three days after its last use.
//! If a kernel has none, the session's keyring is used.

#[cfg(not(target_os = "linux"))]
mod none;
#[cfg(not(target_os = "linux"))]
pub use none::{keep, read, remove};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{keep, read, remove};

/// Which sessions can read a stored identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every session of this user.
    User,
    /// Only this session.
    Session,
}
