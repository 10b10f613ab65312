//! A child with bounded output and a bounded time, in a process group of its own.

use std::io::{self, Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How often a child is looked at that closes nothing.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a child that has ended may leave its output open to others (an agent in its background).
const GRACE: Duration = Duration::from_millis(500);

/// Bytes of a buffer that is made at once; larger outputs grow.
const AT_ONCE: usize = 1 << 20;

/// How a child ended.
#[derive(Debug)]
pub enum End {
    /// With this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed: its time was over.
    TookTooLong,
    /// It was killed: it wrote more than [`Limits::out`].
    TooMuch,
    /// It cannot be started or waited for.
    Lost(io::Error),
}

/// Space of a child.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of standard output that are read, the first ones.
    pub out: usize,
    /// Bytes of standard error that are kept, the last ones.
    pub err: usize,
}

/// What a child wrote, wiped when it is not needed any more.
#[derive(Debug, Default)]
pub struct Output {
    /// Standard output.
    pub out: Zeroizing<Vec<u8>>,
    /// The end of standard error.
    pub err: Zeroizing<Vec<u8>>,
}

/// A running child.
pub struct Child {
    child: std::process::Child,
    group: Group,
    out: Stream,
    err: Stream,
    limits: Limits,
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
                    // At once: a buffer that grows leaves copies behind that are not wiped.
                    all.reserve_exact(most.min(AT_ONCE));
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
    /// Kills all of it. Not after its leader was waited for: the number may belong to another process then.
    fn kill(&self) {
        let leader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = leader.and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed())) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
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
    /// Starts a command of [`super::command`] with this on its standard input.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(command: &mut Command, input: Zeroizing<Vec<u8>>, limits: Limits) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let group = Group(Arc::new(Mutex::new(Some(child.id()))));
        let (out, err) = (Stream::default(), Stream::default());
        let (sender, ended) = channel();
        if let Some(mut stdin) = child.stdin.take() {
            // One that ends without reading is judged by what it says.
            std::thread::spawn(move || drop(stdin.write_all(&input)));
        }
        if let Some(stdout) = child.stdout.take() {
            let (out, sender) = (out.clone(), sender.clone());
            std::thread::spawn(move || {
                read(stdout, &out, Keep::First(limits.out + 1));
                drop(sender);
            });
        }
        if let Some(stderr) = child.stderr.take() {
            let err = err.clone();
            std::thread::spawn(move || {
                read(stderr, &err, Keep::Last(limits.err));
                drop(sender);
            });
        }
        Ok(Self { child, group, out, err, limits, ended })
    }

    /// Kills it when the answer is dropped, if it still runs then.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.group.clone())
    }

    /// Waits until it has ended and said everything, at most so long.
    pub fn finish(mut self, limit: Duration) -> (End, Output) {
        let end = self.wait(Instant::now() + limit);
        let (out, err) = (self.out.take(), self.err.take());
        (end, Output { out, err })
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
                    // It is no child of ours any more, and its number may be another's: nothing is killed.
                    Err(error) => return End::Lost(error),
                }
            }
            let too_much = self.out.0.lock().unwrap_or_else(PoisonError::into_inner).len() > self.limits.out;
            match status {
                Some(status) if quiet || now >= until => {
                    return if too_much { End::TooMuch } else { of(status) };
                }
                None if now >= until || too_much => {
                    self.group.kill();
                    while let Ok(None) = self.group.is_over(&mut self.child) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    return if too_much { End::TooMuch } else { End::TookTooLong };
                }
                _ => {}
            }
            if quiet {
                // Both streams are closed: it ends at once, or does so on purpose.
                std::thread::sleep(Duration::from_micros(200));
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
    match status.signal() {
        Some(signal) => End::Signal(signal),
        None => End::Exit(status.code().unwrap_or(-1)),
    }
}
