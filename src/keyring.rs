//! Keyrings of the operating system, where the text of an identity file may lie: the kernel's, which
//! forgets, and the desktop's, which keeps. Both hold one text under one name, and neither is ever
//! waited for without a limit.

pub mod desktop;
pub mod kernel;

use crate::secret::Secret;

/// What both file it under: the service,
const SERVICE: &str = "pillarbox";

/// and the user of the service.
const USER: &str = "identity/default";

/// What a keyring says when it is asked for the identity.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The text of an identity file.
    Holds(Secret),
    /// It works, and holds none.
    Empty,
    /// It is locked, and nobody was asked to unlock it.
    Locked,
    /// It is not there, denied or broken: why, the end of a sentence "… cannot be used: ".
    Unusable(String),
}

/// Why a keyring did not do something: the end of a sentence "… cannot be used: ".
pub type Reason = String;
