//! A system without a supported keyring, or a build without the feature `desktop-keyring`.

use super::Unlocking;
use crate::keyring::{Answer, Reason};
use crate::secret::Secret;

pub(super) const NAME: &str = "the desktop's keyring";

const WHY: &str = if cfg!(feature = "desktop-keyring") {
    "none is known for this system"
} else {
    "this build was made without the feature `desktop-keyring`"
};

pub(super) fn read(_: Unlocking) -> Answer {
    Answer::Unusable(WHY.to_owned())
}

pub(super) fn keep(_: &Secret) -> Result<(), Reason> {
    Err(WHY.to_owned())
}

pub(super) fn remove() -> Result<bool, Reason> {
    Err(WHY.to_owned())
}
