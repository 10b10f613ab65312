//! Errors for the user: one type from the deepest parser to the printer.
//!
//! A [`Problem`] never contains a secret. If there are several errors at once, all of them are
//! collected in [`Problems`] and printed together.

pub mod conflict;
pub mod syntax;

use std::fmt;
use std::sync::Arc;

/// A line of a file of the workspace; printed as `pillar/apps.toml:12`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Path relative to the workspace, with `/` between its parts.
    pub file: Arc<str>,
    /// Counted from 1; 0 where only the file is known.
    pub line: u32,
}

impl Place {
    /// A line of a file, counted from 1.
    pub fn new(file: impl Into<Arc<str>>, line: u32) -> Self {
        Self { file: file.into(), line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", escaped(&self.file)),
            line => write!(f, "{}:{line}", escaped(&self.file)),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The kind of a problem: it picks the exit code (design: Commands, exit codes) and `error.code`
/// in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The command line is wrong. Exit 64.
    Usage,
    /// A question was answered with no, or could not be asked. Exit 9.
    Declined,
    /// Another apply holds the lock of a host. Exit 6.
    Locked,
    /// At least one host was changed, and the rest failed or was rolled back. Exit 3.
    Partial,
    /// A sealed value, a lock or a known key is not valid: tampered with, moved or changed. Exit 8.
    Seal,
    /// No identity that was found opens it. Exit 10.
    NoIdentity,
    /// A registry refused the credential. Exit 7.
    Refused,
    /// The host has changed, so a stored plan is stale. Exit 5.
    Stale,
    /// Interrupted before anything was changed. Exit 130 (or 143).
    Interrupted,
    /// Anything else; no host was changed. Exit 1.
    Failed,
    /// A host cannot be reached; no host was changed. Exit 1.
    Unreachable,
}

impl Code {
    /// The word for JSON `error.code`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Declined => "declined",
            Self::Locked => "locked",
            Self::Partial => "partial",
            Self::Seal => "seal",
            Self::NoIdentity => "no_identity",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub code: Code,
    /// What failed, in one lower-case sentence without a full stop.
    pub what: String,
    /// The line of a file that is wrong, if there is one.
    pub place: Option<Place>,
    /// Why, from near to far; printed as `caused by:`.
    pub causes: Vec<String>,
    /// What to do; complete commands that can be pasted, printed as `hint:`.
    pub hints: Vec<String>,
    /// The host that could not be done because of it, where it is of this one alone.
    pub host: Option<Arc<str>>,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), place: None, causes: Vec::new(), hints: Vec::new(), host: None }
    }

    /// A plain failure (exit 1).
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Code::Failed, what)
    }

    /// An argument of the command line is wrong (exit 64). Errors in files use [`Problem::failed`].
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Code::Usage, what)
    }

    /// Adds the line of the file.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// Says of which host it is, if that is not said yet.
    #[must_use]
    pub fn of(mut self, host: &str) -> Self {
        self.host.get_or_insert_with(|| host.into());
        self
    }

    /// Whether both say the same, of whichever hosts.
    pub fn says_as(&self, other: &Self) -> bool {
        (self.code, &self.what, &self.place) == (other.code, &other.what, &other.place)
            && self.causes == other.causes
            && self.hints == other.hints
    }

    /// Adds a cause; an error's own chain of sources is unrolled.
    #[must_use]
    pub fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds a cause in words.
    #[must_use]
    pub fn cause(mut self, why: impl Into<String>) -> Self {
        self.causes.push(why.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds "did you mean" if one of the known words is near.
    #[must_use]
    pub fn nearest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, known) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}

/// The known word nearest to one that was written, if it is near enough to be a typing error.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Everything that went wrong in one go; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// These and more.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// `Ok` if nothing was collected.
    ///
    /// # Errors
    /// All of `found`, if there are any.
    pub fn check(found: Vec<Problem>) -> Result<()> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// All of them, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Takes them out, to be collected with others.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    /// The one that decides the exit code: the lowest in the order of [`Code`].
    pub fn code(&self) -> Code {
        self.0.iter().map(|problem| problem.code).min().unwrap_or(Code::Failed)
    }

    /// Changes each of them, say to add a hint.
    #[must_use]
    pub fn map(self, change: impl FnMut(Problem) -> Problem) -> Self {
        Self(self.0.into_iter().map(change).collect())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The result of nearly every function of pillarbox.
pub type Result<T, E = Problems> = std::result::Result<T, E>;

/// Text as one argument of a POSIX shell, in single quotes: for commands in hints.
pub fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text).replace('\'', r"'\''"))
}

