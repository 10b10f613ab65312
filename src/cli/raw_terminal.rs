//! The terminal while it belongs to a process in a container: every key goes there, and afterwards it is as it was,
//! also after a panic.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{self, Read as _};
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// How it was.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Until it is dropped, every key is handed on as it is typed, and nothing is echoed.
pub(super) struct RawMode(());

impl RawMode {
    /// Begins it on standard input.
    ///
    /// # Errors
    /// Where that is no terminal.
    pub(super) fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).inspect_err(|_| restore())?;
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal what it was, if it is not.
pub(super) fn restore() {
    // A panic may hold the lock; then there is nothing that could be done twice.
    let before = match BEFORE.try_lock() {
        Ok(mut before) => before.take(),
        Err(_) => None,
    };
    if let Some(before) = before {
        // Not what was typed meanwhile: it was meant for the other side.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
    }
}

/// Rows and columns of the terminal.
pub(super) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// What comes on standard input, until it ends. It is read in a thread: a file cannot be waited for, and a thread can
/// be left behind.
pub(super) fn input() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        let mut input = io::stdin().lock();
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => {
                    if sender.blocking_send(buffer[..read].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    receiver
}

/// Finds `~.` at the beginning of a line, which leaves the process; `~~` is one `~`. As ssh does it.
pub(super) struct Escape {
    line_begins: bool,
    tilde: bool,
}

impl Escape {
    /// At the beginning of a line.
    pub(super) fn new() -> Self {
        Self { line_begins: true, tilde: false }
    }

    /// What is handed on of some keys; `None` where they leave.
    pub(super) fn pass(&mut self, keys: &[u8]) -> Option<Vec<u8>> {
        let mut passed = Vec::with_capacity(keys.len() + 1);
        for &key in keys {
            if std::mem::take(&mut self.tilde) {
                match key {
                    b'.' => return None,
                    b'~' => {}
                    _ => passed.push(b'~'),
                }
                passed.push(key);
            } else if self.line_begins && key == b'~' {
                self.tilde = true;
                continue;
            } else {
                passed.push(key);
            }
            self.line_begins = matches!(key, b'\r' | b'\n');
        }
        Some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(parts: &[&str]) -> Option<String> {
        let mut escape = Escape::new();
        let mut all = Vec::new();
        for part in parts {
            all.extend(escape.pass(part.as_bytes())?);
        }
        Some(String::from_utf8(all).expect("text"))
    }

    #[test]
    fn a_tilde_and_a_point_leave_only_at_the_beginning_of_a_line() {
        for leaves in [&["~."][..], &["ls\r~."], &["a\n", "~", "."], &["~a\r~."]] {
            assert_eq!(passed(leaves), None, "{leaves:?}");
        }
        for (typed, arrives) in [
            (&["cd ~.\r"][..], "cd ~.\r"),
            (&["~~."], "~."),
            (&["~", "x"], "~x"),
            (&["a~", "."], "a~."),
            (&["~\r"], "~\r"),
            (&["\u{3}\u{10}\u{11}"], "\u{3}\u{10}\u{11}"),
        ] {
            assert_eq!(passed(typed).as_deref(), Some(arrives), "{typed:?}");
        }
    }
}
