//! The desktop's keyring: Secret Service on Linux and the BSDs (freedesktop.org, Secret Service API), Keychain on
//! macOS. With the feature `desktop-keyring`.
//!
//! Asked in a thread of its own: a bus that hangs must not block the program, and the client of the bus has
//! its own async runtime, which must not be started inside of ours.

#[cfg(all(feature = "desktop-keyring", target_os = "macos"))]
mod keychain;
#[cfg(all(feature = "desktop-keyring", target_os = "macos"))]
use keychain as system;

#[cfg(all(feature = "desktop-keyring", target_os = "linux"))]
mod secret_service;
#[cfg(all(feature = "desktop-keyring", target_os = "linux"))]
use secret_service as system;

#[cfg(not(all(feature = "desktop-keyring", any(target_os = "linux", target_os = "macos"))))]
mod none;
#[cfg(not(all(feature = "desktop-keyring", any(target_os = "linux", target_os = "macos"))))]
use none as system;

use super::{Answer, Reason};
use crate::secret::Secret;
use std::sync::mpsc;
use std::time::Duration;

/// The name of this system's keyring.
pub const NAME: &str = system::NAME;

/// Whether the user may be asked to unlock the keyring, by a window of the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlocking {
    /// No; a locked one stays locked.
    No,
    /// Yes; the answer is waited for.
    Ask,
}

impl Unlocking {
    fn timeout(self) -> Duration {
        match self {
            Self::No => Duration::from_secs(3),
            Self::Ask => Duration::from_secs(120),
        }
    }
}

/// Reads the stored identity.
pub fn read(unlocking: Unlocking) -> Answer {
    within(unlocking, move || system::read(unlocking)).unwrap_or_else(Answer::Unusable)
}

/// Stores an identity. One that is stored already is replaced: look first.
///
/// # Errors
/// If the keyring is not there, stays locked or does not answer.
pub fn keep(text: &Secret) -> Result<(), Reason> {
    let text = text.clone();
    within(Unlocking::Ask, move || system::keep(&text)).and_then(|kept| kept)
}

/// Removes the stored identity; `false` if there was none.
///
/// # Errors
/// As [`keep`].
pub fn remove() -> Result<bool, Reason> {
    within(Unlocking::Ask, system::remove).and_then(|removed| removed)
}

fn within<T: Send + 'static>(
    unlocking: Unlocking,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Reason> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || sender.send(work()))
        .map_err(|error| error.to_string())?;
    let timeout = unlocking.timeout();
    receiver.recv_timeout(timeout).map_err(|_| format!("it did not answer within {} s", timeout.as_secs()))
}
