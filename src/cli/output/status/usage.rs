//! What containers use at the moment, one line each.

use super::{HostStatus, row};
use crate::cli::output::style;
use crate::cli::output::table::Table;
use crate::engine::Usage;
use indicatif::BinaryBytes;
use serde::Serialize;
use std::fmt::Write as _;

/// What one container uses.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct UsageStatus {
    /// Of one processor, in percent; 250 is two and a half. `null`: its Engine does not say.
    cpu_percent: Option<f64>,
    /// Bytes.
    memory: u64,
    memory_limit: u64,
    /// Bytes since it was started; `null` with the network of the host.
    received: Option<u64>,
    sent: Option<u64>,
    processes: u64,
}

impl UsageStatus {
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a percent")]
    pub(super) fn of(usage: &Usage) -> Self {
        let Usage { cpu, memory, memory_limit, received, sent, processes } = *usage;
        let cpu_percent = cpu.map(|hundredths| hundredths as f64 / 100.0);
        Self { cpu_percent, memory, memory_limit, received, sent, processes }
    }
}

/// The last columns are the least needed.
const LEAST_NEEDED: [usize; 4] = [6, 5, 4, 1];

/// All hosts as a table.
pub(in crate::cli) fn text(hosts: &[HostStatus], width: Option<usize>) -> String {
    let head =
        ["CONTAINER", "STATE", "CPU", "MEMORY", "RECEIVED", "SENT", "PROCESSES"].map(ToOwned::to_owned);
    let of = |host: &HostStatus| -> Vec<[String; 7]> {
        host.containers.iter().filter(|one| !one.kept).map(cells).collect()
    };
    let rows: Vec<[String; 7]> = hosts.iter().flat_map(of).collect();
    let room = width.map(|width| width.saturating_sub(2));
    let table = Table::new(std::iter::once(&head).chain(&rows), &LEAST_NEEDED, room);
    let (bold, faint) = (style::HOST, style::FAINT);
    let mut out = String::new();
    for host in hosts {
        let _ = writeln!(out, "{bold}{}{bold:#}", host.host);
        let rows = of(host);
        if rows.is_empty() {
            let _ = writeln!(out, "  no containers of this workspace");
            continue;
        }
        let _ = writeln!(out, "  {faint}{}{faint:#}", table.line(&head));
        for row in &rows {
            let _ = writeln!(out, "  {}", table.line(row));
        }
    }
    out
}

fn cells(one: &super::ContainerStatus) -> [String; 7] {
    let [name, _, _, state, _] = row(one);
    let Some(usage) = &one.usage else {
        return [name, state, dash(), dash(), dash(), dash(), dash()];
    };
    let bytes = |bytes: u64| BinaryBytes(bytes).to_string();
    let memory = match usage.memory_limit {
        0 => bytes(usage.memory),
        limit => format!("{} of {}", bytes(usage.memory), bytes(limit)),
    };
    [
        name,
        state,
        usage.cpu_percent.map_or_else(dash, |percent| format!("{percent:.1}%")),
        memory,
        usage.received.map_or_else(dash, bytes),
        usage.sent.map_or_else(dash, bytes),
        usage.processes.to_string(),
    ]
}

fn dash() -> String {
    "-".to_owned()
}
