//! A child with bounded output and a bounded time, in a process group of its own.

use super::said::{KEPT, MOST, Said};
use std::io::{self, Read, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Our own variables: a key, and the ways to one.
const OURS: [&str; 6] = [
    "PILLARBOX_AGE_KEY",
    "PILLARBOX_IDENTITY",
    "PILLARBOX_WORKSPACE",
    "PILLARBOX_KNOWN",
    "PILLARBOX_STRICT",
    "PILLARBOX_NO_KEYRING",
];
/// How often a child is looked at that closes nothing.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a child that has ended may leave its output open to others (an agent in its background).
const GRACE: Duration = Duration::from_millis(500);

/// How a child ended.
pub(super) enum End {
    /// With this code.
    Exit(i32),
    /// By a signal.
    Signal(String),
    /// It was killed: its time was over.
    TookTooLong,
    /// It was killed: it wrote more than [`MOST`].
    TooMuch,
    /// It cannot be waited for.
    Lost(io::Error),
}

/// A running child.
pub(super) struct Child {
    child: std::process::Child,
    group: Group,
    out: Stream,
    err: Stream,
    ended: Receiver<()>,
}

/// What a stream has said until now.
#[derive(Clone, Default)]
struct Stream(Arc<Mutex<Zeroizing<Vec<u8>>>>);

impl Stream {
    fn add(&self, bytes: &[u8], keep: Keep) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keep {
            Keep::First(most) => {
                if all.capacity() == 0 {
                    // At once: a buffer that grows leaves copies behind that nobody wipes.
                    all.reserve_exact(most);
                }
                let fits = bytes.len().min(most - all.len());
                all.extend_from_slice(&bytes[..fits]);
                fits == bytes.len()
            }
            Keep::Last(most) => {
                all.extend_from_slice(bytes);
                let over = all.len().saturating_sub(most);
                all.drain(..over);
                true
            }
        }
    }

    fn take(&self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How much of a stream is kept.
#[derive(Clone, Copy)]
enum Keep {
    First(usize),
    Last(usize),
}

/// The process group of a child, until it is over.
#[derive(Clone)]
struct Group(Arc<Mutex<Option<u32>>>);

impl Group {
    /// Kills all of it. Not after its leader was waited for: the number may be somebody else's then.
    fn kill(&self) {
        let leader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        if let Some(pid) = leader.and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed())) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        drop(leader);
    }

    fn is_over(&self, child: &mut std::process::Child) -> io::Result<Option<ExitStatus>> {
        let mut leader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let status = child.try_wait()?;
        if status.is_some() {
            *leader = None;
        }
        Ok(status)
    }
}

/// Kills a child that still runs when this is dropped.
pub struct Stopper(Group);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Child {
    /// Starts a program of `PATH` with one argument and this text on its standard input.
    pub(super) fn start(program: &str, argument: &str, input: &str) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in OURS {
            command.env_remove(name);
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            command.current_dir("/").process_group(0);
        }
        let mut child = command.spawn()?;
        let group = Group(Arc::new(Mutex::new(Some(child.id()))));
        let (out, err) = (Stream::default(), Stream::default());
        let (sender, ended) = channel();
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // One that ends without reading is judged by what it says.
            std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        }
        if let Some(stdout) = child.stdout.take() {
            let (out, sender) = (out.clone(), sender.clone());
            std::thread::spawn(move || {
                read(stdout, &out, Keep::First(MOST + 1));
                drop(sender);
            });
        }
        if let Some(stderr) = child.stderr.take() {
            let err = err.clone();
            std::thread::spawn(move || {
                read(stderr, &err, Keep::Last(KEPT));
                drop(sender);
            });
        }
        Ok(Self { child, group, out, err, ended })
    }

    /// Kills it when the answer is dropped, if it still runs then.
    pub(super) fn stopper(&self) -> Stopper {
        Stopper(self.group.clone())
    }

    /// Waits until it has ended and said everything, at most so long.
    pub(super) fn finish(mut self, limit: Duration) -> (End, Said) {
        let end = self.wait(Instant::now() + limit);
        let (out, err) = (self.out.take(), self.err.take());
        (if out.len() > MOST { End::TooMuch } else { end }, Said { out, err })
    }

    fn wait(&mut self, deadline: Instant) -> End {
        let mut quiet = false;
        let mut until = deadline;
        let mut status = None;
        loop {
            let now = Instant::now();
            if status.is_none() {
                match self.group.is_over(&mut self.child) {
                    Ok(Some(done)) => {
                        status = Some(done);
                        until = deadline.min(now + GRACE);
                    }
                    Ok(None) => {}
                    Err(error) => return End::Lost(error),
                }
            }
            let too_much = self.out.0.lock().unwrap_or_else(PoisonError::into_inner).len() > MOST;
            match status {
                Some(status) if quiet || now >= until => return of(status),
                None if now >= until || too_much => {
                    self.group.kill();
                    #[cfg(not(unix))]
                    drop(self.child.kill());
                    while let Ok(None) = self.group.is_over(&mut self.child) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    return End::TookTooLong;
                }
                _ => {}
            }
            if quiet {
                // Both streams are closed: it ends at once, or does so on purpose.
                std::thread::sleep(Duration::from_millis(1));
            } else {
                let pause = PAUSE.min(until.saturating_duration_since(now));
                quiet = self.ended.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected);
            }
        }
    }
}

/// Reads to the end, or to what is too much.
fn read(mut from: impl Read, into: &Stream, keep: Keep) {
    let mut buffer = Zeroizing::new([0u8; 8192]);
    loop {
        match from.read(&mut *buffer) {
            Ok(0) => return,
            Ok(count) if !into.add(&buffer[..count], keep) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn of(status: ExitStatus) -> End {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return End::Signal(signal.to_string());
        }
    }
    End::Exit(status.code().unwrap_or(-1))
}
