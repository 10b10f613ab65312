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

/// Ctrl-C, SIGTERM and a hang-up, from now on: none of them ends the process by itself any more.
pub(super) struct Listener {
    #[cfg(unix)]
    all: [tokio::signal::unix::Signal; 3],
}

impl Listener {
    /// Begins to listen; one that comes before it is waited for is kept.
    ///
    /// # Errors
    /// Where the runtime cannot listen for signals.
    pub(super) fn new() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let all = [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ];
            Ok(Self { all })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for one of them.
    pub(super) async fn interrupted(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hangup] = &mut self.all;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => TERMINATED.store(true, Ordering::Relaxed),
                _ = hangup.recv() => TERMINATED.store(true, Ordering::Relaxed),
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
