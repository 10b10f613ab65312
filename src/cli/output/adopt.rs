//! A container that pillarbox did not make, beside what is declared for its name: one line for each field.

use super::layout::{columns, cut, pad, wrap};
use super::plan::View;
use super::plan::change::{is_unchanged, main_verb, plain, symbol};
use super::style;
use crate::name::HostName;
use crate::plan::{Change, HostPlan, Verb};
use crate::planner::adopt::{Adoption, Candidate, Field};
use crate::problem::escaped;
use std::fmt::Write as _;

/// What is shown of a candidate.
pub(in crate::cli) struct Shown<'a> {
    /// Its host.
    pub host: &'a HostName,
    /// The container.
    pub candidate: &'a Candidate<'a>,
    /// What was compared.
    pub adoption: &'a Adoption,
    /// What an apply would do then.
    pub after: &'a HostPlan,
}

/// All of it.
pub(in crate::cli) fn text(shown: &Shown<'_>, view: View) -> String {
    let mut out = String::new();
    let (bold, faint) = (style::HOST, style::FAINT);
    let container = shown.candidate.container;
    let id = container.id.get(..12).unwrap_or(&container.id);
    let _ = writeln!(
        out,
        "{bold}{}{bold:#}  {faint}container {}, {}{faint:#}",
        shown.host,
        escaped(&container.name),
        escaped(id)
    );
    let fields = &shown.adoption.fields;
    let width = fields.iter().map(|field| columns(&field.name)).max().unwrap_or(0).min(28);
    for field in fields {
        let _ = writeln!(out, "{}", line(field, width, view));
    }
    out.push('\n');
    let room = view.width.map(|width| width.saturating_sub(2).max(20));
    let then = shown.after.changes.iter().filter(|change| !is_unchanged(change)).map(then);
    let then: Vec<String> = then.collect();
    if then.is_empty() {
        let good = style::GOOD;
        let _ = writeln!(out, "{good}All that is declared agrees{good:#}: an apply will change nothing");
    } else {
        let _ = writeln!(out, "{bold}The next apply{bold:#}");
        for line in then.iter().flat_map(|line| wrap(line, room)) {
            let _ = writeln!(out, "  {line}");
        }
    }
    let notes = shown.candidate.managed_by().into_iter().chain(shown.after.notes.iter().cloned());
    out.push_str(&noted(&notes.collect::<Vec<_>>(), room));
    out
}

/// What is said of a project beside its containers.
pub(in crate::cli) struct Beside<'a> {
    /// Declared containers that are not there.
    pub missing: &'a [String],
    /// Containers in which Compose ran a task; why the next apply runs it again, if it does.
    pub tasks: &'a [(&'a str, Option<&'a String>)],
    /// What is left as it is, in words.
    pub left: &'a [String],
}

/// A project on a host: a line for each container, and one for each field that differs; with `-v` for every field.
pub(in crate::cli) fn project(
    host: &str,
    name: &str,
    all: &[Shown<'_>],
    beside: &Beside<'_>,
    view: View,
) -> String {
    let mut out = String::new();
    let (bold, faint, warning) = (style::HOST, style::FAINT, style::WARNING);
    let _ = writeln!(out, "{bold}{host}{bold:#}  {faint}project {}{faint:#}", escaped(name));
    let width = all.iter().map(|one| columns(&one.candidate.container.name)).max().unwrap_or(0);
    for one in all {
        let fields = &one.adoption.fields;
        let agree = fields.iter().filter(|field| field.agrees).count();
        let number = match fields.len() {
            1 => "1 field".to_owned(),
            number => format!("{number} fields"),
        };
        let (color, symbol, said) = match one.adoption.agrees() {
            true => (style::PLAIN, "=", number),
            false => (warning, "≠", format!("{agree} of {number} agree")),
        };
        let container = pad(&escaped(&one.candidate.container.name), width);
        let _ = writeln!(out, "  {color}{symbol}{color:#} {container}  {said}");
        let shown = fields.iter().filter(|field| view.verbose || !field.agrees);
        let shown: Vec<&Field> = shown.collect();
        let width = shown.iter().map(|field| columns(&field.name)).max().unwrap_or(0).min(28);
        for field in shown {
            let _ = writeln!(out, "  {}", line(field, width, view));
        }
    }
    let room = view.width.map(|width| width.saturating_sub(2).max(20));
    for (name, why) in beside.tasks {
        let (color, symbol, said) = match why {
            None => (style::PLAIN, "=", "a task that ran as declared: it is not run again".to_owned()),
            Some(why) => (warning, "≠", format!("a task, which the next apply runs: {}", escaped(why))),
        };
        let _ = writeln!(out, "  {color}{symbol}{color:#} {}  {said}", pad(&escaped(name), width));
    }
    for missing in beside.missing {
        let _ = writeln!(out, "  {faint}+{faint:#} {}  is not there: an apply creates it", escaped(missing));
    }
    out.push('\n');
    let changes = all.iter().flat_map(|one| &one.after.changes);
    let mut lines: Vec<String> = Vec::new();
    for line in changes.filter(|change| !is_unchanged(change)).map(then) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "{bold}The next apply{bold:#}");
        for line in lines.iter().flat_map(|line| wrap(line, room)) {
            let _ = writeln!(out, "  {line}");
        }
    } else if !all.is_empty() {
        let good = style::GOOD;
        let _ = writeln!(out, "{good}All that is declared agrees{good:#}: an apply changes nothing of them");
    }
    let mut notes: Vec<String> = beside.left.to_vec();
    for note in all.iter().flat_map(|one| &one.after.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    out.push_str(&noted(&notes, room));
    out
}

fn noted(notes: &[String], room: Option<usize>) -> String {
    let mut out = String::new();
    for note in notes {
        for (index, line) in wrap(&escaped(note), room).iter().enumerate() {
            let margin = if index == 0 { "" } else { "  " };
            let _ = writeln!(out, "{margin}{line}");
        }
    }
    out
}

fn line(field: &Field, width: usize, view: View) -> String {
    let (color, symbol) = match field.agrees {
        true => (style::PLAIN, "="),
        false => (style::WARNING, "≠"),
    };
    let declared = match &field.declared {
        serde_json::Value::Null => "not declared".to_owned(),
        value => plain(&field.name, value),
    };
    let place = match &field.place {
        Some(place) if !field.agrees => format!("  ({place})"),
        _ => String::new(),
    };
    let name = pad(&escaped(&field.name), width);
    let room = view.width.map(|all| all.saturating_sub(6 + columns(&name) + columns(&place)).max(20));
    let faint = style::FAINT;
    format!("  {color}{symbol}{color:#} {name}  {}{faint}{place}{faint:#}", cut(&declared, room))
}

/// Whether an apply would replace it.
pub(in crate::cli) fn is_replaced(after: &HostPlan) -> bool {
    let replaces =
        |change: &Change| matches!(main_verb(change), Verb::ReplaceStopFirst | Verb::ReplaceStartFirst);
    after.changes.iter().any(replaces)
}

/// `replaces it, the old one stops first: env.LOG changed`.
fn then(change: &Change) -> String {
    let verb = match main_verb(change) {
        Verb::Create => "creates it",
        Verb::Remove => "removes it",
        Verb::Update => "changes it in place",
        Verb::ReplaceStopFirst => "replaces it; it stops before the new one starts",
        Verb::ReplaceStartFirst => "replaces it; it runs until the new one works",
        Verb::Unchanged => "leaves it",
        Verb::Held => "does nothing about it",
    };
    let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
    escaped(&format!("{} {}: {verb} ({})", symbol(change), change.address, causes.join("; ")))
}
