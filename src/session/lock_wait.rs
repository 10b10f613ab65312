//! Waiting for locks that other runs hold. A run that waits holds nothing: no two can wait for each other. Hosts may
//! be others afterwards than those that were planned for, so what was to be done is planned again.

use super::locks::{Held, HostLock, holding, release};
use super::operator::Operator;
use super::pipeline::{Pipeline, unless_interrupted};
use crate::engine::{Engine, between};
use crate::execute::Interrupt;
use crate::lock::{Holder, LEASE, Run, holder};
use crate::name::Owner;
use crate::problem::{Code, Problems, Result, escaped};
use std::cell::Cell;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How soon one looks again, at a random moment between the two.
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));

/// How often it is said that a lock is waited for.
const SAID: Duration = Duration::from_secs(15);

/// For how long locks of other runs are waited for in one run of a command.
#[derive(Debug, Default)]
pub struct LockWait {
    time: Duration,
    began: Cell<Option<Instant>>,
    said: Cell<Option<Instant>>,
}

impl LockWait {
    /// For so long in all, from the first lock that is refused; for no time, they are not waited for.
    pub fn new(time: Duration) -> Self {
        Self { time, ..Self::default() }
    }

    /// Waits until none of the locks that were refused is held any more, one after another.
    ///
    /// # Errors
    /// What they were refused with, where nothing is waited for any more or another thing went wrong; where a host
    /// does not answer; [`Code::Interrupted`].
    async fn until_free<E: Engine>(
        &self,
        locks: &[HostLock<'_, E>],
        workspace: &Owner,
        refused: Problems,
        operator: &dyn Operator,
        interrupt: &Interrupt,
    ) -> Result<()> {
        if self.time.is_zero() || refused.iter().any(|problem| problem.code != Code::Locked) {
            return Err(refused);
        }
        let began = self.began.get().unwrap_or_else(Instant::now);
        self.began.set(Some(began));
        let end = began + self.time;
        let waiting = async {
            for lock in locks.iter().filter(|lock| lock.is_locked()) {
                let mut looked = false;
                loop {
                    match holder(lock.engine, lock.host, workspace).await? {
                        None if looked => break,
                        None => {}
                        Some(_) if Instant::now() >= end => {
                            return Err(refused.clone().map(|problem| {
                                let time = humantime::format_duration(self.time);
                                problem.cause(format!("it was waited for, for {time}"))
                            }));
                        }
                        Some(holder) => self.say(lock, &holder, end, operator),
                    }
                    looked = true;
                    let pause = Instant::now() + between(AGAIN.0, AGAIN.1);
                    sleep_until(pause.min(end)).await;
                }
            }
            Ok(())
        };
        unless_interrupted(interrupt, waiting).await
    }

    fn say<E>(&self, lock: &HostLock<'_, E>, holder: &Holder, end: Instant, operator: &dyn Operator) {
        let now = Instant::now();
        if self.said.get().is_some_and(|said| now < said + SAID) {
            return;
        }
        self.said.set(Some(now));
        let left = Duration::from_secs((end - now).as_secs().max(1));
        operator.say(format_args!(
            "host {} is locked: {} on {} runs `{}`; waiting for it, at most {}",
            lock.host,
            escaped(&holder.who),
            escaped(&holder.from),
            escaped(&holder.command),
            humantime::format_duration(left)
        ));
    }
}

impl Pipeline<'_> {
    /// Does the work while all of these locks are held, and gives them back; `command` as it is named to people.
    /// `None`: other runs held some of them, and were waited for. What is to be done is to be planned again then.
    ///
    /// # Errors
    /// Where a lock cannot be had, or taking them is interrupted: then the work is skipped. Those of the work.
    pub(super) async fn under_locks<E: Engine, T>(
        &self,
        locks: Vec<HostLock<'_, E>>,
        command: &str,
        work: impl AsyncFnOnce(&[Held<'_, E>]) -> Result<T>,
    ) -> Result<Option<T>> {
        let (session, workspace) = (self.vault.session(), self.vault.owner());
        let run = Run::new(&session.env.user, &session.env.machine, &format!("pillarbox {command}"))?;
        let operator = session.operator.as_ref();
        under_locks(locks, (workspace, &run), self.lock_wait, (operator, self.interrupt), work).await
    }
}

async fn under_locks<E: Engine, T>(
    locks: Vec<HostLock<'_, E>>,
    (workspace, run): (&Owner, &Run),
    wait: Option<&LockWait>,
    (operator, interrupt): (&dyn Operator, &Interrupt),
    work: impl AsyncFnOnce(&[Held<'_, E>]) -> Result<T>,
) -> Result<Option<T>> {
    let done = holding(&locks, workspace, run, interrupt, work).await;
    let (refused, had): (Vec<_>, Vec<_>) = locks.into_iter().partition(HostLock::is_locked);
    for problems in release(had, workspace, run).await {
        operator.warn(format_args!("{problems}; it ends by itself within {LEASE} seconds"));
    }
    match (done, wait) {
        (Ok(done), _) => Ok(Some(done)),
        (Err(problems), Some(wait)) if problems.code() == Code::Locked => {
            wait.until_free(&refused, workspace, problems, operator, interrupt).await?;
            Ok(None)
        }
        (Err(problems), _) => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::Guard as _;
    use crate::name::HostName;
    use crate::session::locks::tests::{fleet, workspace};
    use crate::session::operator::NoOperator;
    use crate::testing::fake::Fake;
    use std::cell::RefCell;
    use tokio::time::sleep;

    /// A run that works so long under all locks; answers how often it had to wait for others.
    async fn run(
        fleet: &[(HostName, Fake)],
        who: &str,
        work: Duration,
        wait: Duration,
        interrupt: &Interrupt,
    ) -> Result<u32> {
        let run = Run::new(who, "laptop", "pillarbox apply").expect("random bits");
        let (workspace, wait) = (workspace(), LockWait::new(wait));
        for waited in 0.. {
            let locks = fleet.iter().map(|(host, engine)| HostLock::new(host, engine)).collect();
            let people: (&dyn Operator, &Interrupt) = (&NoOperator, interrupt);
            let done = under_locks(locks, (&workspace, &run), Some(&wait), people, async |held| {
                sleep(work).await;
                for one in held {
                    one.check().await?;
                }
                Ok(())
            });
            if done.await?.is_some() {
                return Ok(waited);
            }
        }
        unreachable!("it ends with its work")
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn two_runs_over_a_thousand_hosts_that_wait_for_each_other_both_end() {
        let fleet = fleet(1000);
        for (_, engine) in &fleet {
            engine.slow_down(Duration::from_millis(50));
        }
        let (calm, work) = (Interrupt::new(), Duration::from_secs(400));
        let both =
            tokio::join!(run(&fleet, "alice", work, HOUR, &calm), run(&fleet, "bob", work, HOUR, &calm),);
        let waited = [both.0.expect("done"), both.1.expect("done")];
        assert!(waited.contains(&0) && waited.iter().any(|times| *times > 0), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn runs_over_overlapping_hosts_all_end_whatever_their_order() {
        let fleet = fleet(60);
        for (number, (_, engine)) in fleet.iter().enumerate() {
            engine.slow_down(Duration::from_millis((number as u64 * 7) % 50));
        }
        let (calm, work) = (Interrupt::new(), Duration::from_secs(30));
        let parts = [&fleet[..40], &fleet[20..], &fleet[10..30], &fleet[..]];
        let runs = parts.iter().map(|part| run(part, "someone", work, HOUR, &calm));
        for waited in futures_util::future::join_all(runs).await {
            waited.expect("done");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_is_waited_for_as_long_as_it_was_asked_and_no_longer() {
        let fleet = fleet(3);
        let (calm, began) = (Interrupt::new(), Instant::now());
        let work = Duration::from_secs(600);
        let both = tokio::join!(run(&fleet, "alice", work, HOUR, &calm), async {
            sleep(Duration::from_secs(5)).await;
            let refused = run(&fleet, "bob", work, Duration::from_secs(90), &calm).await;
            (refused.expect_err("alice has them"), began.elapsed().as_secs())
        },);
        both.0.expect("undisturbed");
        let (refused, after) = both.1;
        assert_eq!(refused.code(), Code::Locked);
        let problem = refused.iter().next().expect("one");
        assert!(problem.causes.contains(&"it was waited for, for 1m 30s".to_owned()), "{problem:?}");
        assert!((95..97).contains(&after), "{after}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_is_refused_at_once() {
        let fleet = fleet(2);
        let (calm, began) = (Interrupt::new(), Instant::now());
        let both = tokio::join!(run(&fleet, "alice", HOUR, Duration::ZERO, &calm), async {
            sleep(Duration::from_secs(1)).await;
            (run(&fleet, "bob", HOUR, Duration::ZERO, &calm).await, began.elapsed())
        },);
        assert_eq!(both.1.0.expect_err("locked").code(), Code::Locked);
        assert!(both.1.1 < Duration::from_secs(2), "{:?}", both.1.1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupt_ends_the_wait_and_gives_nothing_away() {
        let fleet = fleet(3);
        let (calm, stopped) = (Interrupt::new(), Interrupt::new());
        let both = tokio::join!(
            run(&fleet, "alice", Duration::from_secs(300), HOUR, &calm),
            run(&fleet, "bob", Duration::ZERO, HOUR, &stopped),
            async {
                sleep(Duration::from_secs(60)).await;
                stopped.raise();
            },
        );
        both.0.expect("undisturbed");
        assert_eq!(both.1.expect_err("interrupted").code(), Code::Interrupted);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupt_while_locks_are_taken_gives_all_of_them_back() {
        for after in [0, 30, 170, 600] {
            let fleet = fleet(300);
            for (_, engine) in &fleet {
                engine.slow_down(Duration::from_millis(50));
            }
            // The lock of one host takes longer than it is waited for.
            fleet[40].1.slow_down(Duration::from_secs(3));
            let stopped = Interrupt::new();
            let worked = RefCell::new(false);
            let (done, ()) = tokio::join!(
                async {
                    let done = run(&fleet, "alice", HOUR, HOUR, &stopped).await;
                    *worked.borrow_mut() = done.is_ok();
                    done
                },
                async {
                    sleep(Duration::from_millis(after)).await;
                    stopped.raise();
                },
            );
            assert_eq!(done.expect_err("interrupted").code(), Code::Interrupted);
            assert!(!*worked.borrow());
            for (host, engine) in &fleet {
                assert_eq!(holder(engine, host, &workspace()).await.expect("read"), None, "{host}, {after}");
            }
        }
    }
}
