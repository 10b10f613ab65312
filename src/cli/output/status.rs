//! What runs where, one line for each container that pillarbox manages.

use super::layout::{columns, wrap};
use super::style;
use super::table::Table;
use crate::observed::{Container, Health, InstanceRole, Observed, Ownership, RunState};
use crate::plan::{Change, HostPlan, Verb};
use crate::problem::escaped;
use serde::Serialize;
use std::fmt::Write as _;

/// A host and what is ours on it.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct HostStatus {
    host: String,
    engine: String,
    engine_version: String,
    containers: Vec<ContainerStatus>,
    /// What an apply would do to resources that have no container yet, or no longer a state.
    missing: Vec<String>,
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
}

impl HostStatus {
    /// From what was read and what would be planned; `notes` say why not, if that cannot be told.
    pub(in crate::cli) fn of(
        observed: &Observed,
        engine: String,
        plan: Option<&HostPlan>,
        mut notes: Vec<String>,
    ) -> Self {
        let changes = plan.map(|plan| plan.changes.as_slice()).unwrap_or_default();
        notes.extend(plan.into_iter().flat_map(|plan| plan.notes.iter().cloned()));
        let mut containers: Vec<ContainerStatus> = observed
            .containers
            .iter()
            .filter_map(|one| {
                let adopted = observed.adopted.contains_key(&one.id);
                Some(ContainerStatus { adopted, ..ContainerStatus::of(one, one.ours.as_ref()?, changes) })
            })
            .collect();
        containers.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
        let there = |change: &&Change| {
            containers.iter().any(|one| change.address == format!("container {}", one.name))
        };
        let missing = pending(changes).filter(|change| !there(change));
        Self {
            host: observed.host.to_string(),
            engine,
            engine_version: observed.facts.engine_version.clone(),
            missing: missing.map(|change| format!("{}: {}", change.address, causes(change))).collect(),
            notes,
            containers,
        }
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
        let engine = format!("{}, Engine {}", escaped(&host.engine), escaped(&host.engine_version));
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
        for note in &host.notes {
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
mod tests {
    use super::*;
    use crate::desired::Fingerprint;
    use crate::name::HostName;
    use crate::observed::{Facts, Inspect};
    use crate::plan::{Cause, PlanBody};
    use std::collections::BTreeMap;

    fn container(name: &str, ours: bool, status: &str, health: Option<Health>) -> Container {
        let ownership = Ownership {
            service: name.to_owned(),
            instance: format!("{name}.g3"),
            generation: 3,
            spec: Fingerprint("v1:sha256:0".to_owned()),
            fields: BTreeMap::new(),
            image: String::new(),
            version: "1.8.2".to_owned(),
            tasks: BTreeMap::new(),
        };
        Container {
            id: "1".to_owned(),
            name: name.to_owned(),
            image_id: String::new(),
            ours: ours.then_some(ownership),
            impostor: false,
            helper: None,
            state: RunState {
                status: status.to_owned(),
                running: status == "running",
                restarting: false,
                restart_count: 0,
                started_at: String::new(),
                finished_at: String::new(),
                created_at: String::new(),
                exit_code: 137,
                error: String::new(),
                health,
            },
            inspect: Inspect::new(serde_json::Value::Null),
        }
    }

    #[test]
    fn ours_are_shown_with_what_is_pending_and_strangers_are_not() {
        let observed = Observed {
            host: HostName::parse("web1").expect("a name"),
            facts: Facts {
                engine_id: "ID".to_owned(),
                engine_version: "20.10.24".to_owned(),
                api_version: "1.41".to_owned(),
                os: "linux".to_owned(),
                arch: "amd64".to_owned(),
                cpus: 2,
                memory: 1,
                hostname: "web1".to_owned(),
                labels: BTreeMap::new(),
                can_update: true,
                runs_health_checks: true,
            },
            anonymous: BTreeMap::new(),
            containers: vec![
                container("stranger", false, "running", None),
                container("nginx", true, "running", Some(Health::Healthy)),
                container("api", true, "exited", None),
                Container { name: "api.g3.kept".to_owned(), ..container("api", true, "exited", None) },
            ],
            images: BTreeMap::new(),
            resolved: BTreeMap::new(),
            unresolved: BTreeMap::new(),
            own_volumes: crate::observed::OwnVolumes::default(),
            networks: Vec::new(),
            volumes: Vec::new(),
            adopted: BTreeMap::new(),
            keeps: BTreeMap::new(),
        };
        let change = |address: &str, verb, cause| Change {
            address: address.to_owned(),
            actions: vec![verb],
            cause: vec![cause],
            before: None,
            after: None,
        };
        let changes = vec![
            change("container nginx", Verb::Unchanged, Cause::AsWanted),
            change("container api", Verb::Update, Cause::NotRunning { status: "exited (137)".to_owned() }),
            change("container worker", Verb::Create, Cause::Missing),
        ];
        let body = PlanBody { changes, ..PlanBody::default() };
        let engine = "unix:///run/docker.sock".to_owned();
        let plan = HostPlan::new(observed.host.clone(), engine, "ID".to_owned(), body);
        let engine = plan.engine.clone();
        let status = [HostStatus::of(&observed, engine, Some(&plan), vec!["a note".to_owned()])];
        insta::assert_snapshot!(anstream::adapter::strip_str(&text(&status, None, false)).to_string(), @r"
        web1  unix:///run/docker.sock, Engine 20.10.24
          CONTAINER  VERSION  GENERATION  STATE             PENDING
          api        1.8.2    3           exited (137)      it is exited (137)
          nginx      1.8.2    3           running, healthy
          pending container worker: will be created
          note a note
        ");
        let narrow = |width| anstream::adapter::strip_str(&text(&status, Some(width), false)).to_string();
        insta::assert_snapshot!(narrow(60), @r"
        web1  unix:///run/docker.sock, Engine 20.10.24
          CONTAINER  VERSION  GENERATION  STATE
          api        1.8.2    3           exited (137)
          nginx      1.8.2    3           running, healthy
          pending container api: it is exited (137)
          pending container worker: will be created
          note a note
        ");
        insta::assert_snapshot!(narrow(40), @r"
        web1
          unix:///run/docker.sock, Engine
          20.10.24
          CONTAINER  VERSION  STATE
          api        1.8.2    exited (137)
          nginx      1.8.2    running, healthy
          pending container api: it is exited
            (137)
          pending container worker: will be
            created
          note a note
        ");
        assert!(!narrow(30).contains("VERSION"), "{}", narrow(30));
        let all = anstream::adapter::strip_str(&text(&status, None, true)).to_string();
        assert!(all.contains("api.g3.kept") && !text(&status, None, false).contains("kept"), "{all}");
    }
}
