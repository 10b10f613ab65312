//! How containers of an image behave.

use std::collections::BTreeMap;

/// How a container made from an image goes on after its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Whether it stays up.
    pub goes: Goes,
    /// The image has a health check; where a container is given one, this decides its result as well.
    pub has_health_check: bool,
    /// Seconds until a health check passes; `None`: it fails, first after three seconds.
    pub healthy_after: Option<u32>,
    /// It does not heed the stop signal.
    pub ignores_stop: bool,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Environment of the image, `NAME=value`.
    pub env: Vec<String>,
    /// Paths the image declares as volumes.
    pub volumes: Vec<String>,
    /// What the image is made for, `linux/arm64`; `None`: it does not say.
    pub platform: Option<String>,
    /// What it prints.
    pub log: Vec<String>,
    /// The log of its health check, as the Engine's API has it.
    pub probes: Vec<serde_json::Value>,
}

/// Whether a container stays up.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Goes {
    /// It runs until it is stopped.
    #[default]
    On,
    /// It ends.
    Ends {
        /// Seconds after its start; 0: at once.
        after: u32,
        /// Its exit code.
        code: i64,
    },
    /// The Engine cannot start it, in these words.
    NotAtAll(String),
}

impl Behaviour {
    /// It runs and passes its health check at once.
    pub fn fine() -> Self {
        Self { healthy_after: Some(0), ..Self::default() }
    }

    /// It ends with an exit code, some seconds after its start.
    pub fn ends(after: u32, code: i64) -> Self {
        Self { goes: Goes::Ends { after, code }, ..Self::fine() }
    }

    /// It runs and fails its health check.
    pub fn unhealthy() -> Self {
        Self { has_health_check: true, healthy_after: None, ..Self::default() }
    }
}
