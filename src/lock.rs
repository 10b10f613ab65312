//! One changing apply per workspace and host.
//!
//! The lock is a row of volumes `pillarbox-lock.<workspace>.<n>` (`<workspace>.<id>` where it always had an id) on the Engine itself: creating a volume
//! whose name exists answers the old one with its first labels, which is compare-and-set without an
//! image or a process. The highest `n` counts. All time is the Engine's: the `Date` of its answers
//! against the volume's creation, never the clock of the client, which may be wrong or suspended.
//!
//! - acquire: held, not over, and not by a process of this machine that is gone: locked. Else create `n+1`; it must bear our token, and still be the
//!   highest when all are listed again; then delete the lower ones.
//! - renew, about every third of the lease, each lock at a moment of its own: the same with our own token.
//! - release: `n+1` marked free. The last one stays, or numbers would repeat and let a slow contender in.
//! - before every changing call: the highest must be our own and not expired; with less than a third of the lease left
//!   it is renewed first.
//! - break: `n+1` marked free, by another run than the holder's, which then finds that the highest is not its own.
//!
//! No cleanup is needed after a crash: a lease expires by itself. A lock that was pruned is lost.

mod holder;
mod ticket;

use crate::engine::{Engine, EngineError, between};
use crate::name::{HostName, Owner};
use crate::problem::{Code, Problem, Result, escaped, quoted};
use std::time::Duration;
use ticket::{Row, Ticket, row};

pub use holder::{Holder, break_lock, give_back, holder};
pub use ticket::Run;

/// Seconds for which a lock is taken.
pub const LEASE: u32 = 180;

/// `Date` and creation are whole seconds: what is within one of the end counts for the other side.
const MARGIN: i64 = 1;

/// When a lock is renewed, in parts of its lease: between 50 and 65 seconds of 180.
const RENEWED: (f64, f64) = (50.0 / 180.0, 65.0 / 180.0);

/// The highest number of a row; room is left for those that are passed over.
const HIGHEST: u64 = u64::MAX - 16;

/// The lock of a host, held until its lease is over; dropping it without [`Lock::release`] is what a
/// crash does.
#[derive(Debug)]
pub struct Lock {
    host: HostName,
    workspace: Owner,
    run: Run,
    lease: u32,
    since: i64,
    left_by: Option<Run>,
}

impl Lock {
    /// Takes the lock of a workspace on a host for `lease` seconds.
    ///
    /// # Errors
    /// `Locked` with the holder; if the Engine fails; if it is an Engine that this run has
    /// locked under another name.
    pub async fn acquire<E: Engine>(
        engine: &E,
        host: &HostName,
        workspace: &Owner,
        run: &Run,
        lease: u32,
    ) -> Result<Self> {
        let failed = |error: EngineError| error.problem(format!("host {host} cannot be locked"));
        let before = row(engine, workspace).await.map_err(failed)?;
        let (top, now) = (before.top(), before.now);
        if let Some(top) = top.as_ref().filter(|top| top.held) {
            if top.run.token == run.token {
                let what = format!("host {host} is the Engine of another host of this run");
                return Err(Problem::failed(what).hint("keep one of the two hosts in pillarbox.toml").into());
            }
            if top.holds_at(now) {
                return Err(locked(host, top, now).into());
            }
        }
        let lock = Self {
            host: host.clone(),
            workspace: workspace.clone(),
            run: run.clone(),
            lease,
            since: now,
            left_by: top.as_ref().filter(|top| top.held).map(|top| top.run.clone()),
        };
        let number = top.map_or(Ok(1), |top| after(&top, host))?;
        let made = lock.ticket(number).create(engine).await.map_err(failed)?;
        if made.run.token != run.token {
            return Err(locked(host, &made, now).into());
        }
        let number = made.number;
        let after = row(engine, workspace).await.map_err(failed)?;
        match after.top() {
            Some(top) if top.number == number && top.run.token == run.token => {}
            Some(top) => return Err(locked(host, &top, now).into()),
            None => return Err(lock.lost("it was removed at once").into()),
        }
        after.delete_below(engine, number).await;
        Ok(lock)
    }

    /// The run that held it and never released it, because its process or its lease ended.
    pub fn left_by(&self) -> Option<&Run> {
        self.left_by.as_ref()
    }

    /// Makes sure, just before a changing call, that the lock is still held, and long enough for that call.
    ///
    /// # Errors
    /// `Stale` if it is not: nothing more may be changed.
    pub async fn verify<E: Engine>(&self, engine: &E) -> Result<()> {
        let enough = i64::from(self.lease / 3);
        if self.left(engine).await? < enough {
            self.renew(engine).await?;
            if self.left(engine).await? < enough {
                return Err(self.lost("too little of its time is left, and it cannot be renewed").into());
            }
        }
        Ok(())
    }

