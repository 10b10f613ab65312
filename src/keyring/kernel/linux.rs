//! The system calls, and what their errors mean.

use super::Reach;
use crate::keyring::{Answer, Reason, SERVICE, USER};
use crate::secret::Secret;
use linux_keyutils::{Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};
use std::time::Duration;

/// The description of the key in the kernel.
fn description() -> String {
    format!("{SERVICE}:{USER}")
}

/// Reads the kept identity.
pub fn read() -> Answer {
    match find() {
        Ok(None) => Answer::Empty,
        Err(error) => Answer::Unusable(reason(error)),
        Ok(Some(key)) => match key.read_to_vec() {
            Ok(bytes) => Answer::Holds(Secret::new(bytes)),
            Err(error) if is_gone(error) => Answer::Empty,
            Err(error) => Answer::Unusable(reason(error)),
        },
    }
}

/// Stores an identity, for a time or as long as the keyring lasts, readable only by processes that possess the
/// keyring. A stored one is replaced: look first.
///
/// # Errors
/// If the kernel denies it; then nothing is kept.
pub fn keep(text: &Secret, time: Option<Duration>) -> Result<Reach, Reason> {
    let rings = rings().map_err(reason)?;
    let mut last = KeyError::KeyringDoesNotExist;
    for (ring, reach) in rings {
        match keep_in(&ring, text, time) {
            Ok(()) => return Ok(reach),
            Err(error) => last = error,
        }
    }
    Err(reason(last))
}

/// Removes the stored identity, at once and for every process that has it; `false` if there was none.
///
/// # Errors
/// If the kernel denies it.
pub fn remove() -> Result<bool, Reason> {
    match find().map_err(reason)? {
        Some(key) => key.invalidate().map(|()| true).map_err(reason),
        None => Ok(false),
    }
}

fn keep_in(ring: &KeyRing, text: &Secret, time: Option<Duration>) -> Result<(), KeyError> {
    let key = ring.add_key(&description(), text.reveal())?;
    let possessor_alone = KeyPermissionsBuilder::builder().posessor(Permission::ALL).build();
    let seconds = time.map_or(0, |time| usize::try_from(time.as_secs().max(1)).unwrap_or(usize::MAX));
    let guarded = key.set_timeout(seconds).and_then(|()| key.set_perms(possessor_alone));
    if guarded.is_err() {
        let _ = ring.unlink_key(key);
    }
    guarded
}

/// The key, if it is there and has not run out.
fn find() -> Result<Option<Key>, KeyError> {
    for (ring, _) in rings()? {
        match ring.search(&description()) {
            Ok(key) => return Ok(Some(key)),
            Err(error) if is_gone(error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The keyrings that may hold it, the one that reaches farthest first.
fn rings() -> Result<Vec<(KeyRing, Reach)>, KeyError> {
    // Linked to the keyring of this process, which ends with it: no session is changed.
    let persistent = KeyRing::get_persistent(KeyRingIdentifier::Process);
    let session = KeyRing::from_special_id(KeyRingIdentifier::Session, false);
    match (persistent, session) {
        (Err(error), Err(_)) => Err(error),
        (persistent, session) => {
            let rings = [(persistent, Reach::User), (session, Reach::Session)];
            Ok(rings.into_iter().filter_map(|(ring, reach)| Some((ring.ok()?, reach))).collect())
        }
    }
}

fn is_gone(error: KeyError) -> bool {
    matches!(
        error,
        KeyError::KeyDoesNotExist
            | KeyError::KeyExpired
            | KeyError::KeyRevoked
            | KeyError::KeyringDoesNotExist
    )
}

fn reason(error: KeyError) -> Reason {
    /// "Function not implemented" (errno(3)): a kernel without keyrings.
    const ENOSYS: i32 = 38;
    match error {
        KeyError::PermissionDenied | KeyError::AccessDenied => {
            "permission denied, as it is in containers by default"
        }
        KeyError::Unknown(ENOSYS) | KeyError::OperationNotSupported => "this kernel has none",
        KeyError::QuotaExceeded => "it is full (keyctl show; /proc/key-users has the limits)",
        KeyError::OutOfMemory => "the kernel has no memory left",
        other => return format!("the kernel says {other}"),
    }
    .to_owned()
}
