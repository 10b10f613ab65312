//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use tokio::sync::watch;

/// Interrupts, counted; clones are the same one. The first lets nothing new begin and rolls back what is
/// half done; the second stops at once, whatever is half done.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<watch::Sender<u32>>);

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}

impl Interrupt {
    /// None yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// One more.
    pub fn raise(&self) {
        self.0.send_modify(|count| *count = count.saturating_add(1));
    }

    /// Whether there was one.
    pub fn raised(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until it has happened this often.
    pub async fn heard(&self, times: u32) {
        let mut count = self.0.subscribe();
        // The sender lives as long as `self`, so this cannot end early.
        let _ = count.wait_for(|count| *count >= times).await;
    }
}
