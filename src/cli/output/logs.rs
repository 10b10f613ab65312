//! Lines of logs: with the replica before each where there are several, and harmless on a terminal.

use crate::engine::Channel;
use crate::execute::Redactor;
use crate::logs::Line;
use crate::name::HostName;
use crate::observe::Replica;
use crate::problem::{Problem, Result, escaped, escaped_json, without_controls};
use anstyle::{AnsiColor, Style};
use regex::bytes::Regex;
use serde_json::json;
use std::io::{self, Write};

/// How lines are shown.
#[derive(Default)]
pub(in crate::cli) struct Shown {
    /// With the time.
    pub(in crate::cli) times: bool,
    /// With the replica, where there are several.
    pub(in crate::cli) prefix: bool,
    /// As JSON, one object a line.
    pub(in crate::cli) json: bool,
    /// A person reads them.
    pub(in crate::cli) terminal: bool,
    /// Only those that match.
    pub(in crate::cli) grep: Option<Regex>,
    /// Secrets that are replaced.
    pub(in crate::cli) redactor: Option<Redactor>,
}

/// Colours of replicas, in their order.
const COLOURS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Red,
];

/// A replica whose lines are shown.
struct Told {
    host: String,
    service: String,
    container: String,
    index: u32,
    prefix: String,
}

/// Writes lines to standard output.
pub(in crate::cli) struct Printer {
    shown: Shown,
    coloured: bool,
    streams: Vec<Told>,
    width: usize,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
}

/// So much is written at once.
const FULL: usize = 64 << 10;

impl Printer {
    pub(in crate::cli) fn new(shown: Shown) -> Self {
        let coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Self { shown, coloured, streams: Vec::new(), width: 0, buffer: Vec::new(), failed: None }
    }

    /// One more replica.
    pub(in crate::cli) fn stream(&mut self, host: &HostName, replica: &Replica) {
        let container = escaped(&replica.title());
        let prefix = format!("{host}/{container}");
        self.width = self.width.max(prefix.chars().count());
        self.streams.push(Told {
            host: host.to_string(),
            service: replica.service.clone(),
            container: replica.name.clone(),
            index: replica.index,
            prefix,
        });
    }

    /// A line of a replica.
    pub(in crate::cli) fn line(&mut self, at: usize, line: &Line) {
        let redactor = self.shown.redactor.as_ref();
        let hidden = redactor.and_then(|redactor| redactor.hide(&String::from_utf8_lossy(&line.text)));
        let hidden = hidden.map(|text| Line { text: text.into_bytes(), ..line.clone() });
        let line = hidden.as_ref().unwrap_or(line);
        if self.shown.grep.as_ref().is_some_and(|grep| !grep.is_match(&line.text)) {
            return;
        }
        if self.shown.json {
            self.object(at, line);
        } else {
            self.text(at, line);
        }
        if self.buffer.len() >= FULL {
            self.flush();
        }
    }

    fn object(&mut self, at: usize, line: &Line) {
        let told = &self.streams[at];
        let stream = if line.from == Channel::Stderr { "stderr" } else { "stdout" };
        let object = json!({
            "host": told.host,
            "service": told.service,
            "container": told.container,
            "index": told.index,
            "stream": stream,
            "time": line.time.map(|time| format!("{time:.9}")),
            "text": String::from_utf8_lossy(&line.text),
        });
        self.buffer.extend_from_slice(escaped_json(&object.to_string()).as_bytes());
        self.buffer.push(b'\n');
    }

    fn text(&mut self, at: usize, line: &Line) {
        if self.shown.prefix && self.streams.len() > 1 {
            let told = &self.streams[at];
            let style = match self.coloured {
                true => COLOURS[at % COLOURS.len()].on_default(),
                false => Style::new(),
            };
            let _ = write!(self.buffer, "{style}{:width$} |{style:#} ", told.prefix, width = self.width);
        }
        if self.shown.times
            && let Some(time) = line.time
        {
            let _ = write!(self.buffer, "{time:.9} ");
        }
        if self.shown.terminal {
            let text = String::from_utf8_lossy(&line.text);
            self.buffer.extend_from_slice(without_controls(&text, self.coloured).as_bytes());
        } else {
            self.buffer.extend_from_slice(&line.text);
        }
        self.buffer.push(b'\n');
    }

    /// Writes what is there.
    pub(in crate::cli) fn flush(&mut self) {
        if self.buffer.is_empty() || self.failed.is_some() {
            return;
        }
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.buffer).and_then(|()| out.flush());
        self.buffer.clear();
        self.failed = written.err();
    }

    /// Whether what is read can be written no more.
    pub(in crate::cli) fn is_over(&self) -> bool {
        self.failed.is_some()
    }

    /// How writing went; a reader that went away is no error.
    pub(in crate::cli) fn result(&self) -> Result<()> {
        match &self.failed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Problem::failed("could not write to standard output").because(error).into())
            }
            _ => Ok(()),
        }
    }
}
