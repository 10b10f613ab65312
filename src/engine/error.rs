//! What an Engine answered instead.

use crate::problem::{Code, Problem, escaped};

/// Characters of an Engine's words that are kept.
const LONGEST: usize = 2000;

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// HTTP status, 0 if there was no answer.
    pub status: u16,
    /// The Engine's words, control characters escaped.
    pub message: String,
    /// What to do about it, where that is known.
    pub hints: Vec<String>,
}

/// Kinds of failures that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No answer: not running, connection lost, TLS or ssh failed.
    Unreachable,
    /// It speaks no API version that we do.
    TooOld,
    /// What was named is not there (404).
    NotFound,
    /// In the way: a name or port is taken, it is in use (409 and their like).
    Conflict,
    /// A registry refused the credential that was sent.
    Refused,
    /// A registry refused the credential that was sent, and said that it is over.
    Expired,
    /// A registry gives no more for now.
    RateLimited,
    /// A registry wants a credential and none was sent.
    CredentialMissing,
    /// A credential was sent to the Engine, and the Engine dropped it.
    CredentialDropped,
    /// A registry could not be reached from the host.
    RegistryUnreachable,
    /// A registry, or what stands before it, answers that it does not work for now (502, 503, 504).
    RegistryUnavailable,
    /// The registry does not have it.
    NoSuchImage,
    /// This Engine has no such call: Podman cannot resolve a reference.
    Unsupported,
    /// Anything else.
    Other,
}

impl EngineError {
    /// A failure with the Engine's words.
    pub fn new(kind: ErrorKind, status: u16, message: &str) -> Self {
        // A wall of text says no more than its beginning.
        let (message, more) = match message.trim().char_indices().nth(LONGEST) {
            Some((end, _)) => (&message.trim()[..end], "…"),
            None => (message.trim(), ""),
        };
        // Several errors of a registry come as a list (distribution, `errcode.Errors`).
        let message = match message.strip_prefix("errors:\n") {
            Some(list) => escaped(&list.replace('\n', "; ")),
            None => escaped(message),
        };
        Self { kind, status, message: message + more, hints: Vec::new() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// As a problem: `what` failed, because of this.
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        let code = match self.kind {
            ErrorKind::Refused
            | ErrorKind::Expired
            | ErrorKind::CredentialMissing
            | ErrorKind::CredentialDropped => Code::Refused,
            ErrorKind::Unreachable => Code::Unreachable,
            _ => Code::Failed,
        };
        let problem = Problem::new(code, what).cause(self.message.clone());
        self.hints.iter().fold(problem, |problem, hint| problem.hint(hint.clone()))
    }
}
