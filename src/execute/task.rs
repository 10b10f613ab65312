//! Waiting for a task to end.

use super::call::{Caller, Failed, interrupted};
use super::interrupt::Interrupt;
use crate::engine::{Engine, EngineError, ErrorKind};
use crate::plan::{Action, STOPPED};
use crate::problem::Problem;
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

impl<E: Engine> Caller<'_, E> {
    /// Waits for the end of a task; one that takes too long is stopped.
    pub(super) async fn end(
        &self,
        action: &Action,
        id: &str,
        timeout: u32,
        stop_timeout: Option<u32>,
    ) -> Result<Vec<String>, Failed> {
        let name = action.to_string();
        let name = name.strip_prefix("await the end of ").unwrap_or(&name).to_owned();
        let failed = |name: &str, why: String| {
            Problem::failed(format!("task container {name} on host {} failed", self.host)).cause(why).hint(
                format!("it is kept until the next apply, which runs the task again: 'docker logs {name}'"),
            )
        };
        match ended(self.engine, id, timeout, self.interrupt).await {
            Ok(()) => Ok(Vec::new()),
            Err(Unfinished::Engine(error)) => Err(self.failed(action, &error)),
            Err(Unfinished::Failed(why)) => Err(failed(&name, self.redactor.clean(&why)).into()),
            Err(Unfinished::Interrupted) => Err(interrupted(action)),
            Err(Unfinished::TooLong) => {
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
