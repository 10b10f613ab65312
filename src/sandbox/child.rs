//! Starting the child and hearing it out, in bounded time and space.

use super::WORD;
use crate::problem::escaped;
use crate::script::Request;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Bytes of an answer.
pub(super) const MOST: usize = 64 << 20;

/// Bytes of its last words.
const WORDS: usize = 4096;

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    /// With this code.
    Exit(i32),
    /// It used more than its processor time.
    Processor,
    /// By this signal.
    Signal(i32),
    /// It was killed: its time was over.
    TookTooLong,
    /// It was killed: it said more than [`MOST`].
    TooMuch,
    /// It cannot be started or waited for.
    Lost(io::Error),
}

impl End {
    /// For people.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Exit(code) => format!("the child that runs Starlark ended with {code}"),
            Self::Processor => "the child that runs Starlark used all its processor time".to_owned(),
            Self::Signal(9) => {
                "the child that runs Starlark was killed: by somebody, or because the machine has no memory left"
                    .to_owned()
            }
            Self::Signal(signal) => format!("the child that runs Starlark was ended by signal {signal}"),
            Self::TookTooLong => "the child that runs Starlark took too long".to_owned(),
            Self::TooMuch => "the child that runs Starlark said too much".to_owned(),
            Self::Lost(error) => format!("the child that runs Starlark cannot be started: {error}"),
        }
    }
}

/// What it said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) out: Zeroizing<Vec<u8>>,
    err: Zeroizing<Vec<u8>>,
}

impl Said {
    /// The end of its standard error, in lines for people.
    pub(super) fn last_words(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.err);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> =
            lines.map(|line| escaped(&line.chars().take(300).collect::<String>())).collect();
        lines[lines.len().saturating_sub(5)..].to_vec()
    }
}

/// Wiped: of an import it holds secrets.
type Shared = Arc<Mutex<Zeroizing<Vec<u8>>>>;

/// Runs a child to its end, at most so long.
pub(super) fn run(program: &Path, request: &Request, limit: Duration) -> (End, Said) {
    let input = match serde_json::to_vec(request) {
        Ok(input) => Zeroizing::new(input),
        Err(error) => return (End::Lost(error.into()), Said::default()),
    };
    let mut command = Command::new(program);
    command.arg(WORD).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    command.current_dir("/");
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return (End::Lost(error), Said::default()),
    };
    let deadline = Instant::now() + limit;
    let (sender, ended) = channel::<()>();
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends without reading is judged by how it ends.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let (out, err) = (Shared::default(), Shared::default());
    if let Some(stdout) = child.stdout.take() {
        let (out, sender) = (out.clone(), sender.clone());
        std::thread::spawn(move || {
            read(stdout, &out, |all, more| {
                all.extend_from_slice(more);
                all.len() <= MOST
            });
            drop(sender);
        });
    }
    if let Some(stderr) = child.stderr.take() {
        let err = err.clone();
        std::thread::spawn(move || {
            read(stderr, &err, |all, more| {
                all.extend_from_slice(more);
                let over = all.len().saturating_sub(WORDS);
                all.drain(..over);
                true
            });
            drop(sender);
        });
    }
    let heard_out = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match ended.recv_timeout(left) {
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
            Ok(()) => {}
        }
    };
    let take = |shared: &Shared| std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner));
    let too_much = out.lock().unwrap_or_else(PoisonError::into_inner).len() > MOST;
    // Both streams are closed: it ends at once, or does so on purpose.
    let status = match heard_out && !too_much {
        true => until(&mut child, deadline),
        false => Ok(None),
    };
    let end = match status {
        Ok(Some(status)) => of(status),
        Ok(None) => {
            let _ = child.kill();
            let _ = child.wait();
            if too_much { End::TooMuch } else { End::TookTooLong }
        }
        Err(error) => End::Lost(error),
    };
    (end, Said { out: take(&out), err: take(&err) })
}

fn until(child: &mut std::process::Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn read(mut from: impl Read, into: &Shared, add: impl Fn(&mut Vec<u8>, &[u8]) -> bool) {
    let mut buffer = vec![0u8; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                let mut all = into.lock().unwrap_or_else(PoisonError::into_inner);
                if !add(&mut all, &buffer[..count]) {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn of(status: ExitStatus) -> End {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        match status.signal() {
            Some(signal) if signal == rustix::process::Signal::XCPU.as_raw() => return End::Processor,
            Some(signal) => return End::Signal(signal),
            None => {}
        }
    }
    End::Exit(status.code().unwrap_or(-1))
}
