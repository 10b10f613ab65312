//! Errors of the interpreter, for the user.

use super::functions::is_operator;
use super::log::Log;
use super::python;
use crate::problem::escaped;
use crate::script::Fault;
use crate::script::{CALLS, HEAP, TICKS};
use starlark::codemap::FileSpan;

/// Characters of a line that are shown, and frames of a call stack.
const WIDEST: usize = 160;
const FRAMES: usize = 12;

/// File and line of a span, the line counted from 1.
pub(super) fn place(span: &FileSpan) -> (String, u32) {
    let line = span.resolve_span().begin.line + 1;
    (span.filename().to_owned(), u32::try_from(line).unwrap_or(u32::MAX))
}

/// The line that a span begins in, with its column.
fn excerpt(span: &FileSpan) -> String {
    let begin = span.resolve_span().begin;
    written(span.file.source_line(begin.line), Some(begin.column + 1))
}

/// A line as it is written, with a column if it is known.
pub(super) fn written(line: &str, column: Option<usize>) -> String {
    let shown: String = line.trim().chars().take(WIDEST).collect();
    match column {
        Some(column) => format!("column {column}: {}", escaped(&shown)),
        None => escaped(&shown),
    }
}

/// A fault of pillarbox's own at a place in a file.
pub(super) fn at(what: impl Into<String>, span: Option<&FileSpan>) -> Fault {
    Fault {
        what: what.into(),
        at: span.map(place),
        causes: span.map(excerpt).into_iter().collect(),
        hints: Vec::new(),
    }
}

/// A fault without a span.
pub(super) fn in_file(what: impl Into<String>, file: &str) -> Fault {
    Fault { what: what.into(), at: Some((file.to_owned(), 0)), causes: Vec::new(), hints: Vec::new() }
}

/// An error of the interpreter.
pub(super) fn of(error: &starlark::Error, log: &Log) -> Fault {
    let (hint, now) = {
        let mut entries = log.entries();
        (entries.hint.take(), entries.now.clone())
    };
    let text = error.without_diagnostic().to_string();
    // An error from a limit has no place of its own.
    let mut fault = at(said(&text), error.span().or(now.as_ref()));
    let line = error.span().or(now.as_ref());
    let line = line.map_or("", |span| span.file.source_line(span.resolve_span().begin.line));
    match hint {
        Some(hint) => fault.hints.push(hint),
        None => fault.hints.extend(python::instead(&text, line)),
    }
    let mut last = fault.at.clone().map(|(file, line)| format!("{}:{line}", escaped(&file)));
    let stack = error.call_stack().frames.iter().rev().filter(|frame| !is_operator(&frame.name));
    let mut shown = 0;
    for frame in stack {
        let Some(from) = frame.location.as_ref().map(place) else { continue };
        let from = format!("{}:{}", escaped(&from.0), from.1);
        // A function of the language itself, or the same call again and again.
        if last.as_ref() == Some(&from) {
            continue;
        }
        if shown < FRAMES {
            fault.causes.push(format!("in {}, called at {from}", escaped(&frame.name)));
        }
        (last, shown) = (Some(from), shown + 1);
    }
    fault
}

/// A message on one line; messages about limits are rewritten.
fn said(text: &str) -> String {
    if text.contains("ticks has been exceeded") {
        return format!("it runs for too long: a file may use {TICKS} loop iterations and calls");
    }
    if text.contains("call stack overflow") {
        return format!("functions call each other too deeply: the limit is {CALLS} calls");
    }
    if text.contains("heap limit") || text.contains("emory limit") {
        return format!("it needs too much memory: a file may use {} MiB", HEAP >> 20);
    }
    let text = text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    escaped(&text.chars().take(600).collect::<String>())
}

/// The first secret that was looked into, if one was.
pub(super) fn peeked(log: &Log, error: Option<&starlark::Error>) -> Option<Fault> {
    let entries = log.entries();
    let called = entries.peeked.as_ref()?;
    let what = format!("this looks into the secret `{}`", escaped(called));
    let span = entries.peeked_at.as_ref().or(error.and_then(starlark::Error::span));
    let mut fault = at(what, span);
    fault.causes.push(
        "a secret may be placed, joined with `+`, chosen and encoded; its content is not known while compiling"
            .to_owned(),
    );
    let statement = span.map(|span| span.source_span()).unwrap_or_default();
    let joins = ["%", ".format(", ".join(", "f\"", "f'"].into_iter().any(|sign| statement.contains(sign));
    if joins {
        let mut keys = called.split('.');
        let mut written = keys.next().unwrap_or_default().to_owned();
        keys.for_each(|key| written.push_str(&format!("[\"{key}\"]")));
        let hint = format!("join it with `+`: \"…\" + {} + \"…\"", escaped(&written));
        fault.hints.push(hint);
    }
    fault.hints.push(
        "encode with urlencode(…), b64encode(…) or tojson(…); ask whether it exists with pillar.has(\"a:b\")"
            .to_owned(),
    );
    Some(fault)
}
