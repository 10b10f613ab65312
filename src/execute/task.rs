//! Waiting for a task to end.

use super::interrupt::Interrupt;
use crate::engine::{Engine, EngineError, ErrorKind};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at a container, at first and in the end: a task may take a second or an hour.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// For how long an Engine may be away: it may just be restarted.
const AWAY: Duration = Duration::from_secs(30);

/// How it did not end well.
pub(super) enum Unfinished {
    /// The Engine did not answer.
    Engine(EngineError),
    /// It failed, in words.
    Failed(String),
    /// It did not end in time.
    TooLong,
    /// Somebody interrupted; it goes on.
    Interrupted,
}

/// Waits until a container has ended, at most `timeout` seconds; it must have run, and ended with 0.
pub(super) async fn ended<E: Engine>(
    engine: &E,
    id: &str,
    timeout: u32,
    interrupt: &Interrupt,
) -> Result<(), Unfinished> {
    let began = Instant::now();
    let limit = Duration::from_secs(timeout.into());
    let [mut pause, longest] = PAUSES;
    let mut away: Option<Instant> = None;
    loop {
        match engine.container(id).await {
            Err(error) if error.kind == ErrorKind::Unreachable => {
                let since = *away.get_or_insert_with(Instant::now);
                if since.elapsed() >= AWAY {
                    return Err(Unfinished::Engine(error));
                }
            }
            Err(error) => return Err(Unfinished::Engine(error)),
            Ok(None) => return Err(Unfinished::Failed("its container is gone".to_owned())),
            Ok(Some(seen)) => {
                away = None;
                let state = seen.state;
                let why = if state.error.is_empty() { String::new() } else { format!(": {}", state.error) };
                match state.status.as_str() {
                    "exited" | "dead" if state.exit_code == 0 && why.is_empty() => return Ok(()),
                    "exited" | "dead" => {
                        return Err(Unfinished::Failed(format!(
                            "it ended with exit code {}{why}",
                            state.exit_code
                        )));
                    }
                    "created" => return Err(Unfinished::Failed(format!("it was not started{why}"))),
                    _ => {}
                }
            }
        }
        let rest = limit.saturating_sub(began.elapsed());
        if rest.is_zero() {
            return Err(Unfinished::TooLong);
        }
        tokio::select! {
            () = sleep(rest.min(pause)) => {}
            () = interrupt.heard(1) => return Err(Unfinished::Interrupted),
        }
        pause = (pause * 2).min(longest);
    }
}
