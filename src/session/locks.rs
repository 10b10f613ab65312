//! The locks of all hosts of a run: many are taken at once, each is renewed from the moment it is had, and all
//! are held or none.

use super::hosts::{all_or_nothing, at_once};
use crate::engine::Engine;
use crate::execute::{Guard, Interrupt};
use crate::lock::{LEASE, Lock, Run, give_back};
use crate::name::{HostName, Owner};
use crate::problem::{Code, Problem, Problems, Result};
use futures_util::future::join_all;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;
use tokio::sync::SetOnce;
use tokio::time::timeout;

/// How long locks that are being taken are waited for after an interrupt, and giving one back: what then is still
/// held ends by itself.
const LET_GO: Duration = Duration::from_secs(10);

/// The lock of a host, from before it is had.
pub(super) struct HostLock<'a, E> {
    pub(super) host: &'a HostName,
    pub(super) engine: &'a E,
    lock: SetOnce<Lock>,
    state: Cell<State>,
}

/// How far a lock is that is not had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was not asked for.
    Untouched,
    /// It is, or was, being taken.
    Begun,
    /// Another run holds it.
    Locked,
}

/// A lock that is held.
pub(super) struct Held<'a, E> {
    pub(super) lock: &'a Lock,
    engine: &'a E,
}

impl<E: Engine> Guard for Held<'_, E> {
    async fn check(&self) -> Result<()> {
        self.lock.verify(self.engine).await
    }
}

impl<'a, E: Engine> HostLock<'a, E> {
    /// A lock that is not had yet.
    pub(super) fn new(host: &'a HostName, engine: &'a E) -> Self {
        Self { host, engine, lock: SetOnce::new(), state: Cell::new(State::Untouched) }
    }

    /// Whether another run was found to hold it.
    pub(super) fn is_locked(&self) -> bool {
        self.state.get() == State::Locked
    }

    /// Takes it, unless taking is over.
    async fn take_unless(&self, over: &Cell<bool>, workspace: &Owner, run: &Run) -> Result<()> {
        if over.get() {
            return Ok(());
        }
        let taken = self.take(workspace, run).await;
        over.set(over.get() || taken.is_err());
        taken
    }

    async fn take(&self, workspace: &Owner, run: &Run) -> Result<()> {
        self.state.set(State::Begun);
        match Lock::acquire(self.engine, self.host, workspace, run, LEASE).await {
            Ok(lock) => {
                // It is taken once.
                let _ = self.lock.set(lock);
                Ok(())
            }
            Err(problems) => {
                if problems.code() == Code::Locked {
                    self.state.set(State::Locked);
                }
                Err(problems)
            }
        }
    }

    /// Gives it back; also what was taken without that being known, because taking it failed or was cut off.
    async fn release(self, workspace: &Owner, run: &Run) -> Result<()> {
        match (self.lock.into_inner(), self.state.get()) {
            (Some(lock), _) => {
                let host = self.host;
                let late = || Problem::failed(format!("the lock of host {host} cannot be given back now"));
                timeout(LET_GO, lock.release(self.engine)).await.unwrap_or_else(|_| Err(late().into()))
            }
            (None, State::Begun) => {
                let _ = timeout(LET_GO, give_back(self.engine, self.host, workspace, run)).await;
                Ok(())
            }
            (None, State::Untouched | State::Locked) => Ok(()),
        }
    }

    /// Renews it, from when it is had.
    async fn renew(&self) -> Infallible {
        self.lock.wait().await.hold_while(self.engine, pending()).await
    }
}

