//! Keyrings of the operating system, which may hold the text of an identity file: the kernel's, which
//! is volatile, and the desktop's, which is persistent. Both hold one text under one name, and every access has
//! a timeout.

pub mod desktop;
pub mod kernel;

use crate::secret::Secret;

/// The name of the entry in both: the service,
const SERVICE: &str = "pillarbox";

/// and the user of the service.
const USER: &str = "identity/default";

/// The answer of a keyring that is asked for the identity.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The text of an identity file.
    Holds(Secret),
    /// It works, and has none.
    Empty,
    /// It is locked, and the user was not asked to unlock it.
    Locked,
    /// It is absent, denied or broken: why, the end of a sentence "… cannot be used: ".
    Unusable(String),
}

/// Why a keyring did not do something: the end of a sentence "… cannot be used: ".
pub type Reason = String;
