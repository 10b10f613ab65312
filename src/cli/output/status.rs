//! What runs where, one line for each container that pillarbox manages.

pub(in crate::cli) mod usage;
mod wanted;

pub(in crate::cli) use wanted::Verdict;

use super::layout::{columns, wrap};
use super::style;
use super::table::Table;
use crate::desired::Desired;
use crate::observed::{Container, Health, HelperContainer, InstanceRole, Observed, Ownership, RunState};
use crate::plan::{Change, Verb};
use crate::problem::{Problems, escaped};
use crate::session::{Told, Usages};
use serde::Serialize;
use std::fmt::Write as _;
use usage::UsageStatus;
use wanted::{WantedStatus, is_absent, wanted};

/// A host and what is ours on it.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct HostStatus {
    host: String,
    engine: String,
    engine_version: String,
    /// As it is shown to people.
    #[serde(skip)]
    kind: String,
    containers: Vec<ContainerStatus>,
    /// What an apply would do to resources that have no container yet, or no longer a state.
    missing: Vec<String>,
    /// Resources that cannot be compared, and why.
    not_compared: Vec<String>,
    /// Containers that are to run.
    pub(super) wanted: Vec<WantedStatus>,
    /// How many resources an apply would change; what a gate holds is not among them.
    pub(super) changes: usize,
    notes: Vec<String>,
}

/// One container of ours.
#[derive(Debug, Serialize)]
struct ContainerStatus {
    name: String,
    service: String,
    version: String,
    generation: u64,
    /// Pillarbox did not make it; it was adopted.
    adopted: bool,
    /// `running`, `running, healthy`, `exited (1)`.
    state: String,
    /// It is kept for a rollback, and does not run.
    kept: bool,
    works: bool,
    /// Why an apply would change it; empty if it is up to date.
    pending: Vec<String>,
    #[serde(skip)]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageStatus>,
}

impl HostStatus {
    /// From what was read, what is wanted, and what would be planned.
    pub(in crate::cli) fn of(observed: &Observed, desired: &Desired, engine: String, told: &Told) -> Self {
        let plan = told.plan.as_ref().ok();
        let changes = plan.map(|plan| plan.changes.as_slice()).unwrap_or_default();
        let one_offs = observed.containers.iter().filter_map(|one| match &one.helper {
            Some(HelperContainer::Run { service }) => Some(format!(
                "{} is of a one-off command of service {}: {}",
                escaped(&one.name),
                escaped(service),
                escaped(&one.state.status)
            )),
            _ => None,
        });
        let notes = plan.into_iter().flat_map(|plan| plan.notes.iter().cloned()).chain(one_offs).collect();
        let nothing = told.plan.as_ref().err().into_iter().flat_map(Problems::iter);
        let nothing = nothing.map(|problem| format!("what an apply would do cannot be told: {problem}"));
        let reasons = told.untold.iter().flat_map(|(address, problems)| {
            problems.iter().map(move |problem| format!("{address} cannot be compared: {problem}"))
        });
        let not_compared = nothing.chain(reasons).collect();
        let mut containers: Vec<ContainerStatus> = observed
            .containers
            .iter()
            .filter_map(|one| {
                let adopted = observed.adopted.contains_key(&one.id);
                Some(ContainerStatus {
                    adopted,
                    ..ContainerStatus::of(one, one.ours.as_ref().or(one.renamed.as_ref())?, changes)
                })
            })
            .collect();
        containers.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
        let there = |change: &&Change| {
            containers.iter().any(|one| change.address == format!("container {}", one.name))
        };
        let missing = pending(changes).filter(|change| !there(change));
        let mut missing: Vec<String> =
            missing.map(|change| format!("{}: {}", change.address, causes(change))).collect();
        let stopped =
            |one: &WantedStatus| observed.own_volumes.stops.get(&one.service).is_some_and(|stop| !stop.over);
        let mut wanted = wanted(desired, &containers);
        // It is meant to be down.
        wanted.retain(|one| !stopped(one));
        // Whatever cannot be compared, that it is not there is seen.
        let absent = told.untold.iter().filter(|(address, _)| is_absent(address, desired, &containers));
        missing.extend(absent.map(|(address, _)| format!("{address}: is not there")));
        Self {
            host: observed.host.to_string(),
            engine,
            engine_version: observed.facts.engine_version.clone(),
            kind: observed.facts.engine(),
            missing,
            not_compared,
            wanted,
            changes: pending(changes).filter(|change| !change.actions.contains(&Verb::Held)).count(),
            notes,
            containers,
        }
    }
}

impl HostStatus {
    /// Adds what its containers use.
    pub(in crate::cli) fn with(mut self, usages: &Usages) -> Self {
        for one in &mut self.containers {
            one.usage = usages.of.get(&one.id).map(UsageStatus::of);
        }
        self
    }

    /// What monitoring wants to know.
    pub(in crate::cli) fn verdict(&self) -> Verdict {
        if self.wanted.iter().any(|one| !one.works) {
            Verdict::Down
        } else if self.changes > 0 || !self.not_compared.is_empty() {
            Verdict::Pending
        } else {
            Verdict::AsWanted
        }
    }