/// Text from hosts, registries, logs and comments with control characters escaped, so that it
/// cannot move the cursor or hide a line. Newlines and tabs are escaped too.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Text of a program for a terminal: colours stay where they are wanted, and end with the line; what else moves the
/// cursor or hides something is dropped.
pub fn without_controls(text: &str, colours: bool) -> String {
    const ESCAPE: char = '\u{1b}';
    if !text.chars().any(|c| c != '\t' && is_hidden(c)) {
        return text.to_owned();
    }
    let (mut shown, mut coloured) = (String::with_capacity(text.len()), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => shown.push(c),
            ESCAPE if chars.peek() == Some(&'[') => {
                // A control sequence (ECMA-48): parameters, intermediates, one final byte.
                chars.next();
                let mut inner = String::new();
                while let Some(next) = chars.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')) {
                    inner.push(next);
                }
                let last = chars.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
                if last == Some('m')
                    && colours
                    && inner.chars().all(|c| c.is_ascii_digit() || matches!(c, ';' | ':'))
                {
                    shown.extend([ESCAPE, '[']);
                    shown.push_str(&inner);
                    shown.push('m');
                    coloured = true;
                }
            }
            ESCAPE if matches!(chars.peek(), Some(']' | 'P' | 'X' | '^' | '_')) => {
                // A text for the terminal itself, to its end.
                while let Some(next) = chars.next() {
                    match next {
                        '\u{7}' | '\u{9c}' => break,
                        ESCAPE if chars.next_if_eq(&'\\').is_some() => break,
                        _ => {}
                    }
                }
            }
            ESCAPE => drop(chars.next_if(|c| matches!(c, '\u{20}'..='\u{7e}'))),
            c if is_hidden(c) => {}
            c => shown.push(c),
        }
    }
    if coloured {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

/// As [`escaped`] for text of several lines: newlines and tabs stay.
pub fn escaped_lines(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(escaped).collect::<Vec<_>>().join("\t");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// JSON text in which the same characters are written as `\uXXXX`: it reads as the same JSON.
pub fn escaped_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // A newline stands between values; within a text JSON has escaped it already.
        if c == '\n' || !is_hidden(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    }
    shown
}

/// Whether a character moves the cursor, ends a line, turns the order of others around, or takes no room:
/// text with such ones can look like another text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            // Zero width, marks of direction, ends of lines and paragraphs, embeddings and overrides.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            // Tags, and what else is reserved there for characters without a shape.
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_on_a_terminal_keeps_its_colours_and_nothing_else_that_acts() {
        for (text, shown) in [
            ("plain\ttext é", "plain\ttext é"),
            ("\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m\u{1b}[0m"),
            ("\u{1b}[38;5;9mred", "\u{1b}[38;5;9mred\u{1b}[0m"),
            ("a\u{1b}[2Jb\u{1b}[1;1Hc", "abc"),
            ("a\rb\u{8}c\u{7}", "abc"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]52;c;eA==\u{1b}\\c", "abc"),
            ("a\u{1b}P1$r0m\u{9c}b\u{1b}cc", "abc"),
            ("\u{202e}abc\u{200b}", "abc"),
            ("cut \u{1b}[3", "cut "),
            ("\u{9b}31mx", "31mx"),
        ] {
            assert_eq!(without_controls(text, true), shown, "{text:?}");
        }
        assert_eq!(without_controls("\u{1b}[31mred\u{1b}[0m", false), "red");
    }

    #[test]
    fn no_character_that_hides_or_turns_others_is_shown_raw() {
        for c in [
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200d}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206a}',
            '\u{feff}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
        ] {
            let text = format!("a{c}b");
            assert_eq!(escaped(&text), format!("a\\u{{{:x}}}b", u32::from(c)));
            assert_eq!(escaped_lines(&format!("{text}\n\tx")), format!("{}\n\tx", escaped(&text)));
            let json = serde_json::to_string_pretty(&[&text]).expect("JSON");
            let shown = escaped_json(&json);
            assert!(!shown.contains(c), "{shown}");
            assert_eq!(serde_json::from_str::<Vec<String>>(&shown).expect("JSON"), [text]);
        }
        assert_eq!(escaped("Käse 漢字 👍 שלום"), "Käse 漢字 👍 שלום");
    }
}
