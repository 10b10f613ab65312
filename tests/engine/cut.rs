//! A command that is disturbed once it has printed so many lines of progress.

use crate::env::Run;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command};

/// How it ended.
pub(crate) struct Cut {
    /// Its exit code; -1 if it was killed.
    pub(crate) code: i32,
    /// What it said, errors first.
    pub(crate) said: String,
}

/// Does something to a command, or to what it needs, once it has printed `lines` lines of progress; `None`
/// if it ended before that.
pub(crate) fn cut(command: Run, lines: usize, disturb: impl FnOnce(&Child)) -> Option<Cut> {
    let mut child = command.spawn();
    drop(child.stdin.take());
    let stdout = child.stdout.take().expect("its output");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = BufReader::new(stdout).read_to_string(&mut text);
        text
    });
    let mut stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let mut said = String::new();
    let seen = (0..lines).all(|_| stderr.read_line(&mut said).is_ok_and(|read| read > 0));
    if seen {
        disturb(&child);
    }
    let _ = stderr.read_to_string(&mut said);
    let code = child.wait().expect("it ends").code().unwrap_or(-1);
    said.push_str(&reader.join().expect("its output"));
    seen.then_some(Cut { code, said })
}

/// Kills it there.
pub(crate) fn killed(command: Run, lines: usize) -> Option<Cut> {
    cut(command, lines, |child| signal(child, "KILL"))
}

/// Sends a signal to a process of this test.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill").success());
}