    /// The host.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// How many resources cannot be compared.
    pub(super) fn not_compared(&self) -> usize {
        self.not_compared.len()
    }
}

impl ContainerStatus {
    fn of(container: &Container, ours: &Ownership, changes: &[Change]) -> Self {
        let address = format!("container {}", container.name);
        let pending = pending(changes).filter(|change| change.address == address);
        Self {
            name: container.name.clone(),
            service: ours.service.clone(),
            version: ours.version.clone(),
            generation: ours.generation,
            adopted: false,
            state: state(&container.state),
            kept: container.role() == InstanceRole::Kept && !container.state.running,
            works: container.state.running
                && !container.state.restarting
                && container.state.health != Some(Health::Unhealthy),
            id: container.id.clone(),
            usage: None,
            pending: pending.flat_map(|change| change.cause.iter().map(ToString::to_string)).collect(),
        }
    }
}

fn pending(changes: &[Change]) -> impl Iterator<Item = &Change> {
    changes.iter().filter(|change| change.actions.iter().any(|verb| *verb != Verb::Unchanged))
}

fn causes(change: &Change) -> String {
    change.cause.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn state(state: &RunState) -> String {
    let mut text = state.status.clone();
    if !state.running && state.status == "exited" {
        let _ = write!(text, " ({})", state.exit_code);
    }
    match state.health {
        Some(Health::Healthy) => text.push_str(", healthy"),
        Some(Health::Unhealthy) => text.push_str(", unhealthy"),
        Some(Health::Starting) => text.push_str(", health not known yet"),
        None => {}
    }
    if state.restart_count > 0 {
        let _ = write!(text, ", restarted {} times", state.restart_count);
    }
    text
}

/// The column that says what an apply would change.
const PENDING: usize = 4;
/// What is pending, which then stands below the table; the generation; the version.
const LEAST_NEEDED: [usize; 3] = [PENDING, 2, 1];

/// All hosts as a table.
pub(in crate::cli) fn text(hosts: &[HostStatus], width: Option<usize>, kept: bool) -> String {
    let head = ["CONTAINER", "VERSION", "GENERATION", "STATE", "PENDING"].map(ToOwned::to_owned);
    let rows: Vec<[String; 5]> =
        hosts.iter().flat_map(|host| &host.containers).filter(|one| kept || !one.kept).map(row).collect();
    let room = width.map(|width| width.saturating_sub(2));
    let table = Table::new(std::iter::once(&head).chain(&rows), &LEAST_NEEDED, room);
    let mut out = String::new();
    let (bold, faint, warning) = (style::HOST, style::FAINT, style::WARNING);
    for host in hosts {
        let engine = format!("{}, {}", escaped(&host.engine), host.kind);
        // Its address and Engine in lines of their own, where one has no room for all.
        let narrow = width.is_some_and(|width| columns(&host.host) + 2 + columns(&engine) > width);
        let space = if narrow { "\n  " } else { "  " };
        let engine = wrap(&engine, room.filter(|_| narrow)).join("\n  ");
        let _ = writeln!(out, "{bold}{}{bold:#}{space}{faint}{engine}{faint:#}", host.host);
        let shown: Vec<&ContainerStatus> = host.containers.iter().filter(|one| kept || !one.kept).collect();
        if shown.is_empty() {
            let _ = writeln!(out, "  no containers of this workspace");
        } else {
            let _ = writeln!(out, "  {faint}{}{faint:#}", table.line(&head));
        }
        for one in &shown {
            let color = if one.works {
                style::PLAIN
            } else if one.kept {
                faint
            } else {
                warning
            };
            let _ = writeln!(out, "  {color}{}{color:#}", table.line(&row(one)));
        }
        for one in shown.iter().filter(|one| !table.shows(PENDING) && !one.pending.is_empty()) {
            let text = format!("container {}: {}", one.name, one.pending.join("; "));
            let _ = write!(out, "{}", remark("pending", warning, &text, room));
        }
        for missing in &host.missing {
            let _ = write!(out, "{}", remark("pending", warning, missing, room));
        }
        for note in host.not_compared.iter().chain(&host.notes) {
            let _ = write!(out, "{}", remark("note", faint, note, room));
        }
    }
    out
}

/// A line below the table, or as many as it needs.
fn remark(word: &str, style: anstyle::Style, text: &str, room: Option<usize>) -> String {
    let lines = wrap(&format!("{word} {}", escaped(text)), room.map(|room| room.saturating_sub(2)));
    let rest = lines.join("\n    ");
    format!("  {style}{word}{style:#}{}\n", &rest[word.len()..])
}

fn row(one: &ContainerStatus) -> [String; 5] {
    [
        escaped(&one.name),
        escaped(&one.version),
        one.generation.to_string(),
        escaped(&one.state),
        escaped(&one.pending.join("; ")),
    ]
}

#[cfg(test)]
mod tests;
