//! Health checks that the Engine does not run itself: Podman leaves them to systemd.

use super::check;
use crate::engine::{Engine, Inspected};
use crate::execute::call::Caller;
use std::time::Duration;
use tokio::time::Instant;

/// How much longer than its own time limit a probe may take: Podman before 5 does not end one.
const MORE: Duration = Duration::from_secs(5);

/// When a container's check was run last, by whomever.
pub(super) struct Probes {
    last: Instant,
    seen: Option<String>,
}

impl Probes {
    /// None yet: the first is due after one interval, as where the Engine runs them.
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), seen: None }
    }

    /// Runs it where it is due, for `most` at the most. What came of it is seen at the next look.
    pub(super) async fn run_if_due<E: Engine>(
        &mut self,
        caller: &Caller<'_, E>,
        container: &Inspected,
        most: Duration,
    ) {
        let Some(check) = check(container) else { return };
        let newest = container.inspect.probes().last().map(|probe| probe.ended.clone());
        if newest != self.seen {
            // Something else may run it after all.
            (self.seen, self.last) = (newest, Instant::now());
        }
        if self.last.elapsed() < check.interval {
            return;
        }
        let limit = check.timeout.saturating_add(MORE).min(most);
        // One that cannot be run says nothing: the wait ends when its time is over.
        let _ = caller.engine.probe(&container.id, limit).await;
        self.last = Instant::now();
    }
}
