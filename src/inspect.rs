//! Answers of an Engine that may hold secrets: environment, commands, log options.

use std::fmt;

/// A value that came from an Engine: compared, never shown or stored. `Debug` is fixed text; there is
/// no `Display` and no `Serialize`.
#[derive(Clone, PartialEq)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps a value from an Engine.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// For comparing with a desired state only.
    pub fn compare(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[from the engine]")
    }
}

/// The whole answer of `GET /containers/{id}/json`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspect(Private<serde_json::Value>);

impl Inspect {
    /// Wraps the answer.
    pub fn new(answer: serde_json::Value) -> Self {
        Self(Private::new(answer))
    }

    /// A field by JSON pointer (RFC 6901), `/HostConfig/Memory`; for comparing with a desired state only.
    pub fn compare(&self, pointer: &str) -> Option<&serde_json::Value> {
        self.0.compare().pointer(pointer)
    }
}
