//! What happens while a plan is applied: one line for each resource when it is done, with `-v` one for each
//! step too; bars on a terminal. With `-q` only what failed.

mod bars;
mod resource;
mod tally;

#[cfg(test)]
mod tests;

use super::layout::{columns, pad};
use super::{Level, style, words};
use crate::event::{Event, EventKind, GroupEnd};
use crate::name::HostName;
use crate::plan::{HostPlan, Plan, Step};
use crate::problem::escaped;
use bars::Bars;
use resource::{Resource, resources};
use std::collections::HashMap;
use std::time::Duration;
pub(in crate::cli) use tally::Tally;

/// Longest address that others are padded to.
const ADDRESS_MAX: usize = 44;

/// Shows events of one run. Its lines go to standard error.
pub(in crate::cli) struct Progress<'a> {
    hosts: HashMap<&'a HostName, HostProgress<'a>>,
    /// Columns of the addresses.
    addresses: usize,
    level: Level,
    bars: Option<Bars>,
    line: Box<dyn Fn(&str) + 'a>,
}

/// A host's plan with what its groups mean.
struct HostProgress<'a> {
    plan: &'a HostPlan,
    resources: HashMap<&'a str, Resource>,
}

impl<'a> Progress<'a> {
    /// For a plan; `terminal`: bars can be drawn on standard error.
    pub(in crate::cli) fn new(plan: &'a Plan, level: Level, terminal: bool) -> Self {
        let bars = (terminal && level > Level::Quiet).then(|| Bars::new(plan));
        Self::with(plan, level, bars, Box::new(to_stderr))
    }

    fn with(plan: &'a Plan, level: Level, bars: Option<Bars>, line: Box<dyn Fn(&str) + 'a>) -> Self {
        let hosts: HashMap<&HostName, HostProgress<'_>> = plan
            .hosts
            .iter()
            .map(|plan| (&plan.host, HostProgress { plan, resources: resources(plan) }))
            .collect();
        let shown = hosts.values().flat_map(|host| host.resources.values());
        let lengths = shown.map(|one| columns(&one.address)).filter(|length| *length <= ADDRESS_MAX);
        let addresses = lengths.max().unwrap_or(0);
        Self { hosts, addresses, level, bars, line }
    }

    /// Shows one event.
    pub(in crate::cli) fn show(&self, event: &Event) {
        let Some(host) = self.hosts.get(&event.host) else { return };
        if let Some(bars) = &self.bars {
            bars.follow(host, &event.kind);
        }
        for line in self.lines(host, &event.kind) {
            self.print(&format!("{}: {line}", event.host));
        }
    }

    /// Shows a line that is of no single host.
    pub(in crate::cli) fn line(&self, text: &str) {
        if self.level > Level::Quiet {
            self.print(&escaped(text));
        }
    }