    /// Seconds for which it is held for sure.
    ///
    /// # Errors
    /// `Stale` if there are none.
    async fn left<E: Engine>(&self, engine: &E) -> Result<i64> {
        let (top, row) = self.mine(engine).await?;
        let left = top.ends() - MARGIN - row.now;
        if left <= 0 {
            return Err(self.lost("it has expired").into());
        }
        Ok(left)
    }

    /// Takes it for another lease.
    ///
    /// # Errors
    /// `Stale` if it is lost.
    pub async fn renew<E: Engine>(&self, engine: &E) -> Result<()> {
        let (top, _) = self.mine(engine).await?;
        let number = after(&top, &self.host)?;
        let made = self.ticket(number).create(engine).await.map_err(|error| self.failed(&error))?;
        if made.run.token != self.run.token || !made.held {
            return Err(self.taken(&made).into());
        }
        let (top, row) = self.mine(engine).await?;
        row.delete_below(engine, top.number).await;
        Ok(())
    }

    /// Releases it.
    ///
    /// # Errors
    /// If the Engine fails. A lost lock need not be released: that is not an error.
    pub async fn release<E: Engine>(self, engine: &E) -> Result<()> {
        give_back(engine, &self.host, &self.workspace, &self.run).await
    }

    /// Runs something that may take longer than the lease, and renews meanwhile, each lock at a moment of its own. The
    /// next [`Lock::verify`] finds a renewal that failed.
    pub async fn hold_while<E: Engine, T>(&self, engine: &E, work: impl Future<Output = T>) -> T {
        let lease = Duration::from_secs(self.lease.into());
        let (soonest, latest) = (lease.mul_f64(RENEWED.0), lease.mul_f64(RENEWED.1));
        let mut work = std::pin::pin!(work);
        let mut pause = between(soonest, latest);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(pause) => {}
            }
            pause = tokio::select! {
                biased;
                done = &mut work => return done,
                renewed = self.renew(engine) => match renewed {
                    Ok(()) => between(soonest, latest),
                    Err(_) => soonest / 5,
                },
            };
        }
    }

    /// The highest, if it is ours.
    async fn mine<E: Engine>(&self, engine: &E) -> Result<(Ticket, Row)> {
        let row = row(engine, &self.workspace).await.map_err(|error| self.failed(&error))?;
        match row.top() {
            Some(top) if top.is_held_by(&self.run) => Ok((top, row)),
            Some(top) => Err(self.taken(&top).into()),
            None => Err(self.lost("it was removed, for example by `docker volume prune`").into()),
        }
    }

    fn ticket(&self, number: u64) -> Ticket {
        Ticket {
            workspace: self.workspace.clone(),
            number,
            run: self.run.clone(),
            held: true,
            lease: self.lease,
            since: self.since,
            created_at: 0,
        }
    }

    fn failed(&self, error: &EngineError) -> Problem {
        error.problem(format!("the lock of host {} cannot be read", self.host))
    }

    fn lost(&self, why: &str) -> Problem {
        Problem::new(Code::Stale, format!("the lock of host {} is lost: no more changes are made", self.host))
            .cause(why)
            .hint("plan again: pillarbox plan")
    }

    fn taken(&self, by: &Ticket) -> Problem {
        self.lost(&match by.held {
            true => format!("{} took it over", by.run),
            false => format!("{} broke it with `{}`", by.run, escaped(&by.run.command)),
        })
    }
}

/// The number that follows. The last one there is was never ours: numbers must not begin again, or a contender
/// that was slow would get in.
fn after(top: &Ticket, host: &HostName) -> Result<u64> {
    top.number.checked_add(1).filter(|number| *number <= HIGHEST).ok_or_else(|| {
        let volume = top.name();
        Problem::failed(format!("host {host} cannot be locked: its volume {volume} leaves no number free"))
            .cause("pillarbox counts by one, so another program made it")
            .hint(format!("if nothing is being deployed there: docker volume rm {}", quoted(&volume)))
            .into()
    })
}

fn locked(host: &HostName, by: &Ticket, now: i64) -> Problem {
    let since = jiff::Timestamp::from_second(by.since).map(|since| since.to_string()).unwrap_or_default();
    let ends = (by.ends() + MARGIN + 1 - now).max(1);
    Problem::new(Code::Locked, format!("host {host} is locked by {} since {since}", by.run))
        .cause(format!("it runs `{}`", escaped(&by.run.command)))
        .hint("wait for it: --lock-wait 10m")
        .hint(format!("if it crashed, its lock expires within {ends} seconds"))
}

#[cfg(test)]
mod tests;
