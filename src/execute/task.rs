//! Waiting for a task to end.

use super::call::{CallFailure, Caller, interrupted};
use crate::engine::{Engine, EngineError, ErrorKind};
use crate::plan::{Action, STOPPED};
use crate::problem::Problem;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at a container, at first and in the end: a task may take a second or an hour.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// For how long an Engine may be away: it may just be restarted.
const ENGINE_AWAY_TIMEOUT: Duration = Duration::from_secs(30);

/// How it did not end well.
pub(super) enum TaskFailure {
    /// The Engine did not answer.
    Engine(EngineError),
    /// It failed, in words.
    Failed(String),
    /// It did not end in time.
    TooLong,
    /// The wait was interrupted; the task goes on.
    Interrupted,
}

/// Waits until a container has ended, at most `timeout` seconds; it must have run, and ended with 0.
pub(super) async fn ended<E: Engine>(
    caller: &Caller<'_, E>,
    id: &str,
    timeout: u32,
) -> Result<(), TaskFailure> {
    let began = Instant::now();
    let limit = Duration::from_secs(timeout.into());
    let [mut pause, longest] = PAUSES;
    let mut away: Option<Instant> = None;
    loop {
        match caller.look(id).await {
            Err(error) if error.kind == ErrorKind::Unreachable => {
                let since = *away.get_or_insert_with(Instant::now);
                if since.elapsed() >= ENGINE_AWAY_TIMEOUT {
                    return Err(TaskFailure::Engine(error));
                }
            }
            Err(error) => return Err(TaskFailure::Engine(error)),
            Ok(None) => return Err(TaskFailure::Failed("its container is gone".to_owned())),
            Ok(Some(seen)) => {
                away = None;
                let state = seen.state;
                let why = if state.error.is_empty() { String::new() } else { format!(": {}", state.error) };
                match state.status.as_str() {
                    "exited" | "dead" if state.exit_code == 0 && why.is_empty() => return Ok(()),
                    "exited" | "dead" => {
                        return Err(TaskFailure::Failed(format!(
                            "it ended with exit code {}{why}",
                            state.exit_code
                        )));
                    }
                    "created" => return Err(TaskFailure::Failed(format!("it was not started{why}"))),
                    _ => {}
                }
            }
        }
        let rest = limit.saturating_sub(began.elapsed());
        if rest.is_zero() {
            return Err(TaskFailure::TooLong);
        }
        tokio::select! {
            () = sleep(rest.min(pause)) => {}
            () = caller.interrupt.heard(1) => return Err(TaskFailure::Interrupted),
        }
        pause = (pause * 2).min(longest);
    }
}

impl<E: Engine> Caller<'_, E> {
    /// Waits for the end of a task; one that takes too long is stopped.
    pub(super) async fn end(
        &self,
        action: &Action,
        id: &str,
        timeout: u32,
        stop_timeout: Option<u32>,
    ) -> Result<Vec<String>, CallFailure> {
        let name = action.to_string();
        let name = name.strip_prefix("await the end of ").unwrap_or(&name).to_owned();
        let failed = |name: &str, why: String| {
            Problem::failed(format!("task container {name} on host {} failed", self.host)).cause(why).hint(
                format!("it is kept until the next apply, which runs the task again: 'docker logs {name}'"),
            )
        };
        match ended(self, id, timeout).await {
            Ok(()) => Ok(Vec::new()),
            Err(TaskFailure::Engine(error)) => Err(self.failed(action, &error)),
            Err(TaskFailure::Failed(why)) => Err(failed(&name, self.redactor.clean(&why)).into()),
            Err(TaskFailure::Interrupted) => Err(interrupted(action)),
            Err(TaskFailure::TooLong) => {
                // By its name it is known later: stopped, it may well end with 0.
                let stopped = format!("{name}{STOPPED}");
                let stop = async {
                    self.engine.rename(id, &stopped).await?;
                    self.engine.stop(id, stop_timeout).await
                };
                let what = format!("it did not end within {timeout} seconds");
                Err(match stop.await {
                    Ok(()) => failed(&stopped, format!("{what} and was stopped")),
                    Err(error) => failed(&name, format!("{what}, and may still run"))
                        .cause(self.redactor.clean(&error.message)),
                }
                .into())
            }
        }
    }
}
