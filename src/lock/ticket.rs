//! One volume of the row: who, how long, held or free.

use super::MARGIN;
use crate::engine::{Engine, EngineResult, Volume};
use crate::name::Owner;
use crate::problem::{Problem, Result, escaped};
use crate::store::Process;
use std::collections::BTreeMap;
use std::fmt;

const LOCK: &str = "io.pillarbox.lock";
const TOKEN: &str = "io.pillarbox.lock.token";
const STATE: &str = "io.pillarbox.lock.state";
const LEASE: &str = "io.pillarbox.lock.lease";
const SINCE: &str = "io.pillarbox.lock.since";
const WHO: &str = "io.pillarbox.lock.who";
const FROM: &str = "io.pillarbox.lock.from";
const COMMAND: &str = "io.pillarbox.lock.command";
const PROCESS: &str = "io.pillarbox.lock.process";

/// The number of incomplete volumes that are skipped.
const HALF_MADE: usize = 8;

/// A longer lease is read as this one: anyone who can reach the Engine can write labels.
const LONGEST: u32 = 3600;

/// A run of pillarbox that takes locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub(super) token: String,
    pub(super) who: String,
    pub(super) from: String,
    pub(super) command: String,
    pub(super) process: Option<Process>,
}

impl Run {
    /// A new run: `who` started it, on which machine, with which command (without its arguments' values).
    ///
    /// # Errors
    /// If the system gives no random bits.
    pub fn new(who: &str, from: &str, command: &str) -> Result<Self> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits)
            .map_err(|error| Problem::failed("the system gives no random bits").cause(error.to_string()))?;
        let token = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        let process = Process::current();
        Ok(Self { token, who: who.to_owned(), from: from.to_owned(), command: command.to_owned(), process })
    }
}

impl Run {
    /// Whether its process ran on this machine and has ended, so that it can do nothing more.
    pub(super) fn is_gone(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_gone)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", escaped(&self.who), escaped(&self.from))
    }
}

/// One volume of the row.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) workspace: Owner,
    pub(super) number: u64,
    pub(super) run: Run,
    /// Otherwise it was released.
    pub(super) held: bool,
    /// Seconds from its creation.
    pub(super) lease: u32,
    /// When its run took the lock first, seconds since 1970 by the Engine's clock.
    pub(super) since: i64,
    /// The same of this volume; the Engine sets it.
    pub(super) created_at: i64,
}

impl Ticket {
    /// When its lease is over, seconds since 1970 by the Engine's clock.
    pub(super) fn ends(&self) -> i64 {
        self.created_at.saturating_add(i64::from(self.lease))
    }

    /// Whether its run holds the lock at a moment, seconds since 1970 by the Engine's clock.
    pub(super) fn holds_at(&self, now: i64) -> bool {
        self.held && now <= self.ends() + MARGIN && !self.run.is_gone()
    }

    /// Whether it is a run's own.
    pub(super) fn is_held_by(&self, run: &Run) -> bool {
        self.held && self.run.token == run.token
    }

    /// One of a run that gives the lock back, or breaks it.
    pub(super) fn free(workspace: &Owner, number: u64, run: &Run) -> Self {
        let (workspace, run) = (workspace.clone(), run.clone());
        Self { workspace, number, run, held: false, lease: super::LEASE, since: 0, created_at: 0 }
    }

    /// The name of its volume.
    pub(super) fn name(&self) -> String {
        name(&self.workspace, self.number)
    }

    /// Creates it; answers the one that is there then, which may be another's.
    ///
    /// A volume without labels was left behind by an Engine that ended while it created it: the client got
    /// no answer, and no list shows the volume. Its number is skipped; otherwise the lock could never be taken again.
    pub(super) async fn create<E: Engine>(mut self, engine: &E) -> EngineResult<Self> {
        let mut half_made = Vec::new();
        loop {
            let there = self.make(engine).await?;
            if there.run.token.is_empty() && half_made.len() < HALF_MADE {
                half_made.push(name(&self.workspace, self.number));
                self.number += 1;
                continue;
            }
            // Only after a higher one exists: a contender that creates one of them again is not the highest.
            for name in half_made {
                let _ = engine.remove_volume(&name).await;
            }
            return Ok(there);
        }
    }

    async fn make<E: Engine>(&self, engine: &E) -> EngineResult<Self> {
        let mut labels = BTreeMap::from([
            (LOCK.to_owned(), self.workspace.scope()),
            (TOKEN.to_owned(), self.run.token.clone()),
            (STATE.to_owned(), if self.held { "held" } else { "free" }.to_owned()),
            (LEASE.to_owned(), self.lease.to_string()),
            (SINCE.to_owned(), self.since.to_string()),
            (WHO.to_owned(), self.run.who.clone()),
            (FROM.to_owned(), self.run.from.clone()),
            (COMMAND.to_owned(), self.run.command.clone()),
        ]);
        labels.extend(self.run.process.as_ref().map(|process| (PROCESS.to_owned(), process.to_string())));
        let volume = engine.create_volume(&name(&self.workspace, self.number), &labels).await?;
        Ok(Self::read(&self.workspace, self.number, &volume))
    }

    fn read(workspace: &Owner, number: u64, volume: &Volume) -> Self {
        let text = |label: &str| volume.labels.get(label).cloned().unwrap_or_default();
        let run = Run {
            token: text(TOKEN),
            who: text(WHO),
            from: text(FROM),
            command: text(COMMAND),
            process: text(PROCESS).parse().ok(),
        };
        Self {
            workspace: workspace.clone(),
            number,
            run,
            held: text(STATE) != "free",
            lease: text(LEASE).parse().unwrap_or(super::LEASE).min(LONGEST),
            since: text(SINCE).parse().unwrap_or(volume.created_at),
            created_at: volume.created_at,
        }
    }
}

fn name(workspace: &Owner, number: u64) -> String {
    format!("pillarbox-lock.{}.{number:08}", workspace.scope())
}

/// The tickets of a workspace on a host, and when they were listed.
pub(super) struct Row {
    workspace: Owner,
    volumes: BTreeMap<u64, Volume>,
    /// Seconds since 1970 by the Engine's clock, after they were listed: what is not over then was not over before.
    pub(super) now: i64,
}

/// Lists them; volumes with the label and another name are ignored.
pub(super) async fn row<E: Engine>(engine: &E, workspace: &Owner) -> EngineResult<Row> {
    let scope = workspace.scope();
    let (volumes, now) = engine.volumes_at(LOCK, &scope).await?;
    let prefix = format!("pillarbox-lock.{scope}.");
    let numbered = volumes.into_iter().filter_map(|volume| {
        let digits = volume.name.strip_prefix(&prefix)?;
        let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
        Some((number, volume))
    });
    Ok(Row { workspace: workspace.clone(), volumes: numbered.collect(), now })
}

impl Row {
    /// The one that counts.
    pub(super) fn top(&self) -> Option<Ticket> {
        let (number, volume) = self.volumes.last_key_value()?;
        Some(Ticket::read(&self.workspace, *number, volume))
    }

    /// Deletes those that no longer count. One that stays does no harm.
    pub(super) async fn delete_below<E: Engine>(&self, engine: &E, number: u64) {
        for volume in self.volumes.range(..number).map(|(_, volume)| volume) {
            let _ = engine.remove_volume(&volume.name).await;
        }
    }
}
