//! One look at the lock for all calls that ask for it at the same time.

use super::Guard;
use crate::problem::Result;
use std::cell::Cell;
use tokio::sync::Mutex;

/// The lock of a host, asked for by many groups. A look that was begun before it was asked for counts for
/// none of them: those that ask while one is in progress share the next one.
pub(super) struct LockCheck<'a, G> {
    guard: &'a G,
    begun: Cell<u64>,
    /// The number of the look that ended last, and what it found.
    last: Mutex<(u64, Result<()>)>,
}

impl<'a, G: Guard> LockCheck<'a, G> {
    pub(super) fn new(guard: &'a G) -> Self {
        Self { guard, begun: Cell::new(0), last: Mutex::new((0, Ok(()))) }
    }

    /// Whether the lock is still ours.
    ///
    /// # Errors
    /// Those of [`Guard::check`].
    pub(super) async fn check(&self) -> Result<()> {
        let asked_after = self.begun.get();
        let mut last = self.last.lock().await;
        if last.0 > asked_after {
            return last.1.clone();
        }
        let number = self.begun.get() + 1;
        self.begun.set(number);
        let found = self.guard.check().await;
        *last = (number, found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Code, Problem};
    use tokio::join;

    /// Takes a moment, and is lost at the third look.
    struct Slow(Cell<u32>);

    impl Guard for Slow {
        async fn check(&self) -> Result<()> {
            self.0.set(self.0.get() + 1);
            let lost = self.0.get() == 3;
            tokio::task::yield_now().await;
            if lost { Err(Problem::new(Code::Stale, "lost").into()) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn those_that_ask_during_a_look_share_the_next_one_and_never_an_older_one() {
        let guard = Slow(Cell::new(0));
        let lock = LockCheck::new(&guard);
        let (first, second, third, fourth) = join!(lock.check(), lock.check(), lock.check(), lock.check());
        assert!(first.is_ok() && second.is_ok() && third.is_ok() && fourth.is_ok());
        assert_eq!(guard.0.get(), 2, "one for the first, one for the three that came meanwhile");
        assert!(lock.check().await.is_err(), "asked anew, never taken from before");
        assert!(lock.check().await.is_ok());
    }
}
