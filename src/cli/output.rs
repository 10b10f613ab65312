//! What is printed where: data to standard output, all else to standard error. A reader that has
//! gone away (`| head`) is no error; a full disk is. `-q` silences everything but data, warnings,
//! errors and questions.

pub(super) mod adopt;
pub(in crate::cli) mod compose;
pub(super) mod credentials;
pub(super) mod desired;
pub(super) mod disk;
pub(super) mod history;
pub(super) mod hosts;
pub(super) mod html;
pub(in crate::cli) mod layout;
pub(in crate::cli) mod locks;
pub(super) mod logs;
pub(super) mod plan;
pub(super) mod progress;
pub(super) mod prometheus;
pub(super) mod runs;
pub(super) mod status;
pub(super) mod style;
pub(in crate::cli) mod table;
pub(super) mod unreachable;
pub(super) mod words;

use crate::problem::escaped_json;
use anstream::{AutoStream, ColorChoice};
use serde::Serialize;
use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `-q`: data, warnings, errors, questions.
    Quiet,
    /// As is.
    Normal,
    /// `-v`: unchanged resources too.
    Verbose,
}

/// Standard output and standard error.
#[derive(Debug)]
pub struct Output {
    /// How much is said.
    pub level: Level,
    /// `--json`: data is one JSON object.
    pub json: bool,
    failed: RefCell<Option<io::Error>>,
    beside_error: RefCell<Option<serde_json::Value>>,
}

impl Output {
    /// Fixes the rules for this run.
    pub fn new(level: Level, json: bool, color: ColorChoice) -> Self {
        color.write_global();
        Self { level, json, failed: RefCell::default(), beside_error: RefCell::default() }
    }

    /// Data, with a final newline.
    pub fn data(&self, text: impl Display) {
        let text = text.to_string();
        let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        self.raw_styled(&format!("{text}{newline}"));
    }

    /// Bytes as they are: a secret, a script.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        self.keep(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// Data as JSON.
    pub fn object(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.bytes(format!("{}\n", escaped_json(&text)).as_bytes()),
            Err(error) => self.keep(Err(error.into())),
        }
    }

    /// Data as JSON; of a command that fails all the same it is printed as one object with the error.
    pub(super) fn object_of(&self, object: serde_json::Value, fails: bool) {
        if fails { self.object_beside_error(object) } else { self.object(&object) }
    }

    /// Data as JSON of a command that fails all the same: printed as one object with the error.
    pub(super) fn object_beside_error(&self, object: serde_json::Value) {
        *self.beside_error.borrow_mut() = Some(object);
    }

    /// Prints an error as JSON, beside the data if there is any.
    pub(super) fn error_object(&self, error: &serde_json::Value) {
        let mut object = self.beside_error.borrow_mut().take().unwrap_or_else(|| serde_json::json!({}));
        for (field, value) in error.as_object().into_iter().flatten() {
            object[field] = value.clone();
        }
        self.object(&object);
    }

    /// Something to know, on standard error; silent with `-q`.
    pub fn say(&self, text: impl Display) {
        if self.level > Level::Quiet {
            self.stderr(format_args!("{text}\n"));
        }
    }

    /// Something to know, only with `-v`.
    pub fn detail(&self, text: impl Display) {
        if self.level == Level::Verbose {
            self.say(text);
        }
    }

    /// Something to worry about, also with `-q`.
    pub fn warn(&self, text: impl Display) {
        let warning = style::WARNING;
        self.stderr(format_args!("{warning}warning:{warning:#} {text}\n"));
    }

    /// Text on standard error as it is.
    pub(super) fn stderr(&self, text: impl Display) {
        let _ = write!(anstream::stderr().lock(), "{text}");
    }

    /// Columns of standard output, if it is a terminal.
    pub fn width(&self) -> Option<usize> {
        width(&io::stdout())
    }

    /// Columns of standard error, if it is a terminal.
    pub fn error_width(&self) -> Option<usize> {
        width(&io::stderr())
    }

    /// What went wrong with standard output, if data was lost; a reader that went away is no loss.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failed.borrow_mut().take()
    }

    fn raw_styled(&self, text: &str) {
        let mut out = AutoStream::auto(io::stdout().lock());
        self.keep(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    fn keep(&self, result: io::Result<()>) {
        if let Err(error) = result
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }
}

/// Columns of a stream, if it is a terminal.
pub(super) fn width(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
