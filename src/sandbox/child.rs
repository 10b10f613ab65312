//! Starting the child and hearing it out.

use super::WORD;
use crate::problem::escaped;
use crate::process::{self, Child, End, Inherited, Limits, Output};
use crate::script::Request;
use std::io;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// Bytes of an answer.
pub(super) const MOST: usize = 64 << 20;

/// Bytes of its last words.
const WORDS: usize = 4096;

/// How it ended, for people.
pub(super) fn ended(end: &End) -> String {
    match end {
        End::Exit(code) => format!("the child that runs Starlark ended with {code}"),
        end if is_processor_time(end) => {
            "the child that runs Starlark used all its processor time".to_owned()
        }
        End::Signal(9) => {
            "the child that runs Starlark was killed: by somebody, or because the machine has no memory left"
                .to_owned()
        }
        End::Signal(signal) => format!("the child that runs Starlark was ended by signal {signal}"),
        End::TookTooLong => "the child that runs Starlark took too long".to_owned(),
        End::TooMuch => "the child that runs Starlark said too much".to_owned(),
        End::Lost(error) => format!("the child that runs Starlark cannot be started: {error}"),
    }
}

/// Whether it used more than its processor time.
pub(super) fn is_processor_time(end: &End) -> bool {
    matches!(end, End::Signal(signal) if *signal == rustix::process::Signal::XCPU.as_raw())
}

/// The end of its standard error, in lines for people.
pub(super) fn last_words(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.err);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| escaped(&line.chars().take(300).collect::<String>())).collect();
    lines[lines.len().saturating_sub(5)..].to_vec()
}

/// Runs a child to its end, at most so long.
pub(super) fn run(program: &Path, request: &Request, limit: Duration) -> (End, Output) {
    match start(program, request) {
        Ok(child) => child.finish(limit),
        Err(error) => (End::Lost(error), Output::default()),
    }
}

fn start(program: &Path, request: &Request) -> io::Result<Child> {
    let input = Zeroizing::new(serde_json::to_vec(request)?);
    let mut command = process::command(program, Inherited::Nothing);
    Child::start(command.arg(WORD), input, Limits { out: MOST, err: WORDS })
}