/// Takes all locks, and does the work while they are held. What was had is still to be released.
///
/// # Errors
/// Where one cannot be had, or taking them is interrupted: then the work is skipped. Those of the work.
pub(super) async fn holding<E: Engine, T>(
    locks: &[HostLock<'_, E>],
    workspace: &Owner,
    run: &Run,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&[Held<'_, E>]) -> Result<T>,
) -> Result<T> {
    let work = async {
        take_or_stop(locks, workspace, run, interrupt).await?;
        let held = locks.iter().filter_map(|one| Some(Held { lock: one.lock.get()?, engine: one.engine }));
        work(&held.collect::<Vec<_>>()).await
    };
    let renewals = async {
        join_all(locks.iter().map(HostLock::renew)).await;
        pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        done = work => done,
        never = renewals => match never {},
    }
}

/// Takes all of them. After an interrupt none is begun, and those that are being taken come to their end, so that it
/// is known what is to be given back.
async fn take_or_stop<E: Engine>(
    locks: &[HostLock<'_, E>],
    workspace: &Owner,
    run: &Run,
    interrupt: &Interrupt,
) -> Result<()> {
    let over = Cell::new(false);
    let mut taking = std::pin::pin!(take(locks, workspace, run, &over));
    tokio::select! {
        biased;
        () = interrupt.heard(1) => {}
        taken = &mut taking => return taken,
    }
    over.set(true);
    tokio::select! {
        biased;
        () = interrupt.heard(2) => {}
        _ = timeout(LET_GO, taking) => {}
    }
    Err(Problem::new(Code::Interrupted, "interrupted before anything was changed").into())
}

async fn take<E: Engine>(
    locks: &[HostLock<'_, E>],
    workspace: &Owner,
    run: &Run,
    over: &Cell<bool>,
) -> Result<()> {
    // Of two runs over the same hosts one gets all, because both begin at the same host. No run waits for a lock
    // while it holds others.
    let (first, others) = locks.split_at(locks.len().min(1));
    for some in [first, others] {
        all_or_nothing(at_once(some.iter().map(|one| one.take_unless(over, workspace, run))).await)?;
    }
    Ok(())
}

/// Gives back all that were had, and says of which that cannot be done: these end by themselves.
pub(super) async fn release<E: Engine>(
    locks: Vec<HostLock<'_, E>>,
    workspace: &Owner,
    run: &Run,
) -> Vec<Problems> {
    let released = at_once(locks.into_iter().map(|one| one.release(workspace, run))).await;
    released.into_iter().filter_map(Result::err).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::name::WorkspaceName;
    use crate::problem::Code;
    use crate::testing::fake::Fake;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    pub(in crate::session) fn fleet(count: usize) -> Vec<(HostName, Fake)> {
        let host = |number| HostName::parse(&format!("web{number}")).expect("a name");
        (0..count).map(|number| (host(number), Fake::new())).collect()
    }

    pub(in crate::session) fn workspace() -> Owner {
        WorkspaceName::parse("shop").expect("a name").into()
    }

    /// A run that works so long, if it gets all locks, and then still has them.
    async fn run(fleet: &[(HostName, Fake)], who: &str, work: Duration) -> Result<Duration> {
        let run = Run::new(who, "laptop", "pillarbox apply").expect("random bits");
        let locks: Vec<_> = fleet.iter().map(|(host, engine)| HostLock::new(host, engine)).collect();
        let began = Instant::now();
        let done = holding(&locks, &workspace(), &run, &Interrupt::new(), async |held| {
            let taken = began.elapsed();
            assert_eq!(held.len(), fleet.len());
            sleep(work).await;
            for one in held {
                one.check().await?;
            }
            Ok(taken)
        })
        .await;
        release(locks, &workspace(), &run).await;
        done
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_hosts_are_locked_long_before_a_lease_is_over() {
        let fleet = fleet(1000);
        for (_, engine) in &fleet {
            engine.slow_down(Duration::from_millis(50));
        }
        let taken = run(&fleet, "alice", Duration::ZERO).await.expect("all are free");
        assert!(taken < Duration::from_secs(u64::from(LEASE) / 10), "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_is_slow_to_lock_does_not_make_the_locks_of_the_others_expire() {
        let fleet = fleet(100);
        fleet[0].1.slow_down(Duration::from_secs(25));
        fleet[50].1.slow_down(Duration::from_secs(40));
        let taken = run(&fleet, "alice", Duration::ZERO).await.expect("all are free");
        assert!(taken > Duration::from_secs(u64::from(LEASE)), "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_one_is_locked_nothing_is_done_and_the_others_are_free_again() {
        let fleet = fleet(200);
        let other = Run::new("bob", "desktop", "pillarbox apply").expect("random bits");
        let (host, engine) = &fleet[130];
        let lock = Lock::acquire(engine, host, &workspace(), &other, LEASE).await.expect("free");
        let refused = run(&fleet, "alice", Duration::ZERO).await.expect_err("bob has one");
        assert_eq!(refused.code(), Code::Locked);
        assert!(refused.to_string().starts_with("host web130 is locked by bob on desktop"), "{refused}");
        lock.release(engine).await.expect("given back");
        run(&fleet, "carol", Duration::ZERO).await.expect("all are free");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_runs_over_the_same_hosts_at_once_one_gets_all_and_the_other_none() {
        let fleet = fleet(100);
        for round in 0..10 {
            for (number, (_, engine)) in fleet.iter().enumerate() {
                engine.slow_down(Duration::from_millis((number as u64 * 7 + round * 13) % 50));
            }
            let work = Duration::from_secs(400);
            let both = tokio::join!(run(&fleet, "alice", work), run(&fleet, "bob", work));
            let ((Ok(_), Err(refused)) | (Err(refused), Ok(_))) = both else {
                panic!("{both:?}");
            };
            assert!(refused.to_string().starts_with("host web0 is locked by"), "{refused}");
        }
    }
}
