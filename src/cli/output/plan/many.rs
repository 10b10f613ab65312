//! A plan of many hosts: equal changes once, with the hosts that they are for.

#[cfg(test)]
mod tests;

use super::change::is_unchanged;
use super::{View, count, order, push_list, push_paused};
use crate::cli::output::layout::{columns, cut, pad};
use crate::cli::output::style;
use crate::name::in_ranges;
use crate::plan::{Change, HostPlan, Plan, Receiver, alike};
use crate::problem::escaped;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Of up to so many hosts each is shown by itself.
pub(in crate::cli::output) const FEW: usize = 8;
/// Columns of a line, also where there is no terminal.
const WIDTH: usize = 100;
/// Different plans that are shown with their changes.
const DETAILED: usize = 20;
/// Different plans that are shown at all.
const SHOWN: usize = 60;
/// Receivers and notes that are shown.
const LINES: usize = 30;

/// Hosts for which the same is shown.
pub(in crate::cli::output) struct Group<'p> {
    /// `A`.
    pub(in crate::cli::output) letter: String,
    /// Its hosts, at least one.
    pub(in crate::cli::output) hosts: Vec<&'p HostPlan>,
}

impl Group<'_> {
    /// `941 hosts`.
    pub(in crate::cli::output) fn size(&self) -> String {
        hosts(self.hosts.len())
    }

    /// The names of its hosts.
    pub(in crate::cli::output) fn names(&self) -> Vec<&str> {
        self.hosts.iter().map(|host| host.host.as_str()).collect()
    }
}

/// The groups of a plan: those with changes first, of these the larger ones.
pub(in crate::cli::output) fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let mut all = alike(&plan.hosts, |change| !is_unchanged(change));
    all.sort_by_key(|hosts| (changes(hosts[0]).next().is_none(), std::cmp::Reverse(hosts.len())));
    let lettered = all.into_iter().enumerate();
    lettered.map(|(at, hosts)| Group { letter: letter(at), hosts }).collect()
}

fn changes(plan: &HostPlan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| !is_unchanged(change))
}

/// `A` to `Z`, then `AA`.
fn letter(mut at: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'A' + u8::try_from(at % 26).unwrap_or_default()));
        if at < 26 {
            return letters;
        }
        at = at / 26 - 1;
    }
}

/// `1 host`, `1,000 hosts`.
pub(in crate::cli::output) fn hosts(count: usize) -> String {
    format!("{} {}", thousands(count), if count == 1 { "host" } else { "hosts" })
}

fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// The whole plan.
pub(super) fn text(plan: &Plan, view: View) -> String {
    let view = View { width: Some(view.width.unwrap_or(WIDTH).min(WIDTH)), ..view };
    let mut out = String::new();
    if let Some((up_to_date, _)) = count::no_changes(plan) {
        let good = style::GOOD;
        push_list(&mut out, "Notes", "", &bounded(notes(plan)), view);
        push_paused(&mut out, plan);
        let _ = writeln!(out, "{good}no changes{good:#}: {up_to_date} {}", hosts(plan.hosts.len()));
        return out;
    }
    let groups = groups(plan);
    let different = match groups.len() {
        1 => "the same for each".to_owned(),
        several => format!("{several} different plans"),
    };
    let head = style::HOST;
    let _ = writeln!(out, "{head}plan for {}{head:#}, {different}\n", hosts(plan.hosts.len()));
    let letters = groups.iter().map(|group| group.letter.len()).max().unwrap_or(1);
    let sizes = groups.iter().map(|group| group.size().len()).max().unwrap_or(1);
    for (at, group) in groups.iter().take(SHOWN).enumerate() {
        push_head(&mut out, group, letters, sizes, view);
        if at < DETAILED {
            push_changes(&mut out, group.hosts[0], view);
        } else {
            let counts: Vec<String> =
                count::counts(group.hosts[0]).into_iter().map(|count| count.words).collect();
            let _ = writeln!(out, "  {}", counts.join(", "));
        }
    }
    let more: usize = groups.iter().skip(SHOWN).map(|group| group.hosts.len()).sum();
    if more > 0 {
        let _ = writeln!(out, "… and {} more plans of {}: -v", groups.len() - SHOWN, hosts(more));
    }
    out.push('\n');
    push_list(&mut out, "Secrets", ", who receives them", &bounded(receivers(plan)), view);
    push_list(&mut out, "Notes", "", &bounded(notes(plan)), view);
    push_paused(&mut out, plan);
    if let Some(order) = order::of(&plan.batches) {
        let _ = writeln!(out, "order:  {order}");
    }
    out.push_str(&footer(plan, &groups));
    out
}

fn push_head(out: &mut String, group: &Group<'_>, letters: usize, sizes: usize, view: View) {
    let head = style::HOST;
    let before = format!("{}  {:>sizes$}  ", pad(&group.letter, letters), group.size());
    let room = view.width.unwrap_or(WIDTH).saturating_sub(columns(&before)).max(20);
    let names = in_ranges(&group.names(), room);
    let _ = writeln!(out, "{head}{before}{}{head:#}", cut(&names, Some(room)));
}

fn push_changes(out: &mut String, plan: &HostPlan, view: View) {
    let shown: Vec<&Change> = changes(plan).collect();
    if shown.is_empty() {
        out.push_str("  nothing to do\n");
    }
    super::push_changes(out, &shown, view);
}

/// The first of many lines.
fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES);
    if more > 1 {
        lines.truncate(LINES);
        lines.push(format!("and {more} more: -v"));
    }
    lines
}

/// Who receives which secret, the hosts of a container counted.
pub(in crate::cli::output) fn receivers(plan: &Plan) -> Vec<String> {
    let mut by: BTreeMap<&Receiver, Vec<&str>> = BTreeMap::new();
    for host in &plan.hosts {
        for one in &host.receivers {
            by.entry(one).or_default().push(host.host.as_str());
        }
    }
    let line = |(one, hosts): (&Receiver, Vec<&str>)| {
        format!("{} → {}, {}, {}", one.secret, few_or_count(&hosts), one.container, one.field)
    };
    by.into_iter().map(line).collect()
}

/// The notes, each once with its hosts.
pub(in crate::cli::output) fn notes(plan: &Plan) -> Vec<String> {
    let mut order: Vec<&str> = Vec::new();
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for host in &plan.hosts {
        for note in &host.notes {
            let of = by.entry(note).or_default();
            if of.is_empty() {
                order.push(note);
            }
            of.push(host.host.as_str());
        }
    }
    order.into_iter().map(|note| format!("{}: {note}", few_or_count(&by[note]))).collect()
}

/// Up to three names, else their number.
fn few_or_count(names: &[&str]) -> String {
    if names.len() <= 3 { names.join(", ") } else { hosts(names.len()) }
}

/// How many hosts change, and where more is to be seen.
fn footer(plan: &Plan, groups: &[Group<'_>]) -> String {
    let busy = plan.hosts.iter().filter(|host| !host.steps.is_empty()).count();
    let held =
        plan.hosts.iter().filter(|host| host.steps.is_empty() && changes(host).next().is_some()).count();
    let wanted = plan.hosts.len() - busy - held;
    let counts = [(busy, "to change"), (held, "held"), (wanted, "up to date"), (plan.paused.len(), "paused")];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", thousands(*count)))
        .collect();
    let first = groups.first().map_or("HOST", |group| group.hosts[0].host.as_str());
    let (head, faint) = (style::HOST, style::FAINT);
    format!("{head}{}{head:#}  {faint}details: -v, --host {}{faint:#}\n", counts.join(", "), escaped(first))
}
