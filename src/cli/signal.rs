//! Ctrl-C and SIGTERM.

use crate::execute::Interrupt;
use crate::problem::{Problem, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static TERMINATED: AtomicBool = AtomicBool::new(false);

/// Whether it was SIGTERM that interrupted us: the exit code tells the two apart.
pub(super) fn terminated() -> bool {
    TERMINATED.load(Ordering::Relaxed)
}

/// Raises `interrupt` at every Ctrl-C, SIGTERM and hang-up from now on, for as long as the runtime lives.
///
/// # Errors
/// Where the runtime cannot listen for signals.
#[cfg(unix)]
pub(super) fn listen(interrupt: &Interrupt) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
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

#[cfg(not(unix))]
pub(super) fn listen(interrupt: &Interrupt) -> Result<()> {
    let interrupt = interrupt.clone();
    drop(tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            interrupt.raise();
        }
    }));
    Ok(())
}
