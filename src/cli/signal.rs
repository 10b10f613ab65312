//! Ctrl-C and SIGTERM: the first asks the running apply to begin nothing new.

use std::sync::atomic::{AtomicBool, Ordering};

static TERMINATED: AtomicBool = AtomicBool::new(false);

/// Whether it was SIGTERM that interrupted us: the exit code tells the two apart.
pub(super) fn terminated() -> bool {
    TERMINATED.load(Ordering::Relaxed)
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// Where the runtime cannot listen for signals.
pub(super) async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => TERMINATED.store(true, Ordering::Relaxed),
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
