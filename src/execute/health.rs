//! Waiting for a container to work: its health check if it has one, else that it stays up.

mod probe;

use super::call::Caller;
use crate::engine::{Engine, EngineError, Inspected};
use crate::observed::{Health, HealthCheck, RunState};
use probe::Probes;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at a container, at first and in the end.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// What counts as working.
pub(super) struct Wanted {
    /// Without a health check: seconds that it must run.
    pub(super) monitor: u32,
    /// With a health check: seconds within which it must become healthy.
    pub(super) timeout: u32,
    /// If its own check needs more, that counts.
    pub(super) follows_check: bool,
    /// The Engine does not run its check.
    pub(super) probes: bool,
}

/// Why it does not count as started.
pub(super) enum NotHealthy {
    /// The Engine did not answer.
    Engine(EngineError),
    /// It did not come up, in words.
    Failed(String),
    /// Its check did not pass within so many seconds.
    Slow(u32),
    /// It was interrupted.
    Interrupted,
}

/// Waits until a container is healthy; without a health check until it has run for `monitor` seconds: running, not
/// restarting, restart count 0, start time unchanged (`running` alone is also true in a crash loop).
pub(super) async fn wait<E: Engine>(
    caller: &Caller<'_, E>,
    id: &str,
    wanted: &Wanted,
) -> Result<(), NotHealthy> {
    let began = Instant::now();
    let absences = caller.away.absences();
    let mut first: Option<String> = None;
    let mut probes = Probes::new();
    let [mut pause, longest] = PAUSES;
    loop {
        let seen = caller.look(id).await.map_err(NotHealthy::Engine)?;
        let away = caller.away.absences() > absences;
        let failed = |why: String| {
            NotHealthy::Failed(if away { format!("{why}, while its Engine was restarted") } else { why })
        };
        let Some(seen) = seen else { return Err(failed("it is gone".to_owned())) };
        let state = &seen.state;
        if let Some(why) = down(state) {
            return Err(failed(why));
        }
        let started = first.get_or_insert_with(|| state.started_at.clone());
        if *started != state.started_at {
            return Err(failed(format!("it was restarted{}", exit(state))));
        }
        let waited = began.elapsed();
        let timeout = timeout(wanted, &seen);
        let rest = match state.health {
            Some(Health::Healthy) => return Ok(()),
            Some(Health::Unhealthy) => return Err(failed("its health check fails".to_owned())),
            Some(Health::Starting) => Duration::from_secs(timeout.into()).saturating_sub(waited),
            None => Duration::from_secs(wanted.monitor.into()).saturating_sub(waited),
        };
        match (rest.is_zero(), state.health) {
            (true, None) => return Ok(()),
            (true, Some(_)) => return Err(NotHealthy::Slow(timeout)),
            (false, _) => {}
        }
        let next = async {
            if wanted.probes && state.health == Some(Health::Starting) {
                probes.run_if_due(caller, &seen, rest).await;
            }
            sleep(rest.min(pause)).await;
        };
        tokio::select! {
            () = next => {}
            () = caller.interrupt.heard(1) => return Err(NotHealthy::Interrupted),
        }
        pause = (pause * 2).min(longest);
    }
}

/// Seconds within which it must become healthy.
fn timeout(wanted: &Wanted, seen: &Inspected) -> u32 {
    let own = if wanted.follows_check { HealthCheck::start_timeout(check(seen).as_ref()) } else { 0 };
    wanted.timeout.max(own)
}

/// Its check as the Engine has it: what is declared, and the image's.
fn check(seen: &Inspected) -> Option<HealthCheck> {
    HealthCheck::read(seen.inspect.compare("/Config/Healthcheck")?, None)
}

/// Why a container that had come up does not work any more; `None` where it does.
pub(super) fn no_longer_works(state: &RunState) -> Option<String> {
    down(state)
        .or_else(|| (state.health == Some(Health::Unhealthy)).then(|| "its health check fails".to_owned()))
}

fn down(state: &RunState) -> Option<String> {
    if state.restarting || state.restart_count > 0 {
        let times = state.restart_count;
        return Some(format!("it crashes and was restarted {times} times{}", exit(state)));
    }
    if state.running {
        return None;
    }
    let why = if state.error.is_empty() { String::new() } else { format!(": {}", state.error) };
    Some(match state.status.as_str() {
        "exited" | "dead" => format!("it ended{}{why}", exit(state)),
        status => format!("it is {status}{why}"),
    })
}

fn exit(state: &RunState) -> String {
    format!(" with exit code {}", state.exit_code)
}
