//! How many logins are under way at once, and when one that was dropped is tried again.

use crate::engine::between;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Behind one jump host or sshd: each login takes 0.1 s of processor time at both ends, and an sshd drops logins at
/// random from the tenth that is not through yet (`MaxStartups 10:30:100`).
const BEHIND_ONE: usize = 8;

/// In all, unless it was set otherwise.
const IN_ALL: usize = 32;

/// How often a login that was dropped is tried again.
const RETRIES: u32 = 4;

static ALL: OnceLock<Semaphore> = OnceLock::new();
static BEHIND: Mutex<BTreeMap<String, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

/// Sets how many logins over ssh may be under way at once in this process; the first to do so, before any login.
pub fn limit_logins(at_once: usize) {
    let _ = ALL.set(Semaphore::new(at_once.max(1)));
}

/// A login that may be under way, until it is dropped.
pub(super) struct Turn {
    _behind: Option<OwnedSemaphorePermit>,
    _of_all: Option<SemaphorePermit<'static>>,
}

/// Waits until a login through this jump host or sshd may begin.
pub(super) async fn turn(through: &str) -> Turn {
    let behind = {
        let mut all = BEHIND.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(through.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(BEHIND_ONE))))
    };
    // The semaphores are never closed: without a place there is no wait. Who waits for the jump host takes no place
    // of all.
    let behind = behind.acquire_owned().await.ok();
    Turn { _behind: behind, _of_all: ALL.get_or_init(|| Semaphore::new(IN_ALL)).acquire().await.ok() }
}

/// How long is waited before a login that was dropped is tried again, after so many tries: longer each time, and never
/// at the same moment as others. `None` where it is not tried again.
pub(super) fn pause(tries: u32) -> Option<Duration> {
    let shortest = Duration::from_secs(1 << tries.saturating_sub(1).min(RETRIES));
    (1..=RETRIES).contains(&tries).then(|| between(shortest, shortest * 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn at_most_eight_are_under_way_behind_one_and_others_do_not_wait_for_them() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let login = async |through: &str| {
            let _turn = turn(through).await;
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            sleep(Duration::from_secs(1)).await;
            now.set(now.get() - 1);
        };
        futures_util::future::join_all((0..100).map(|_| login("jump.example.com"))).await;
        assert_eq!(most.replace(0), BEHIND_ONE);
        let hosts: Vec<String> = (0..100).map(|number| format!("10.0.0.{number}:22")).collect();
        futures_util::future::join_all(hosts.iter().map(|host| login(host))).await;
        assert_eq!(most.get(), IN_ALL);
    }

    #[test]
    fn a_dropped_login_is_tried_four_times_more_and_later_each_time() {
        let bounds = [(1, 2), (2, 4), (4, 8), (8, 16)];
        for (tries, (shortest, longest)) in (1..).zip(bounds) {
            let pause = pause(tries).expect("again");
            assert!((shortest..=longest).contains(&pause.as_secs()), "{tries}: {pause:?}");
        }
        assert_eq!((pause(0), pause(5), pause(u32::MAX)), (None, None, None));
    }
}
