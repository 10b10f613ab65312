//! Keychain of macOS.

use super::Unlocking;
use crate::keyring::{Answer, Reason, SERVICE, USER};
use crate::secret::Secret;
use apple_native_keyring_store::keychain::Store;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};

pub(super) const NAME: &str = "Keychain";

pub(super) fn read(_: Unlocking) -> Answer {
    match entry().and_then(|entry| entry.get_secret()) {
        Ok(bytes) => Answer::Holds(Secret::new(bytes)),
        Err(Error::NoEntry) => Answer::Empty,
        Err(Error::NoStorageAccess(_)) => Answer::Locked,
        Err(error) => Answer::Unusable(reason(&error)),
    }
}

pub(super) fn keep(text: &Secret) -> Result<(), Reason> {
    entry().and_then(|entry| entry.set_secret(text.reveal())).map_err(|error| reason(&error))
}

pub(super) fn remove() -> Result<bool, Reason> {
    match entry().and_then(|entry| entry.delete_credential()) {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(reason(&error)),
    }
}

fn entry() -> Result<Entry, Error> {
    Store::new()?.build(SERVICE, USER, None)
}

/// Never the data inside an error: that may be the stored secret.
fn reason(error: &Error) -> Reason {
    match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::Ambiguous(_) => "it has several entries under this name".to_owned(),
        _ => "it refused".to_owned(),
    }
}
