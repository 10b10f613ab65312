//! How much of an answer is read, and for how long: an Engine may be broken, or another one than was meant.

use std::time::Duration;

/// The bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Bytes of the answer.
    pub(super) bytes: usize,
    /// How long nothing may come: until the answer begins, and between two pieces of it.
    pub(super) silence: Duration,
    /// From the request to the end of the answer.
    pub(super) total: Duration,
}

/// How long a call may take that does its work before it answers.
const WORK: Duration = Duration::from_secs(120);
/// How long an Engine may take to say that it is there.
const FIRST: Duration = Duration::from_secs(15);
/// How long an Engine may be silent that talks to a registry.
const REGISTRY: Duration = Duration::from_secs(600);
/// What may take as long as it takes: a stop with the container's own timeout, a pull.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What has no end of its own.
const EVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Bounds {
    /// The first call to an Engine: who accepts a connection and says nothing is given up soon.
    pub(super) const FIRST: Self = Self { silence: FIRST, total: FIRST, ..Self::SHORT };
    /// A call that changes something, and most others.
    pub(super) const SHORT: Self = Self { bytes: 1 << 20, silence: WORK, total: Duration::from_secs(240) };
    /// Everything about one resource, and lists that are kept as they came.
    pub(super) const WHOLE: Self = Self { bytes: 16 << 20, ..Self::SHORT };
    /// Lists of which a few fields are kept.
    pub(super) const LIST: Self = Self { bytes: 32 << 20, ..Self::SHORT };
    /// A question that the Engine passes on to a registry.
    pub(super) const REGISTRY: Self =
        Self { silence: REGISTRY, total: Duration::from_secs(900), ..Self::SHORT };
    /// The stream of a pull.
    pub(super) const PULL: Self = Self { bytes: 256 << 20, silence: REGISTRY, total: DAY };
    /// A stop that has no timeout of its own here: the container's may be long.
    pub(super) const STOP: Self = Self { silence: DAY, total: DAY, ..Self::SHORT };
    /// The last lines of a log; what is more is not read.
    pub(super) const LOG: Self = Self { bytes: 4 << 20, ..Self::SHORT };
    /// The words of a refusal; what is more is not read.
    pub(super) const WORDS: usize = 64 << 10;

    /// The same for work that may take so long in addition.
    pub(super) fn and(self, more: Duration) -> Self {
        Self { silence: self.silence + more, total: self.total + more, ..self }
    }

    /// An answer that goes on and is handed on as it comes; one that is followed may be silent.
    pub(super) fn of_stream(follow: bool) -> Self {
        let silence = if follow { EVER } else { WORK };
        Self { bytes: usize::MAX, silence, total: EVER }
    }

    /// Output that is thrown away, until its time is over.
    pub(super) fn of_output(total: Duration) -> Self {
        Self { bytes: usize::MAX, silence: total, total }
    }
}
