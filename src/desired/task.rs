//! `task.ran`: a container that runs to its end, once for an image and a spec.

use super::ContainerWish;
use crate::name::HostName;
use crate::problem::Place;
use sha2::{Digest as _, Sha256};

/// A desired task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskWish {
    /// Its container: name, image and options. It is never started again.
    pub container: ContainerWish,
    /// Seconds within which it must end.
    pub timeout: u32,
    /// The host that it runs on, with the line that says so; `None`: the first of a run.
    pub on: Option<(HostName, Place)>,
}

impl TaskWish {
    /// Its fingerprint: sixteen hexadecimal digits over image and spec. `image` is the `.image` label. The
    /// form is fixed: another one would run every task again.
    pub fn fingerprint(&self, image: &str) -> String {
        let text = format!("task v1\n{}\n{image}", self.container.spec.fingerprint());
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
