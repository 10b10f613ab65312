//! The kernel's keyring (keyrings(7)): in memory, gone after a reboot, with a timeout.
//!
//! Of the kernel's keyrings the one of a session ends with it, and that of a user (`@u`) is found and
//! cannot be read by a session that has no link to it. The persistent keyring of a user
//! (persistent-keyring(7)) can be reached from every session, until three days after it was used last.
//! Where a kernel has none, it is the session's.

#[cfg(not(target_os = "linux"))]
mod none;
#[cfg(not(target_os = "linux"))]
pub use none::{keep, read, remove};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{keep, read, remove};

/// How far a kept identity reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every session of this user.
    User,
    /// This session alone.
    Session,
}
