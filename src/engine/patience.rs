//! How long a registry is waited for that gives nothing for now. One for each registry and host of a run:
//! a hundred images of a registry that is down are not waited for a hundred times.

use super::{EngineError, ErrorKind};
use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;

/// From the first answer of that kind until it is not waited for any more.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The first wait where a registry does not say how long; each is twice the one before, up to [`LAST`].
const FIRST: Duration = Duration::from_secs(1);

/// The last of these waits.
const LAST: Duration = Duration::from_secs(8);

/// Words of a limit that lasts for hours: waiting for a minute is waiting in vain.
const FOR_HOURS: &str = "pull rate limit";

/// Whether a registry may give within a minute what it does not give now.
pub(super) fn passes(error: &EngineError) -> bool {
    match error.kind {
        ErrorKind::RateLimited => !error.message.to_lowercase().contains(FOR_HOURS),
        ErrorKind::RegistryUnavailable => true,
        _ => false,
    }
}

/// What is left of the patience with one registry.
#[derive(Debug, Default)]
pub struct Patience {
    since: Cell<Option<Instant>>,
}

impl Patience {
    /// How long to wait before it is asked again, after `waited` the time before; `None` where it is not asked
    /// again.
    pub fn wait(&self, error: &EngineError, waited: Option<Duration>) -> Option<Duration> {
        if !passes(error) {
            return None;
        }
        let now = Instant::now();
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        let next = match (error.retry_after(), waited) {
            (Some(said), _) => Some(said.max(FIRST)),
            (None, None) => Some(FIRST),
            (None, Some(waited)) => Some(waited * 2).filter(|next| *next <= LAST),
        };
        next.filter(|next| now + *next <= since + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    async fn waits(patience: &Patience, kind: ErrorKind, words: &str) -> Vec<u64> {
        let error = EngineError::new(kind, 500, words);
        let (mut all, mut waited) = (Vec::new(), None);
        while let Some(next) = patience.wait(&error, waited) {
            all.push(next.as_secs());
            waited = Some(next);
            sleep(next).await;
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_is_waited_for_as_long_as_it_says_and_never_longer_than_a_minute() {
        use ErrorKind::{RateLimited, Refused, RegistryUnavailable};
        let of = async |kind, words| waits(&Patience::default(), kind, words).await;
        assert_eq!(of(RegistryUnavailable, "503 Service Unavailable").await, [1, 2, 4, 8]);
        assert_eq!(of(RateLimited, "429 Too Many Requests").await, [1, 2, 4, 8]);
        assert_eq!(of(RateLimited, "toomanyrequests: retry-after: 20s").await, [20, 20, 20]);
        assert!(of(RateLimited, "Too many requests. Retry after 90 seconds.").await.is_empty());
        assert!(of(RateLimited, "toomanyrequests: You have reached your pull rate limit.").await.is_empty());
        assert!(of(Refused, "unauthorized").await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn many_images_of_one_registry_share_its_patience() {
        let patience = Patience::default();
        let mut all = 0;
        for _ in 0..100 {
            let waited = waits(&patience, ErrorKind::RegistryUnavailable, "503 Service Unavailable").await;
            all += waited.iter().sum::<u64>();
        }
        assert!(all <= PATIENCE.as_secs(), "{all}");
    }
}
