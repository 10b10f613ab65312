//! A registry that gives nothing for now is left in peace by all hosts of a run, and then asked again by each at a
//! moment of its own.

use super::EngineError;
use super::jitter::between;
use super::patience::{PATIENCE, passes};
use std::cell::Cell;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often a registry refuses without having given anything in between, until it is not asked again.
const REFUSALS: u32 = 5;

/// The shortest of the first pause where a registry does not say how long; each is twice the one before.
const FIRST: Duration = Duration::from_secs(2);

/// The pauses of one registry in a run.
#[derive(Debug, Default)]
pub struct Pause {
    current: Cell<Current>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Current {
    began: Option<Instant>,
    time: Duration,
    refusals: u32,
}

/// What a pull does that a registry refused for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// It waits, as all others do, from now on so long.
    Begun(Duration),
    /// It waits with others that were refused before.
    Already,
}

impl Pause {
    /// Waits until there is none, and then a little, so that not all come back at once.
    pub async fn over(&self) {
        loop {
            let Current { began, time, .. } = self.current.get();
            let Some(end) = began.map(|began| began + time).filter(|end| *end > Instant::now()) else {
                return;
            };
            sleep_until(end + between(Duration::ZERO, time / 2)).await;
        }
    }

    /// A registry refused what it was asked for at a moment. `None` where it is not asked again: that would not help,
    /// or it was asked often enough.
    pub fn refused(&self, error: &EngineError, asked: Instant) -> Option<Paused> {
        if !passes(error) {
            return None;
        }
        let mut current = self.current.get();
        if current.refusals >= REFUSALS {
            return None;
        }
        // Asked before the pause that others began meanwhile.
        if current.began.is_some_and(|began| asked <= began) {
            return Some(Paused::Already);
        }
        current.refusals += 1;
        let own = FIRST * (1 << (current.refusals - 1));
        let time = error.retry_after().map_or_else(|| between(own, own + own / 2), |said| said.max(FIRST));
        let goes_on = current.refusals < REFUSALS && time <= PATIENCE;
        (current.began, current.time) = (Some(Instant::now()), if goes_on { time } else { Duration::ZERO });
        if !goes_on {
            current.refusals = REFUSALS;
        }
        self.current.set(current);
        goes_on.then_some(Paused::Begun(time))
    }

    /// It gave something.
    pub fn gave(&self) {
        self.current.set(Current { refusals: 0, ..self.current.get() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ErrorKind;
    use futures_util::future::join_all;
    use std::cell::RefCell;
    use tokio::time::sleep;

    fn error(kind: ErrorKind, words: &str) -> EngineError {
        EngineError::new(kind, 500, words)
    }

    /// A pull that is asked for until it succeeds or is given up; the moments at which it was asked for.
    async fn pull(
        pause: &Pause,
        open: impl Fn(Duration) -> bool,
        words: &str,
        asked: &RefCell<Vec<Duration>>,
    ) -> bool {
        let start = *STARTS.get_or_init(Instant::now);
        loop {
            pause.over().await;
            let now = Instant::now();
            asked.borrow_mut().push(now - start);
            sleep(Duration::from_millis(50)).await;
            if open(now - start) {
                pause.gave();
                return true;
            }
            if pause.refused(&error(ErrorKind::RateLimited, words), now).is_none() {
                return false;
            }
        }
    }

    static STARTS: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_limits_for_half_a_minute_fails_no_pull_and_is_not_asked_in_lockstep() {
        let (pause, asked) = (Pause::default(), RefCell::new(Vec::new()));
        let pulls = (0..64).map(|_| pull(&pause, |at| at > Duration::from_secs(30), "429", &asked));
        assert!(join_all(pulls).await.into_iter().all(|done| done));
        let asked = asked.into_inner();
        assert!(asked.len() <= 64 * 6, "{}", asked.len());
        let later: std::collections::BTreeSet<u128> =
            asked.iter().filter(|at| at.as_secs() > 1).map(Duration::as_millis).collect();
        assert!(later.len() > 40, "{later:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stays_away_is_asked_five_times_and_later_pulls_once() {
        let (pause, asked) = (Pause::default(), RefCell::new(Vec::new()));
        assert!(!pull(&pause, |_| false, "503", &asked).await);
        assert_eq!(asked.borrow().len(), 5);
        let spent = asked.borrow()[4] - asked.borrow()[0];
        assert!((30..=70).contains(&spent.as_secs()), "{spent:?}");
        for _ in 0..10 {
            assert!(!pull(&pause, |_| false, "503", &asked).await);
        }
        assert_eq!(asked.borrow().len(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_waited_as_long_as_the_registry_says_and_not_for_hours() {
        let refused =
            |words: &str| Pause::default().refused(&error(ErrorKind::RateLimited, words), Instant::now());
        let seconds = Duration::from_secs;
        assert_eq!(refused("toomanyrequests: retry-after: 20s"), Some(Paused::Begun(seconds(20))));
        assert_eq!(refused("toomanyrequests: retry-after: 300 s"), None);
        assert_eq!(refused("toomanyrequests: You have reached your pull rate limit."), None);
        let own = |kind| Pause::default().refused(&error(kind, "no"), Instant::now());
        assert!(matches!(own(ErrorKind::RegistryUnavailable), Some(Paused::Begun(_))));
        assert_eq!((own(ErrorKind::Refused), own(ErrorKind::NoSuchImage)), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_what_was_asked_before_a_pause_do_not_lengthen_it() {
        let pause = Pause::default();
        let asked = Instant::now();
        sleep(Duration::from_millis(10)).await;
        let limited = error(ErrorKind::RateLimited, "429");
        assert!(matches!(pause.refused(&limited, asked), Some(Paused::Begun(_))));
        for _ in 0..100 {
            assert_eq!(pause.refused(&limited, asked), Some(Paused::Already));
        }
        pause.gave();
        pause.over().await;
        assert!(
            matches!(pause.refused(&limited, Instant::now()), Some(Paused::Begun(time)) if time.as_secs() < 4)
        );
    }
}
