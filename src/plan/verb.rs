//! What becomes of a thing, and the symbol for it in a printed plan.

use serde::Serialize;

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// `+`: it is made.
    Create,
    /// `-`: it goes.
    Remove,
    /// `~`: changed in place, started, stopped or renamed.
    Update,
    /// `-/+`: the old one stops before the new one starts.
    ReplaceStopFirst,
    /// `+/-`: the new one runs before the old one stops.
    ReplaceStartFirst,
    /// `=`: nothing to do.
    Unchanged,
    /// `!`: held back.
    Held,
}

impl Verb {
    /// Its symbol in a printed plan.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Remove => "-",
            Self::Update => "~",
            Self::ReplaceStopFirst => "-/+",
            Self::ReplaceStartFirst => "+/-",
            Self::Unchanged => "=",
            Self::Held => "!",
        }
    }
}
