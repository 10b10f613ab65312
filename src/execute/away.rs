//! An Engine that does not answer for a moment: it may just be restarted, so what only reads is repeated.

use super::Emit;
use super::interrupt::Interrupt;
use crate::engine::{EngineResult, ErrorKind};
use crate::event::EventKind;
use std::cell::Cell;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long an Engine that does not answer is waited for.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Between two tries.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// What is known of the absences of one Engine.
pub(super) struct Away<'a> {
    emit: Emit<'a>,
    interrupt: &'a Interrupt,
    absences: Cell<u32>,
}

impl<'a> Away<'a> {
    pub(super) fn new(emit: Emit<'a>, interrupt: &'a Interrupt) -> Self {
        Self { emit, interrupt, absences: Cell::new(0) }
    }

    /// How often it did not answer so far.
    pub(super) fn absences(&self) -> u32 {
        self.absences.get()
    }

    /// It does not answer, and is waited for.
    pub(super) fn begin(&self) {
        self.absences.set(self.absences.get() + 1);
        (self.emit)(EventKind::EngineAway);
    }

    /// Reads, again and again while the Engine does not answer; not after an interrupt.
    ///
    /// # Errors
    /// Those of `read`; that it does not answer, where it stays away.
    pub(super) async fn read<T>(&self, read: impl AsyncFn() -> EngineResult<T>) -> EngineResult<T> {
        let began = Instant::now();
        let mut said = false;
        loop {
            match read().await {
                Err(error)
                    if error.kind == ErrorKind::Unreachable
                        && began.elapsed() < TIMEOUT
                        && !self.interrupt.raised() =>
                {
                    if !said {
                        self.begin();
                        said = true;
                    }
                    self.pause().await;
                }
                done => return done,
            }
        }
    }

    /// A pause that ends with an interrupt.
    pub(super) async fn pause(&self) {
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = self.interrupt.heard(1) => {}
        }
    }
}
