//! The printed table: what, median, what it is measured against, median, ratio of the medians.

use crate::process::Cost;
use std::time::Duration;

pub(crate) fn head(rounds: usize) {
    println!(
        "medians of {rounds} rounds, the two of a line in turns; times of whole processes where it says so"
    );
    println!("{:<58} {:>10}   {:<42} {:>10} {:>7}", "what", "time", "against", "time", "ratio");
}

/// One comparison.
pub(crate) fn row(what: &str, ours: &mut [Duration], against: &str, theirs: &mut [Duration]) {
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("{what:<58} {:>10}   {against:<42} {:>10} {ratio:>6.2}x", shown(ours), shown(theirs));
}

/// One of the times of a process.
type Time = fn(&Cost) -> Duration;

/// Three comparisons of processes: processor time, time, and most memory.
pub(crate) fn costs(what: &str, ours: &mut [Cost], against: &str, theirs: &mut [Cost]) {
    let of = |costs: &[Cost], time: Time| -> Vec<Duration> { costs.iter().map(time).collect() };
    println!("{what}, against {against}");
    let times: [(&str, Time); 2] =
        [("  processor time", |cost| cost.processor), ("  time", |cost| cost.wall)];
    for (what, time) in times {
        row(what, &mut of(ours, time), against, &mut of(theirs, time));
    }
    let peak = |costs: &mut [Cost]| {
        costs.sort_by(|a, b| a.peak.total_cmp(&b.peak));
        costs[costs.len() / 2].peak
    };
    let (ours, theirs) = (peak(ours), peak(theirs));
    let [one, other] = [ours, theirs].map(|peak| format!("{peak:.1} MB"));
    println!("{:<58} {one:>10}   {against:<42} {other:>10} {:>6.2}x", "  peak memory", ours / theirs);
}

/// One figure without a comparison.
pub(crate) fn figure(what: &str, value: &str) {
    println!("{what:<58} {value:>10}");
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.001 => format!("{:.1} µs", seconds * 1e6),
        seconds if seconds < 1.0 => format!("{:.2} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}
