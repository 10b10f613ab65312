//! What the expressions of one run may cost, over all files and hosts together: a stranger's workspace may have
//! thousands of them, each of which is cheap by itself.

use crate::problem::{Place, Problem};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Steps of a run, and in addition for each host; an expression like `{{ pillar.a.b | default(1) }}` takes ten.
const STEPS: (u64, u64) = (20_000_000, 50_000);

/// Bytes of all results of a run, and in addition for each host.
const BYTES: (u64, u64) = (64 << 20, 64 << 10);

/// What is left of it.
#[derive(Debug)]
pub struct Budget {
    steps: AtomicU64,
    bytes: AtomicU64,
    /// Where it ended.
    ended: OnceLock<Place>,
}

impl Budget {
    /// For a run over so many hosts.
    pub fn of(hosts: usize) -> Self {
        let hosts = hosts as u64;
        let of = |(run, host): (u64, u64)| AtomicU64::new(run.saturating_add(host.saturating_mul(hosts)));
        Self { steps: of(STEPS), bytes: of(BYTES), ended: OnceLock::new() }
    }

    /// Pays for an expression.
    ///
    /// # Errors
    /// Where nothing is left: always the same problem, at the place where that was.
    pub(super) fn pay(&self, steps: u64, bytes: u64, place: &Place) -> Result<(), Box<Problem>> {
        let take = |from: &AtomicU64, cost: u64| {
            from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost)).is_ok()
        };
        if self.ended.get().is_none() && take(&self.steps, steps) && take(&self.bytes, bytes) {
            return Ok(());
        }
        let place = self.ended.get_or_init(|| place.clone());
        Err(Box::new(
            Problem::failed("the expressions of this run take too much")
                .at(place)
                .cause(format!(
                    "all of them may take {} million steps and give {} MiB, and a little more for each host",
                    STEPS.0 / 1_000_000,
                    BYTES.0 >> 20
                ))
                .hint("this one was not evaluated, and none after it"),
        ))
    }

    /// Whether nothing is left.
    pub(super) fn check(&self, place: &Place) -> Result<(), Box<Problem>> {
        if self.ended.get().is_some() { self.pay(0, 0, place) } else { Ok(()) }
    }
}