    fn print(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.above(line),
            None => (self.line)(line),
        }
    }

    /// Takes the bars away.
    pub(in crate::cli) fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }

    /// The lines that stay.
    fn lines(&self, host: &HostProgress<'_>, kind: &EventKind) -> Vec<String> {
        let verbose = self.level == Level::Verbose;
        match kind {
            EventKind::PullProgress { .. } => Vec::new(),
            // What can take minutes is also said when it begins, unless a bar shows it.
            EventKind::StepStarted { step } => match host.step(*step) {
                Some(step) if verbose && self.bars.is_none() && takes_long(step) => {
                    vec![format!("{} …", host.words(step.id))]
                }
                _ => Vec::new(),
            },
            EventKind::StepDone { step, took } if verbose => {
                vec![format!("{}  {}", host.words(*step), time(*took))]
            }
            EventKind::StepDone { .. } => Vec::new(),
            EventKind::Warned { step, text } => {
                let warning = style::WARNING;
                vec![format!(
                    "{}: {warning}the Engine warns:{warning:#} {}",
                    host.address(*step),
                    escaped(text)
                )]
            }
            EventKind::StepFailed { step, why } => {
                let error = style::ERROR;
                vec![format!("{}: {error}failed:{error:#} {}", host.address(*step), escaped(why))]
            }
            EventKind::ContainerLog { container, lines } => said("last log lines", container, lines),
            EventKind::ProbeLog { container, lines } => said("failed health checks", container, lines),
            EventKind::UndoStarted { .. } => Vec::new(),
            EventKind::UndoDone { step, action, failed: None } if verbose => {
                vec![format!("{}: rolling back: {}  done", host.address(*step), escaped(action))]
            }
            EventKind::UndoDone { failed: None, .. } => Vec::new(),
            EventKind::UndoDone { step, action, failed: Some(why) } => {
                let (error, action) = (style::ERROR, escaped(action));
                let address = host.address(*step);
                vec![format!("{address}: rolling back: {action}  {error}failed:{error:#} {}", escaped(why))]
            }
            EventKind::GroupEnded { group, end, took } => self.ended(host, group, *end, *took),
            EventKind::EngineAway => {
                vec!["its Engine does not answer; pillarbox waits for it, for 30 seconds at most".to_owned()]
            }
            EventKind::RegistryAway { text } => vec![escaped(text)],
            EventKind::Interrupted => {
                vec!["interrupted: what was begun is finished or rolled back".to_owned()]
            }
        }
    }

    /// The line of a resource: what it is, what has become of it, how long that took.
    fn ended(&self, host: &HostProgress<'_>, group: &str, end: GroupEnd, took: Duration) -> Vec<String> {
        let Some(resource) = host.resources.get(group) else { return Vec::new() };
        let (color, result) = match end {
            GroupEnd::Done if self.level == Level::Quiet => return Vec::new(),
            GroupEnd::Done => (style::PLAIN, resource.result.as_str()),
            // What failed was said when it failed.
            GroupEnd::Failed | GroupEnd::Skipped => return Vec::new(),
            GroupEnd::RolledBack | GroupEnd::RollbackFailed | GroupEnd::Interrupted => {
                (style::ERROR, end.words())
            }
        };
        let address = pad(&resource.address, self.addresses);
        vec![format!("{address}  {color}{result}{color:#}  {}", time(took))]
    }
}

impl HostProgress<'_> {
    fn step(&self, id: u32) -> Option<&Step> {
        words::step(self.plan, id)
    }

    /// The resource that a step is a part of.
    fn address(&self, id: u32) -> String {
        let resource = self.step(id).and_then(|step| self.resources.get(step.group.as_str()));
        resource.map_or_else(|| format!("step #{id}"), |resource| resource.address.clone())
    }

    /// The resource and what is done: `container nginx: stop nginx`; of an image only what is done.
    fn words(&self, id: u32) -> String {
        match self.step(id) {
            Some(step) if step.action.prepares() => escaped(&words::action(&step.action)),
            Some(step) => format!("{}: {}", self.address(id), escaped(&words::action(&step.action))),
            None => self.address(id),
        }
    }
}

/// What a container, or its health check, said.
fn said(what: &str, container: &str, lines: &[String]) -> Vec<String> {
    let head = format!("{what} of {}:", escaped(container));
    let lines = lines.iter().map(|line| format!("  | {}", escaped(line)));
    std::iter::once(head).chain(lines).collect()
}

fn takes_long(step: &Step) -> bool {
    use crate::plan::Action::{Exec, Pull, Stop};
    step.action.waits() || matches!(step.action, Pull { .. } | Stop { .. } | Exec { .. })
}

/// `0.4s`, `12s`, `3m05s`.
fn time(took: Duration) -> String {
    match took.as_secs() {
        0..10 => format!("{:.1}s", took.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds}s"),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

fn to_stderr(line: &str) {
    let _ = std::io::Write::write_all(&mut anstream::stderr(), format!("{line}\n").as_bytes());
}
