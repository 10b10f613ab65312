//! A plan as people read it: per host one line for each change with its cause, below it what
//! differs; who receives which secret; notes; counts.

pub(in crate::cli::output) mod change;
pub(in crate::cli::output) mod count;
pub(in crate::cli::output) mod many;
pub(in crate::cli::output) mod order;
#[cfg(test)]
pub(in crate::cli::output) mod tests;

use super::hosts::on_hosts;
use super::layout::{columns, cut, pad, wrap};
use super::{Level, Output, style, words};
use crate::name::in_ranges;
use crate::plan::{Change, HostPlan, Plan, Receiver};
use crate::problem::escaped;
use change::{differences, is_unchanged, main_verb, symbol};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How much is shown, and how wide.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct View {
    /// Unchanged resources, every field of what is created, and the steps too.
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

/// Longest address that still shares a line with its cause.
const ADDRESS_MAX: usize = 44;

/// The whole plan.
pub(in crate::cli) fn text(plan: &Plan, view: View) -> String {
    if plan.hosts.len() > many::FEW && !view.verbose {
        return many::text(plan, view);
    }
    let mut out = String::new();
    for host in &plan.hosts {
        push_host(&mut out, host, view);
    }
    push_receivers(&mut out, plan, view);
    push_notes(&mut out, plan, view);
    out.push_str(&footer(plan, view));
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
    push_changes(out, &shown, view);
    if view.verbose && !plan.steps.is_empty() {
        push_steps(out, plan, view);
    }
    out.push('\n');
}

/// Changes under each other, their causes in one column.
fn push_changes(out: &mut String, shown: &[&Change], view: View) {
    let symbols = shown.iter().map(|change| columns(&symbol(change))).max().unwrap_or(1);
    let longest = view.width.map_or(ADDRESS_MAX, |width| ADDRESS_MAX.min(width / 3));
    let addresses = shown.iter().map(|change| columns(&change.address)).filter(|length| *length <= longest);
    let addresses = addresses.max().unwrap_or(0);
    for change in shown {
        push_change(out, change, symbols, addresses, view);
    }
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
    push_files(out, change, 2 + symbols + 1 + 2, view);
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

/// The files that change, each with its difference.
fn push_files(out: &mut String, change: &Change, indent: usize, view: View) {
    let (faint, margin) = (style::FAINT, " ".repeat(indent));
    for file in &change.files {
        let (path, said) = (escaped(&file.path), escaped(&change::file_line(file)));
        let room = view.width.map(|width| width.saturating_sub(indent + columns(&path) + 2).max(20));
        let _ =
            writeln!(out, "{}", format!("{margin}{faint}{path}{faint:#}  {}", cut(&said, room)).trim_end());
        let room = view.width.map(|width| width.saturating_sub(indent + 2).max(20));
        for (sign, line) in change::diff_lines(file) {
            let color = style::diff(sign);
            let _ = writeln!(out, "{margin}  {color}{}{color:#}", cut(&line, room));
        }
    }
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
    let lines = receivers(plan);
    push_list(out, "Secrets", ", who receives them", &lines, view);
}

fn push_notes(out: &mut String, plan: &Plan, view: View) {
    push_list(out, "Notes", "", &notes(plan), view);
}

/// Who receives which secret, each said once; not yet escaped.
pub(in crate::cli::output) fn receivers(plan: &Plan) -> Vec<String> {
    let each = plan.hosts.iter().flat_map(|host| {
        let line =
            |one: &Receiver| format!("{} → {}, {}, {}", one.secret, host.host, one.container, one.field);
        host.receivers.iter().map(line)
    });
    each.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The notes with their hosts; not yet escaped.
pub(in crate::cli::output) fn notes(plan: &Plan) -> Vec<String> {
    let of = |host: &HostPlan| -> Vec<String> {
        host.notes.iter().map(|note| format!("{}: {note}", host.host)).collect()
    };
    plan.hosts.iter().flat_map(of).collect()
}

fn push_list(out: &mut String, title: &str, rest: &str, lines: &[String], view: View) {
    if lines.is_empty() {
        return;
    }
    let head = style::HOST;
    let _ = writeln!(out, "{head}{title}{head:#}{rest}");
    for line in lines {
        push_hanging(out, &escaped(line), view);
    }
    out.push('\n');
}

fn push_hanging(out: &mut String, text: &str, view: View) {
    let lines = wrap(text, view.width.map(|width| width.saturating_sub(4).max(20)));
    for (index, line) in lines.iter().enumerate() {
        let _ = writeln!(out, "{}{line}", if index == 0 { "  " } else { "    " });
    }
}

/// Counts per action and host: one line each, `no changes` where that is so; before it the hosts that are paused.
fn footer(plan: &Plan, view: View) -> String {
    let mut out = String::new();
    push_paused(&mut out, plan);
    if plan.hosts.is_empty() && !plan.paused.is_empty() {
        return out;
    }
    if let Some((up_to_date, hosts)) = count::no_changes(plan) {
        let good = style::GOOD;
        let level = if view.verbose { Level::Verbose } else { Level::Normal };
        let said = on_hosts(&format!("no changes: {up_to_date}"), &hosts, level);
        let rest = said.strip_prefix("no changes").unwrap_or(&said);
        let _ = writeln!(out, "{good}no changes{good:#}{rest}");
        return out;
    }
    let names = plan.hosts.iter().map(|host| columns(host.host.as_str())).max().unwrap_or(0);
    for host in &plan.hosts {
        let name = format!("{}:", host.host);
        let counts: Vec<String> = count::counts(host).iter().map(colored).collect();
        let _ = writeln!(out, "{}  {}", pad(&name, names + 1), counts.join(", "));
    }
    if let Some(order) = order::of(&plan.batches) {
        let _ = writeln!(out, "order:  {order}");
    }
    out
}

/// The hosts that are paused, a line for each reason.
fn push_paused(out: &mut String, plan: &Plan) {
    let faint = style::FAINT;
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in &plan.paused {
        reasons.entry(&one.reason).or_default().push(one.host.as_str());
    }
    for (reason, hosts) in reasons {
        let _ = writeln!(out, "{}:  {faint}paused, {}{faint:#}", in_ranges(&hosts, 60), escaped(reason));
    }
}

fn colored(count: &count::Count) -> String {
    let color = count.verb.map_or(style::PLAIN, style::verb);
    format!("{color}{}{color:#}", count.words)
}
