//! Colours: few, and everything is readable without them.

use crate::plan::Verb;
use anstyle::{AnsiColor, Style};

pub(in crate::cli) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(in crate::cli) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(in crate::cli) const CAUSE: Style = AnsiColor::Red.on_default();
pub(in crate::cli) const HINT: Style = AnsiColor::Cyan.on_default();
pub(in crate::cli) const HOST: Style = Style::new().bold();
pub(in crate::cli) const FAINT: Style = Style::new().dimmed();
pub(in crate::cli) const PLAIN: Style = Style::new();
pub(in crate::cli) const GOOD: Style = AnsiColor::Green.on_default();

/// The colour of a line of a difference, by its sign.
pub(in crate::cli) fn diff(sign: char) -> Style {
    match sign {
        '+' => AnsiColor::Green.on_default(),
        '-' => AnsiColor::Red.on_default(),
        '@' => AnsiColor::Cyan.on_default(),
        _ => PLAIN,
    }
}

/// The colour of a change.
pub(in crate::cli) fn verb(verb: Verb) -> Style {
    match verb {
        Verb::Create => AnsiColor::Green.on_default(),
        Verb::Remove => AnsiColor::Red.on_default(),
        Verb::Update => AnsiColor::Yellow.on_default(),
        Verb::ReplaceStopFirst | Verb::ReplaceStartFirst => AnsiColor::Magenta.on_default(),
        Verb::Unchanged => FAINT,
        Verb::Held => WARNING,
    }
}
