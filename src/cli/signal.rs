//! Ctrl-C and SIGTERM.

use crate::execute::Interrupt;
use crate::problem::{Problem, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};

static TERMINATED: AtomicBool = AtomicBool::new(false);

/// Whether it was SIGTERM that interrupted us: the exit code tells the two apart.
pub(super) fn terminated() -> bool {
    TERMINATED.load(Ordering::Relaxed)
}

/// Raises `interrupt` at every Ctrl-C, SIGTERM and hang-up from now on, for as long as the runtime lives.
///
/// # Errors
/// Where the runtime cannot listen for signals.
pub(super) fn listen(interrupt: &Interrupt) -> Result<()> {
    for (kind, terminates) in
        [(SignalKind::interrupt(), false), (SignalKind::terminate(), true), (SignalKind::hangup(), true)]
    {
        let mut signals =
            signal(kind).map_err(|error| Problem::failed("cannot listen for signals").because(&error))?;
        let interrupt = interrupt.clone();
        drop(tokio::spawn(async move {
            while signals.recv().await.is_some() {
                TERMINATED.fetch_or(terminates, Ordering::Relaxed);
                interrupt.raise();
            }
        }));
    }
    Ok(())
}

/// Ctrl-C, SIGTERM and a hang-up, from now on: none of them ends the process by itself any more.
pub(super) struct Listener {
    all: [Signal; 3],
}

impl Listener {
    /// Begins to listen; one that comes before it is waited for is kept.
    ///
    /// # Errors
    /// Where the runtime cannot listen for signals.
    pub(super) fn new() -> std::io::Result<Self> {
        let all = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { all })
    }

    /// Waits for one of them.
    pub(super) async fn interrupted(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.all;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => TERMINATED.store(true, Ordering::Relaxed),
            _ = hangup.recv() => TERMINATED.store(true, Ordering::Relaxed),
        }
    }
}
