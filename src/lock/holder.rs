//! Who holds a lock, seen by others; giving it back, and breaking it.

use super::ticket::{Row, Run, Ticket, row};
use super::{MARGIN, after};
use crate::engine::{Engine, EngineError};
use crate::name::{HostName, Owner};
use crate::problem::{Problem, Result};

/// How often it is tried to set a free ticket on top of those that a holder renews meanwhile.
const TRIES: u32 = 8;

/// A run that holds a lock now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who started it, as its machine calls them.
    pub who: String,
    /// The machine that it runs on.
    pub from: String,
    /// Its command.
    pub command: String,
    /// Since when, seconds since 1970 by the Engine's clock.
    pub since: i64,
    /// Seconds until its lease is over, if it is not renewed.
    pub left: u32,
    token: String,
}

/// Who holds the lock of a workspace on a host; `None` where it is free, also because its holder is gone.
///
/// # Errors
/// If the Engine fails.
pub async fn holder<E: Engine>(engine: &E, host: &HostName, workspace: &Owner) -> Result<Option<Holder>> {
    Ok(seen(&look(engine, host, workspace).await?).map(|(holder, _)| holder))
}

/// Breaks the lock that a run holds on a host: it changes nothing more, and stops at its next step. `false` where it
/// does not hold it any more.
///
/// # Errors
/// If the Engine fails, or the holder renews it faster than it can be broken.
pub async fn break_lock<E: Engine>(
    engine: &E,
    host: &HostName,
    workspace: &Owner,
    held_by: &Holder,
    run: &Run,
) -> Result<bool> {
    for _ in 0..TRIES {
        let row = look(engine, host, workspace).await?;
        let Some((_, top)) = seen(&row).filter(|(holder, _)| holder.token == held_by.token) else {
            return Ok(false);
        };
        // A renewal may come first: its number is taken then.
        if free_above(engine, &row, &top, host, workspace, run).await? {
            return Ok(true);
        }
    }
    Err(Problem::failed(format!("the lock of host {host} was not broken: its holder renews it")).into())
}

/// Gives back what a run may have of a lock. Fine where it has nothing.
///
/// # Errors
/// If the Engine fails.
pub async fn give_back<E: Engine>(engine: &E, host: &HostName, workspace: &Owner, run: &Run) -> Result<()> {
    // A renewal that was interrupted may still land: then one more is needed on top of it.
    for _ in 0..TRIES {
        let row = look(engine, host, workspace).await?;
        let Some(top) = row.top().filter(|top| top.is_held_by(run)) else { return Ok(()) };
        if free_above(engine, &row, &top, host, workspace, run).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Sets a free ticket above the highest; `false` where another was set there meanwhile.
async fn free_above<E: Engine>(
    engine: &E,
    row: &Row,
    top: &Ticket,
    host: &HostName,
    workspace: &Owner,
    run: &Run,
) -> Result<bool> {
    let free = Ticket::free(workspace, after(top, host)?, run);
    let made = free.create(engine).await.map_err(|error| failed(host, &error))?;
    if made.held {
        return Ok(false);
    }
    row.delete_below(engine, made.number).await;
    Ok(true)
}

async fn look<E: Engine>(engine: &E, host: &HostName, workspace: &Owner) -> Result<Row> {
    Ok(row(engine, workspace).await.map_err(|error| failed(host, &error))?)
}

/// Who holds it, and the ticket that says so.
fn seen(row: &Row) -> Option<(Holder, Ticket)> {
    let top = row.top().filter(|top| top.holds_at(row.now))?;
    let holder = Holder {
        who: top.run.who.clone(),
        from: top.run.from.clone(),
        command: top.run.command.clone(),
        since: top.since,
        token: top.run.token.clone(),
        left: u32::try_from(top.ends() + MARGIN + 1 - row.now).unwrap_or(1).max(1),
    };
    Some((holder, top))
}

fn failed(host: &HostName, error: &EngineError) -> Problem {
    error.problem(format!("the lock of host {host} cannot be read"))
}
