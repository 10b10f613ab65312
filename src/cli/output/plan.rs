//! A plan as people read it: per host one line for each change with its cause, below it what
//! differs; who receives which secret; notes; counts.

#[cfg(test)]
mod tests;

use super::layout::{columns, cut, pad, wrap};
use super::{Level, Output, style, words};
use crate::plan::{Cause, Change, HostPlan, Plan, Verb};
use crate::problem::escaped;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How much is shown, and how wide.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct View {
    /// Unchanged things, every field of what is created, and the steps too.
    pub verbose: bool,
    /// Columns, if it is a terminal.
    pub width: Option<usize>,
}

impl View {
    /// As standard output and the options ask for.
    pub(in crate::cli) fn of(out: &Output) -> Self {
        Self { verbose: out.level == Level::Verbose, width: out.width() }
    }
}

/// What a person sees in the causes already, or does not decide on: shown with `-v`.
const BOOKKEEPING: [&str; 4] = ["generation", "running", "status", "version"];

/// Longest address that still shares a line with its cause.
const ADDRESS_MAX: usize = 44;

/// The whole plan.
pub(in crate::cli) fn text(plan: &Plan, view: View) -> String {
    let mut out = String::new();
    for host in &plan.hosts {
        push_host(&mut out, host, view);
    }
    push_receivers(&mut out, plan, view);
    push_notes(&mut out, plan, view);
    out.push_str(&footer(plan));
    out
}

fn push_host(out: &mut String, plan: &HostPlan, view: View) {
    let shown: Vec<&Change> =
        plan.changes.iter().filter(|change| view.verbose || !is_unchanged(change)).collect();
    if shown.is_empty() && plan.steps.is_empty() {
        return;
    }
    let (host, faint) = (style::HOST, style::FAINT);
    let _ = writeln!(out, "{host}{}{host:#}  {faint}{}{faint:#}", plan.host, escaped(&plan.engine));
    let symbols = shown.iter().map(|change| columns(&symbol(change))).max().unwrap_or(1);
    let longest = view.width.map_or(ADDRESS_MAX, |width| ADDRESS_MAX.min(width / 3));
    let addresses = shown.iter().map(|change| columns(&change.address)).filter(|length| *length <= longest);
    let addresses = addresses.max().unwrap_or(0);
    for change in shown {
        push_change(out, change, symbols, addresses, view);
    }
    if view.verbose && !plan.steps.is_empty() {
        push_steps(out, plan, view);
    }
    out.push('\n');
}

fn push_change(out: &mut String, change: &Change, symbols: usize, addresses: usize, view: View) {
    let color = style::verb(main_verb(change));
    let symbol = pad(&symbol(change), symbols);
    let address = escaped(&change.address);
    let _ = write!(out, "  {color}{symbol}{color:#} ");
    let indent = 2 + symbols + 1 + addresses + 2;
    let room = view.width.map(|width| width.saturating_sub(indent).max(20));
    let mut causes = change.cause.iter().flat_map(|cause| wrap(&escaped(&cause.to_string()), room));
    if columns(&address) <= addresses {
        let first = causes.next().unwrap_or_default();
        let _ = writeln!(out, "{}", format!("{}  {first}", pad(&address, addresses)).trim_end());
    } else {
        let _ = writeln!(out, "{address}");
    }
    for line in causes {
        let _ = writeln!(out, "{}{line}", " ".repeat(indent));
    }
    push_details(out, change, 2 + symbols + 1 + 2, view);
}

/// The fields that differ, old and new; of what is created its image, or all with `-v`.
fn push_details(out: &mut String, change: &Change, indent: usize, view: View) {
    let lines = differences(change, view.verbose);
    let fields = lines.iter().map(|(field, ..)| columns(field)).max().unwrap_or(0).min(28);
    let faint = style::FAINT;
    for (field, old, new) in lines {
        let field = pad(&escaped(field), fields);
        let room = view.width.map(|width| width.saturating_sub(indent + columns(&field) + 2).max(20));
        let one = old.as_ref().map_or_else(|| new.clone(), |old| format!("{old} → {new}"));
        let margin = " ".repeat(indent);
        match old {
            Some(old) if room.is_some_and(|room| columns(&one) > room) => {
                let _ = writeln!(out, "{margin}{faint}{field}{faint:#}  {}", cut(&old, room));
                let arrow = pad("", columns(&field));
                let _ = writeln!(out, "{margin}{arrow}→ {}", cut(&new, room));
            }
            _ => {
                let _ = writeln!(out, "{margin}{faint}{field}{faint:#}  {}", cut(&one, room));
            }
        }
    }
}

