//! What an Engine says of the use of a container: `GET /containers/ID/stats`.

use super::answer::{fields_or_empty, or_empty};
use crate::engine::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(super) struct Stats {
    #[serde(default, deserialize_with = "fields_or_empty")]
    cpu_stats: Processor,
    #[serde(default, deserialize_with = "fields_or_empty")]
    precpu_stats: Processor,
    #[serde(default, deserialize_with = "fields_or_empty")]
    memory_stats: Memory,
    #[serde(default, deserialize_with = "fields_or_empty")]
    pids_stats: Processes,
    /// By interface; none with the network of the host.
    #[serde(default)]
    networks: Option<BTreeMap<String, Traffic>>,
}

#[derive(Default, Deserialize)]
struct Processor {
    #[serde(default, deserialize_with = "fields_or_empty")]
    cpu_usage: ProcessorTime,
    #[serde(default, deserialize_with = "or_empty")]
    system_cpu_usage: u64,
    #[serde(default, deserialize_with = "or_empty")]
    online_cpus: u32,
}

#[derive(Default, Deserialize)]
struct ProcessorTime {
    #[serde(default, deserialize_with = "or_empty")]
    total_usage: u64,
}

#[derive(Default, Deserialize)]
struct Memory {
    #[serde(default, deserialize_with = "or_empty")]
    usage: u64,
    #[serde(default, deserialize_with = "or_empty")]
    limit: u64,
    #[serde(default, deserialize_with = "fields_or_empty")]
    stats: Pages,
}

/// Pages of files that are not in use: cgroups version 1 and 2.
#[derive(Default, Deserialize)]
struct Pages {
    #[serde(default)]
    total_inactive_file: Option<u64>,
    #[serde(default)]
    inactive_file: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Processes {
    #[serde(default, deserialize_with = "or_empty")]
    current: u64,
}

#[derive(Deserialize)]
struct Traffic {
    #[serde(default, deserialize_with = "or_empty")]
    rx_bytes: u64,
    #[serde(default, deserialize_with = "or_empty")]
    tx_bytes: u64,
}

impl Stats {
    pub(super) fn usage(self) -> Usage {
        let Self { cpu_stats: now, precpu_stats: before, memory_stats: memory, pids_stats, networks } = self;
        let pages = memory.stats.total_inactive_file.or(memory.stats.inactive_file).unwrap_or_default();
        let sum = |bytes: fn(&Traffic) -> u64| {
            let all = networks.as_ref()?.values();
            Some(all.fold(0_u64, |sum, one| sum.saturating_add(bytes(one))))
        };
        Usage {
            cpu: share(&now, &before),
            memory: memory.usage.saturating_sub(pages),
            memory_limit: memory.limit,
            received: sum(|one| one.rx_bytes),
            sent: sum(|one| one.tx_bytes),
            processes: pids_stats.current,
        }
    }
}

/// Of one processor, in hundredths of a percent: what the container used of what the host had between two moments.
fn share(now: &Processor, before: &Processor) -> Option<u64> {
    let used = now.cpu_usage.total_usage.checked_sub(before.cpu_usage.total_usage)?;
    let time = now.system_cpu_usage.checked_sub(before.system_cpu_usage)?;
    // Without an earlier moment there is no share.
    if time == 0 || before.system_cpu_usage == 0 {
        return None;
    }
    let processors = u128::from(now.online_cpus.max(1));
    u64::try_from(u128::from(used) * processors * 10_000 / u128::from(time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn usage(answer: serde_json::Value) -> Usage {
        serde_json::from_value::<Stats>(answer).expect("an Engine's").usage()
    }

    #[test]
    fn the_share_of_a_processor_is_that_between_two_moments_and_memory_is_without_idle_files() {
        let cpu = |used: u64, system: u64| json!({ "cpu_usage": { "total_usage": used }, "system_cpu_usage": system, "online_cpus": 4 });
        let answer = json!({
            "cpu_stats": cpu(1_500, 20_000),
            "precpu_stats": cpu(1_000, 16_000),
            "memory_stats": { "usage": 5_000, "limit": 9_000, "stats": { "inactive_file": 1_000 } },
            "networks": { "eth0": { "rx_bytes": 1, "tx_bytes": 2 }, "eth1": { "rx_bytes": 10, "tx_bytes": 20 } },
            "pids_stats": { "current": 3 },
        });
        let expected = Usage {
            cpu: Some(5_000),
            memory: 4_000,
            memory_limit: 9_000,
            received: Some(11),
            sent: Some(22),
            processes: 3,
        };
        assert_eq!(usage(answer), expected);
    }

    #[test]
    fn what_an_engine_leaves_out_is_not_known() {
        let empty = usage(json!({ "memory_stats": {}, "pids_stats": null }));
        assert_eq!((empty.cpu, empty.received, empty.memory), (None, None, 0));
        // The first sample of a container: its past is no share.
        let first = json!({ "cpu_stats": { "cpu_usage": { "total_usage": 9 }, "system_cpu_usage": 9 } });
        assert_eq!(usage(first).cpu, None);
        assert!(serde_json::from_value::<Stats>(json!({ "memory_stats": { "usage": "much" } })).is_err());
    }
}
