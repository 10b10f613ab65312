//! Who holds the locks of hosts.

use super::style;
use super::table::Table;
use crate::lock::Holder;
use crate::problem::escaped;
use crate::session::HostHolder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// On a narrow terminal: since when, then the command.
const LEAST_NEEDED: [usize; 2] = [3, 2];

/// The hosts that are locked, as a table; nothing where none is.
pub(in crate::cli) fn text(hosts: &[HostHolder], width: Option<usize>) -> String {
    let head = ["HOST", "HOLDER", "COMMAND", "SINCE", "ENDS IN"].map(ToOwned::to_owned);
    let locked = hosts.iter().filter_map(|one| Some((&one.host, one.holder.as_ref()?)));
    let rows: Vec<[String; 5]> = locked
        .map(|(host, holder)| {
            let (who, command) = (who(holder), escaped(&holder.command));
            [host.to_string(), who, command, since(holder), ends_in(holder)]
        })
        .collect();
    let mut out = String::new();
    if rows.is_empty() {
        return out;
    }
    let table = Table::new(std::iter::once(&head).chain(&rows), &LEAST_NEEDED, width);
    let faint = style::FAINT;
    let _ = writeln!(out, "{faint}{}{faint:#}", table.line(&head));
    for row in &rows {
        let _ = writeln!(out, "{}", table.line(row));
    }
    out
}

/// One host, and who holds its lock, as data.
pub(in crate::cli) fn object(one: &HostHolder) -> Value {
    let holder = one.holder.as_ref().map(|holder| {
        json!({
            "who": holder.who, "from": holder.from, "command": holder.command, "since": since(holder),
            "ends_in_seconds": holder.left,
        })
    });
    json!({ "host": one.host, "holder": holder })
}

/// `alice on laptop runs `pillarbox apply` since 2026-11-29T14:02:11Z`.
pub(in crate::cli) fn in_words(holder: &Holder) -> String {
    format!("{} runs `{}` since {}", who(holder), escaped(&holder.command), since(holder))
}

fn who(holder: &Holder) -> String {
    format!("{} on {}", escaped(&holder.who), escaped(&holder.from))
}

fn since(holder: &Holder) -> String {
    jiff::Timestamp::from_second(holder.since).map(|since| since.to_string()).unwrap_or_default()
}

/// Unless it is renewed.
fn ends_in(holder: &Holder) -> String {
    humantime::format_duration(Duration::from_secs(holder.left.into())).to_string()
}