/// Field, old value if it is known, new value.
fn differences(change: &Change, all: bool) -> Vec<(&str, Option<String>, String)> {
    let before = change.before.iter().flatten();
    let before: BTreeMap<&str, &Value> = before.map(|(field, value)| (field.as_str(), value)).collect();
    let named = named_fields(change);
    let shown = |field: &str| all || !BOOKKEEPING.contains(&field);
    let mut found = Vec::new();
    for (field, new) in change.after.iter().flatten().filter(|(field, _)| shown(field)) {
        let new_text = plain(field, new);
        match before.get(field.as_str()) {
            Some(old) if *old == new => {}
            Some(old) => found.push((field.as_str(), Some(plain(field, old)), new_text)),
            None if all || field == "image" || named.contains(field.as_str()) => {
                found.push((field.as_str(), None, new_text));
            }
            None => {}
        }
    }
    if let Some(after) = &change.after {
        let gone = before
            .into_iter()
            .filter(|(field, _)| !after.contains_key(*field) && !BOOKKEEPING.contains(field));
        found.extend(gone.map(|(field, old)| (field, Some(plain(field, old)), "not set".to_owned())));
    }
    found
}

fn push_steps(out: &mut String, plan: &HostPlan, view: View) {
    let faint = style::FAINT;
    let _ = writeln!(out, "  {faint}steps{faint:#}");
    for step in &plan.steps {
        let needs: Vec<String> = step.needs.iter().map(|id| format!("#{id}")).collect();
        let after = if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(", ")) };
        let line = format!("{:>5} {}{after}", format!("#{}", step.id), escaped(&words::action(&step.action)));
        let _ = writeln!(out, "  {faint}{}{faint:#}", cut(&line, view.width.map(|width| width.max(40) - 2)));
    }
}

fn push_receivers(out: &mut String, plan: &Plan, view: View) {
    let mut seen = BTreeSet::new();
    for host in &plan.hosts {
        for one in &host.receivers {
            seen.insert(format!("{} → {}, {}, {}", one.secret, host.host, one.container, one.field));
        }
    }
    if seen.is_empty() {
        return;
    }
    let head = style::HOST;
    let _ = writeln!(out, "{head}Secrets{head:#}, who receives them");
    for line in seen {
        push_hanging(out, &escaped(&line), view);
    }
    out.push('\n');
}

fn push_notes(out: &mut String, plan: &Plan, view: View) {
    let notes: Vec<String> = plan
        .hosts
        .iter()
        .flat_map(|host| host.notes.iter().map(move |note| format!("{}: {note}", host.host)))
        .collect();
    if notes.is_empty() {
        return;
    }
    let head = style::HOST;
    let _ = writeln!(out, "{head}Notes{head:#}");
    for note in notes {
        push_hanging(out, &escaped(&note), view);
    }
    out.push('\n');
}

fn push_hanging(out: &mut String, text: &str, view: View) {
    let lines = wrap(text, view.width.map(|width| width.saturating_sub(4).max(20)));
    for (index, line) in lines.iter().enumerate() {
        let _ = writeln!(out, "{}{line}", if index == 0 { "  " } else { "    " });
    }
}

