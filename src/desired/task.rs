//! `task.ran`: a container that runs to its end, once for an image and a spec.

use super::DesiredContainer;
use crate::name::HostName;
use crate::problem::Place;
use sha2::{Digest as _, Sha256};

/// A desired task.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredTask {
    /// Its container: name, image and options. It is never started again.
    pub container: DesiredContainer,
    /// Seconds within which it must end.
    pub timeout: u32,
    /// Where it runs.
    pub on: On,
}

/// Where a task runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum On {
    /// On the first host of a run, once for all that declare it so.
    #[default]
    First,
    /// On this host, with the line that says so, once for all that declare it so.
    Host(HostName, Place),
    /// On each host that declares it.
    Each,
}

impl On {
    /// What stands for [`On::Each`] in a state.
    pub const EACH: &str = "each";

    /// As it is declared; `None` where nothing is.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::First => None,
            Self::Host(host, _) => Some(host.as_str()),
            Self::Each => Some(Self::EACH),
        }
    }
}

impl DesiredTask {
    /// Its fingerprint: sixteen hexadecimal digits over image and spec. `image` is the `.image` label. The
    /// form is fixed: another one would run every task again. One that each host runs is another task than
    /// one that ran once for all of them: that a host remembers the latter says nothing about its own.
    pub fn fingerprint(&self, image: &str) -> String {
        let form = if self.on == On::Each { "task v1 each" } else { "task v1" };
        let text = format!("{form}\n{}\n{image}", self.container.spec.fingerprint());
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
