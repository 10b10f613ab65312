//! The runs that were recorded on this machine, and what became of the hosts of one.

use super::layout::cut;
use super::style;
use super::table::Table;
use crate::name::in_ranges;
use crate::problem::{escaped, quoted};
use crate::record::{Body, HostResult};
use crate::session::RecordedRun;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Columns of a line.
const WIDTH: usize = 100;
/// Runs that are listed; `-v` lists all.
const LISTED: usize = 20;
/// Hosts that failed and are named with their error each.
const NAMED: usize = 20;

/// The newest runs, one line each.
pub(in crate::cli) fn list(runs: &[RecordedRun], width: Option<usize>, all: bool) -> String {
    let heading = ["RUN", "WHEN", "WHO", "WHAT", "HOSTS", "RESULT"].map(str::to_owned);
    let shown = if all { runs.len() } else { LISTED };
    let rows = runs.iter().take(shown).map(|run| {
        let begin = &run.record.begin;
        [
            escaped(&begin.run),
            when(&begin.t),
            escaped(&format!("{}@{}", begin.by, begin.from)),
            escaped(&begin.command),
            begin.hosts.to_string(),
            run.record.in_words(run.runs),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(heading).chain(rows).collect();
    let table = Table::new(&rows, &[2, 4, 1], width).uncut();
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = table.cells(row).into_iter().map(|(_, cell)| cell).collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    if runs.len() > shown {
        let _ = writeln!(out, "and {} older runs: -v", runs.len() - shown);
    }
    out
}

/// `2026-11-29 14:02Z` of `2026-11-29T14:02:11Z`.
fn when(time: &str) -> String {
    let short = time.get(..16).map(|minute| minute.replace('T', " ") + "Z");
    escaped(&short.unwrap_or_else(|| time.to_owned()))
}

/// One run: what failed first, then the other hosts by what became of them, what was to be done, and the way on.
pub(in crate::cli) fn one(run: &RecordedRun) -> String {
    let (record, begin) = (&run.record, &run.record.begin);
    let mut out = String::new();
    let head = style::HOST;
    let commit = begin.git.as_ref().map(|git| format!(", commit {git}")).unwrap_or_default();
    let _ = writeln!(
        out,
        "{head}run {}{head:#}: {} by {}@{}, {}{}, pillarbox {}",
        escaped(&begin.run),
        escaped(&begin.command),
        escaped(&begin.by),
        escaped(&begin.from),
        escaped(&begin.t),
        escaped(&commit),
        escaped(&begin.tool)
    );
    if !begin.host.is_empty() {
        let terms: Vec<String> = begin.host.iter().map(|term| quoted(term)).collect();
        let _ = writeln!(out, "{}", cut(&format!("hosts: {}", terms.join(" ")), Some(WIDTH)));
    }
    let _ = writeln!(out, "{}\n", record.in_words(run.runs));
    let failed: Vec<_> = record.hosts.values().filter(|host| host.error.is_some()).collect();
    for host in failed.iter().take(NAMED) {
        let why = host.error.as_deref().unwrap_or_default();
        let line = format!("  {}  {}: {}", escaped(&host.host), host.end.words(), escaped(why));
        let _ = writeln!(out, "{}", cut(&line, Some(WIDTH)));
    }
    if failed.len() > NAMED {
        let _ = writeln!(out, "  and {} more that failed: --json", failed.len() - NAMED);
    }
    let results = record.results();
    use HostResult::{Done, Failed, RolledBack, Skipped, Unknown, Unreachable};
    for wanted in [Failed, RolledBack, Unreachable, Unknown, Done, Skipped] {
        let hosts: Vec<&str> =
            results.iter().filter(|(_, result)| **result == wanted).map(|(host, _)| *host).collect();
        if !hosts.is_empty() {
            let before = format!("{:>7}  {:<11}  ", hosts.len(), wanted.words());
            let _ = writeln!(out, "{before}{}", escaped(&in_ranges(&hosts, WIDTH - before.len())));
        }
    }
    for body in &record.bodies {
        out.push('\n');
        push_body(&mut out, body);
    }
    if record.end.is_some() && !record.not_done().is_empty() || record.end.is_none() && !run.runs {
        let _ = writeln!(out, "\nnext   pillarbox {} --failed", escaped(&begin.command));
    }
    out
}

fn push_body(out: &mut String, body: &Body) {
    let head = style::HOST;
    let before = format!("{}  ", escaped(&body.id));
    let names = escaped(&in_ranges(&body.hosts, WIDTH - before.len()));
    let _ = writeln!(out, "{head}{before}{names}{head:#}");
    for change in &body.changes {
        let line = format!(
            "  {}  {}: {}",
            change.actions.join(", "),
            escaped(&change.address),
            escaped(&change.cause)
        );
        let _ = writeln!(out, "{}", cut(&line, Some(WIDTH)));
    }
}

/// A run as data.
pub(in crate::cli) fn json(run: &RecordedRun) -> Value {
    let record = &run.record;
    let results: serde_json::Map<String, Value> =
        record.results().into_iter().map(|(host, result)| (host.to_owned(), json!(result))).collect();
    json!({
        "run": record.begin,
        "bodies": record.bodies,
        "hosts": record.hosts.values().collect::<Vec<_>>(),
        "results": results,
        "end": record.end,
        "running": run.runs,
    })
}
