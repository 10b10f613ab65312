//! Systems other than Linux.

use super::Reach;
use crate::keyring::{Answer, Reason};
use crate::secret::Secret;
use std::time::Duration;

const WHY: &str = "only Linux has one";

/// Never anything.
pub fn read() -> Answer {
    Answer::Unusable(WHY.to_owned())
}

/// Never works.
///
/// # Errors
/// Always.
pub fn keep(_: &Secret, _: Option<Duration>) -> Result<Reach, Reason> {
    Err(WHY.to_owned())
}

/// Never works.
///
/// # Errors
/// Always.
pub fn remove() -> Result<bool, Reason> {
    Err(WHY.to_owned())
}
