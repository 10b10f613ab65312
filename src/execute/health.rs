//! Waiting for a container to work: its health check if it has one, else that it stays up.

use super::call::Caller;
use crate::engine::{Engine, EngineError};
use crate::observed::{Health, RunState};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at a container, at first and in the end.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// Why it does not count as started.
pub(super) enum NotHealthy {
    /// The Engine did not answer.
    Engine(EngineError),
    /// It did not come up, in words.
    Failed(String),
    /// It was interrupted.
    Interrupted,
}

/// Waits until a container is healthy, at most `timeout` seconds; without a health check until it has
/// run for `monitor` seconds: running, not restarting, restart count 0, start time unchanged
/// (`running` alone is also true in a crash loop).
pub(super) async fn wait<E: Engine>(
    caller: &Caller<'_, E>,
    id: &str,
    monitor: u32,
    timeout: u32,
) -> Result<(), NotHealthy> {
    let began = Instant::now();
    let mut first: Option<String> = None;
    let [mut pause, longest] = PAUSES;
    loop {
        let seen = caller.look(id).await.map_err(NotHealthy::Engine)?;
        let Some(seen) = seen else { return Err(NotHealthy::Failed("it is gone".to_owned())) };
        let state = seen.state;
        if let Some(why) = down(&state) {
            return Err(NotHealthy::Failed(why));
        }
        let started = first.get_or_insert_with(|| state.started_at.clone());
        if *started != state.started_at {
            return Err(NotHealthy::Failed(format!("it was started anew{}", exit(&state))));
        }
        let waited = began.elapsed();
        let rest = match state.health {
            Some(Health::Healthy) => return Ok(()),
            Some(Health::Unhealthy) => return Err(NotHealthy::Failed("its health check fails".to_owned())),
            Some(Health::Starting) => Duration::from_secs(timeout.into()).saturating_sub(waited),
            None => Duration::from_secs(monitor.into()).saturating_sub(waited),
        };
        match (rest.is_zero(), state.health) {
            (true, None) => return Ok(()),
            (true, Some(_)) => {
                return Err(NotHealthy::Failed(format!("it is not healthy after {timeout} seconds")));
            }
            (false, _) => {}
        }
        tokio::select! {
            () = sleep(rest.min(pause)) => {}
            () = caller.interrupt.heard(1) => return Err(NotHealthy::Interrupted),
        }
        pause = (pause * 2).min(longest);
    }
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
