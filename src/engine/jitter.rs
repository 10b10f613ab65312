//! Times that differ: many that wait for the same thing would otherwise come back for it at one moment.

use std::time::Duration;

/// A random time from `shortest` to `longest`; the middle where the system gives no random bits.
pub fn between(shortest: Duration, longest: Duration) -> Duration {
    let mut bits = [0; 4];
    let part = match getrandom::fill(&mut bits) {
        Ok(()) => f64::from(u32::from_le_bytes(bits)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    };
    shortest + longest.saturating_sub(shortest).mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn times_are_within_their_bounds_and_differ() {
        let (shortest, longest) = (Duration::from_secs(50), Duration::from_secs(65));
        let times: BTreeSet<Duration> = (0..100).map(|_| between(shortest, longest)).collect();
        assert!(times.len() > 90, "{times:?}");
        assert!(times.iter().all(|time| (shortest..=longest).contains(time)), "{times:?}");
        assert_eq!(between(longest, longest), longest);
        assert_eq!(between(longest, shortest), longest);
    }
}