/// Counts per action and host: one line each, `Nothing to do` where that is so.
pub(in crate::cli) fn footer(plan: &Plan) -> String {
    let mut out = String::new();
    if plan.is_empty() && plan.hosts.iter().all(|host| host.changes.iter().all(is_unchanged)) {
        let hosts: Vec<&str> = plan.hosts.iter().map(|host| host.host.as_str()).collect();
        let things: usize = plan.hosts.iter().map(|host| host.changes.len()).sum();
        let as_wanted = match things {
            0 => "no state declares anything".to_owned(),
            1 => "1 thing is as wanted".to_owned(),
            _ => format!("{things} things are as wanted"),
        };
        let good = style::GOOD;
        let _ = writeln!(out, "{good}Nothing to do{good:#} on {}: {as_wanted}", hosts.join(", "));
        return out;
    }
    let names = plan.hosts.iter().map(|host| columns(host.host.as_str())).max().unwrap_or(0);
    for host in &plan.hosts {
        let name = format!("{}:", host.host);
        let _ = writeln!(out, "{}  {}", pad(&name, names + 1), counts(host));
    }
    out
}

/// `1 to create, 2 to replace, 3 unchanged`.
fn counts(plan: &HostPlan) -> String {
    let mut count: BTreeMap<Verb, usize> = BTreeMap::new();
    for change in &plan.changes {
        *count.entry(main_verb(change)).or_default() += 1;
    }
    let replaced = count.remove(&Verb::ReplaceStartFirst).unwrap_or(0);
    let replaced = replaced + count.remove(&Verb::ReplaceStopFirst).unwrap_or(0);
    let of = |verb: Verb| count.get(&verb).copied().unwrap_or(0);
    let parts = [
        (of(Verb::Create), "to create", Verb::Create),
        (replaced, "to replace", Verb::ReplaceStopFirst),
        (of(Verb::Update), "to change", Verb::Update),
        (of(Verb::Remove), "to remove", Verb::Remove),
        (of(Verb::Held), "held", Verb::Held),
    ];
    let mut shown: Vec<String> = parts
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, what, verb)| {
            let color = style::verb(verb);
            format!("{color}{number} {what}{color:#}")
        })
        .collect();
    if shown.is_empty() {
        shown.push("nothing to do".to_owned());
    }
    if of(Verb::Unchanged) > 0 {
        shown.push(format!("{} unchanged", of(Verb::Unchanged)));
    }
    shown.join(", ")
}

fn is_unchanged(change: &Change) -> bool {
    change.actions.iter().all(|verb| *verb == Verb::Unchanged)
}

/// The verb that counts: the first that is not `=`.
fn main_verb(change: &Change) -> Verb {
    change.actions.iter().copied().find(|verb| *verb != Verb::Unchanged).unwrap_or(Verb::Unchanged)
}

fn symbol(change: &Change) -> String {
    let symbols: Vec<&str> = change.actions.iter().map(|verb| verb.symbol()).collect();
    if symbols.is_empty() { Verb::Unchanged.symbol().to_owned() } else { symbols.join(" ") }
}

/// Fields that a cause names: worth showing even where the old value is not known.
fn named_fields(change: &Change) -> BTreeSet<&str> {
    change
        .cause
        .iter()
        .flat_map(|cause| match cause {
            Cause::Fields(fields) => fields.iter().map(|(field, _)| field.as_str()).collect(),
            Cause::Drift(fields) => fields.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// A value on one line: texts bare, digests short, memory in the units that people write.
fn plain(field: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => escaped(&words::without_digest(text)),
        Value::Number(number) if field.starts_with("memory") => match number.as_u64() {
            Some(bytes) => indicatif::BinaryBytes(bytes).to_string(),
            None => number.to_string(),
        },
        Value::Object(ports) if field == "ports" => escaped(&ports_in_words(ports)),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(|item| plain(field, item)).collect::<Vec<_>>().join(", ")
        }
        other => escaped(&other.to_string()),
    }
}

/// Published ports as people write them: `8080:80/tcp, 127.0.0.1:9090:90/tcp`.
fn ports_in_words(ports: &serde_json::Map<String, Value>) -> String {
    let text = |value: &Value, names: [&str; 2]| {
        names.iter().find_map(|name| value[*name].as_str()).unwrap_or_default().to_owned()
    };
    let mut words = Vec::new();
    for (port, bindings) in ports {
        for binding in bindings.as_array().into_iter().flatten() {
            let (ip, host) = (text(binding, ["HostIp", "ip"]), text(binding, ["HostPort", "port"]));
            let parts = [ip, host, port.clone()];
            words.push(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":"));
        }
    }
    words.join(", ")
}
