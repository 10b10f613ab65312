//! What a person can ask for of a service as it is there.

use crate::name::Owner;
use crate::observed::Stop;

/// What is done with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is stopped, and stays so.
    Stop(AskedStop),
    /// It is started, and the record that it is stopped goes.
    Start,
    /// Each of its containers is stopped and started, one after another.
    Restart,
}

impl Operation {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Stop(_) => "stop",
            Self::Start => "start",
            Self::Restart => "restart",
        }
    }
}

/// What is said of a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedStop {
    /// Who, on which machine.
    pub by: String,
    /// Why.
    pub why: Option<String>,
    /// Until when, seconds since 1970 by the Engine's clock.
    pub until: Option<i64>,
}

impl AskedStop {
    pub(super) fn record(&self, owner: &Owner, service: &str) -> Stop {
        Stop::new(owner, service, self.by.clone(), self.why.clone(), self.until)
    }
}
