//! What became of one question to a registry.

use crate::engine::{EngineError, ErrorKind};
use crate::name::{Digest, HostName, ImageRef};
use crate::problem::{Code, Place, Problems};

/// What a host found out.
pub struct Answers {
    /// The host.
    pub host: HostName,
    /// Sorted by entry and image.
    pub asked: Vec<Asked>,
}

/// One question and its answer.
pub struct Asked {
    /// The entry of the pillar that it is about; `None` where nothing covers the image.
    pub entry: Option<EntryShown>,
    /// The image that was asked for; `None`: the credential alone was shown to its registry.
    pub image: Option<ImageRef>,
    /// What it came to.
    pub verdict: Verdict,
    /// What the registry names for the image.
    pub digest: Option<Digest>,
    /// What is wrong, for people.
    pub problems: Option<Problems>,
}

/// An entry, without its secret.
#[derive(Clone)]
pub struct EntryShown {
    /// `ghcr.io/acme`.
    pub scope: String,
    /// `user acme-bot`, `identity token`, `helper ecr-login`, `anonymous`.
    pub how: String,
    /// Where it stands.
    pub place: Place,
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The registry took the credential, or gave the image without one.
    Works,
    /// It was not asked, for this reason.
    NotAsked(&'static str),
    /// The registry does not take it, or wants one and none was sent.
    Refused,
    /// The registry says that it was right once.
    Expired,
    /// The registry gives no more for now; until then, seconds since 1970, where it said so.
    RateLimited(Option<i64>),
    /// The host cannot reach the registry.
    Unreachable,
    /// No identity here opens it.
    NotOpened,
    /// Its seal does not hold.
    DoesNotHold,
    /// Its helper has no answer.
    HelperFailed,
    /// Anything else.
    Failed,
}

impl Verdict {
    /// The word for it, the same in tables and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::NotAsked(_) => "not asked",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::RateLimited(_) => "rate-limited",
            Self::Unreachable => "unreachable",
            Self::NotOpened => "not opened",
            Self::DoesNotHold => "does not hold",
            Self::HelperFailed => "helper failed",
            Self::Failed => "failed",
        }
    }

    /// Of an Engine's answer; `now` is the Engine's own time.
    pub(super) fn of_error(error: &EngineError, now: Option<i64>) -> Self {
        match error.kind {
            ErrorKind::Refused | ErrorKind::CredentialMissing | ErrorKind::CredentialDropped => Self::Refused,
            ErrorKind::Expired => Self::Expired,
            ErrorKind::RateLimited => {
                let wait = error.retry_after().and_then(|wait| i64::try_from(wait.as_secs()).ok());
                Self::RateLimited(now.zip(wait).map(|(now, wait)| now + wait))
            }
            ErrorKind::RegistryUnreachable | ErrorKind::RegistryUnavailable => Self::Unreachable,
            _ => Self::Failed,
        }
    }

    /// Of a credential that could not be had.
    pub(super) fn of_credential(problems: &Problems, helper: bool) -> Self {
        match problems.code() {
            Code::NoIdentity => Self::NotOpened,
            Code::Seal => Self::DoesNotHold,
            _ if helper => Self::HelperFailed,
            _ => Self::Failed,
        }
    }
}
