//! How often a health check is run, and how long it may fail: what decides how long a container may take to start.

use serde_json::Value;
use std::time::Duration;

/// Seconds that a container may take at least, whatever its check says.
const LEAST: u32 = 60;

/// The health check of a container or an image, without its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Between two probes, and before the first one.
    pub interval: Duration,
    /// How long a probe may take.
    pub timeout: Duration,
    /// How many must fail in a row.
    pub retries: u32,
    /// How long failures do not count.
    pub start_period: Duration,
}

impl Default for HealthCheck {
    /// Where a check says nothing (moby: daemon/health.go).
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(30),
            retries: 3,
            start_period: Duration::ZERO,
        }
    }
}

impl HealthCheck {
    /// A `Healthcheck` of the Engine's API; what it leaves open is taken from the one `below`, the image's, field by
    /// field, as Engines do. `None` where nothing is checked.
    pub fn read(check: &Value, below: Option<&Self>) -> Option<Self> {
        match check["Test"][0].as_str() {
            Some("NONE") => return None,
            Some(_) => {}
            None => drop(below?),
        }
        let below = below.copied().unwrap_or_default();
        let time = |field: &str, otherwise| match check[field].as_u64() {
            Some(nanoseconds) if nanoseconds > 0 => Duration::from_nanos(nanoseconds),
            _ => otherwise,
        };
        let retries = check["Retries"].as_u64().filter(|retries| *retries > 0);
        Some(Self {
            interval: time("Interval", below.interval),
            timeout: time("Timeout", below.timeout),
            retries: retries.map_or(below.retries, |retries| u32::try_from(retries).unwrap_or(u32::MAX)),
            start_period: time("StartPeriod", below.start_period),
        })
    }

    /// Seconds within which a container must become healthy, where no `start_timeout` is declared: after that the
    /// check itself has said no.
    pub fn start_timeout(check: Option<&Self>) -> u32 {
        let Some(check) = check else { return LEAST };
        let probes =
            (check.interval.saturating_add(check.timeout)).saturating_mul(check.retries.saturating_add(1));
        let all = check.start_period.saturating_add(probes);
        let seconds = all.as_secs().saturating_add(u64::from(all.subsec_nanos() > 0));
        u32::try_from(seconds).unwrap_or(u32::MAX).max(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const SECOND: u64 = 1_000_000_000;

    fn timeout(check: &Value, image: Option<&Value>) -> u32 {
        let image = image.and_then(|image| HealthCheck::read(image, None));
        HealthCheck::start_timeout(HealthCheck::read(check, image.as_ref()).as_ref())
    }

    #[test]
    fn it_may_take_as_long_as_its_check_needs_to_say_no() {
        let test = ["CMD", "true"];
        let cases = [
            (json!({ "Test": test }), 240),
            (json!({ "Test": test, "Interval": 120 * SECOND }), 600),
            (json!({ "Test": test, "StartPeriod": 120 * SECOND }), 360),
            (json!({ "Test": test, "Interval": 2 * SECOND, "Timeout": SECOND, "Retries": 5 }), 60),
            (json!({ "Test": test, "Interval": 16 * SECOND, "Timeout": SECOND / 2, "Retries": 3 }), 66),
            (json!({ "Test": ["NONE"] }), 60),
            (Value::Null, 60),
            (json!({ "Interval": 120 * SECOND }), 60),
        ];
        for (check, seconds) in cases {
            assert_eq!(timeout(&check, None), seconds, "{check}");
        }
    }

    #[test]
    fn what_a_state_leaves_open_is_the_images() {
        let image = json!({ "Test": ["CMD", "true"], "Interval": 60 * SECOND, "Timeout": 5 * SECOND });
        assert_eq!(timeout(&Value::Null, Some(&image)), 260);
        assert_eq!(timeout(&json!({ "Interval": 30 * SECOND }), Some(&image)), 140);
        assert_eq!(timeout(&json!({ "Test": ["NONE"] }), Some(&image)), 60);
    }

    proptest! {
        /// No numbers are too large, and more time in a check is never less time to start.
        #[test]
        fn more_time_in_a_check_is_never_less_time_to_start(
            fields in proptest::array::uniform4(any::<u64>()), more in any::<u64>(), which in 0_usize..4,
        ) {
            let check = |fields: [u64; 4]| timeout(&json!({
                "Test": ["CMD"], "Interval": fields[0], "Timeout": fields[1], "Retries": fields[2], "StartPeriod": fields[3],
            }), None);
            let mut longer = fields;
            longer[which] = fields[which].max(1).saturating_add(more);
            let mut shorter = fields;
            shorter[which] = fields[which].max(1);
            prop_assert!(check(longer) >= check(shorter));
            prop_assert!(check(shorter) >= LEAST);
        }
    }
}
