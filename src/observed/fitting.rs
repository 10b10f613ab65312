//! Names of volumes that fit.

use sha2::{Digest as _, Sha256};

/// A volume is a folder on the host, whose name has 255 bytes at most.
pub(super) fn fitting(name: String) -> String {
    let Some(beginning) = name.get(..LONGEST).filter(|_| name.len() > LONGEST) else { return name };
    let whole = Sha256::digest(name.as_bytes());
    let digits: String = whole.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{beginning}.{digits}")
}

/// What is left of a longer name; the digest of the whole follows.
const LONGEST: usize = 200;
