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

/// What an Engine leaves out of what it says of a container: nothing, if it is Docker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Options that it says nothing of, by name.
    pub unsaid: &'static [&'static str],
    /// It tells neither which mount was declared in which way, nor which of its capabilities were given one by
    /// one, nor all settings of an endpoint: less than declared is a difference, more is none.
    pub partial: bool,
    /// It runs without root and may ignore limits: one that it does not report is no difference.
    pub ignores_limits: bool,
}

/// The whole answer of `GET /containers/{id}/json`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspect {
    answer: Private<serde_json::Value>,
    gaps: Gaps,
}

impl Inspect {
    /// Wraps the answer.
    pub fn new(answer: serde_json::Value) -> Self {
        Self::with_gaps(answer, Gaps::default())
    }

    /// Wraps the answer of an Engine that leaves something out.
    pub fn with_gaps(answer: serde_json::Value, gaps: Gaps) -> Self {
        Self { answer: Private::new(answer), gaps }
    }

    /// What the Engine leaves out.
    pub fn gaps(&self) -> Gaps {
        self.gaps
    }

    /// A field by JSON pointer (RFC 6901), `/HostConfig/Memory`; for comparing with a desired state only.
    pub fn compare(&self, pointer: &str) -> Option<&serde_json::Value> {
        self.answer.compare().pointer(pointer)
    }

    /// The last runs of its health check, the oldest first. Their output may hold secrets: it is shown only without
    /// those of the run.
    pub fn probes(&self) -> Vec<Probe> {
        let log = self.compare("/State/Health/Log").and_then(serde_json::Value::as_array);
        let text =
            |probe: &serde_json::Value, field: &str| probe[field].as_str().unwrap_or_default().to_owned();
        let probe = |probe: &serde_json::Value| Probe {
            ended: text(probe, "End"),
            exit_code: probe["ExitCode"].as_i64().unwrap_or_default(),
            output: Private::new(text(probe, "Output")),
        };
        log.into_iter().flatten().map(probe).collect()
    }
}

/// One run of a health check.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// When it ended, as the Engine prints it.
    pub ended: String,
    /// Its exit code; -1 where it did not end in time.
    pub exit_code: i64,
    /// What it printed.
    pub output: Private<String>,
}
