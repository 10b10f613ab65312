//! Writing the record of a run while it goes on. A run never fails because of its record.

use super::git::Git;
use super::vault::Vault;
use crate::event::{Event, EventKind, GroupEnd};
use crate::execute::{HostOutcome, Outcome};
use crate::name::HostName;
use crate::plan::Plan;
use crate::problem::{Problem, Result};
use crate::record::{self, Begin, Body, End, HostEnd, HostResult, Line, VERSION};
use crate::store::{self, RunFile};
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The record of a run that goes on.
pub(super) struct Recording<'v> {
    vault: &'v Vault<'v>,
    state: RefCell<State>,
}

struct State {
    /// `None` where nothing can be written any more; that was said.
    file: Option<RunFile>,
    hosts: BTreeMap<String, HostState>,
    /// How many hosts were left out.
    unreachable: usize,
}

/// A host that has something to do.
struct HostState {
    body: String,
    /// Counted from 1.
    batch: usize,
    /// Its groups that have not ended.
    groups: BTreeSet<String>,
    /// When its first step began.
    began: Option<Instant>,
    result: HostResult,
    error: Option<String>,
}

impl<'v> Recording<'v> {
    /// Begins a record, and takes old ones away.
    pub(super) fn begin(
        vault: &'v Vault<'v>,
        command: &str,
        terms: &[String],
        plan: &Plan,
        unreachable: &[HostName],
    ) -> Self {
        let bodies = record::bodies(plan);
        let made = first_lines(vault, command, terms, &bodies, unreachable);
        let file = made.map_err(|problems| warn(vault, &problems.to_string())).ok();
        let body = |host: &str| bodies.iter().find(|body| body.hosts.iter().any(|name| name == host));
        let batch = |host: &str| {
            plan.batches.iter().position(|batch| batch.hosts.iter().any(|one| one.as_str() == host))
        };
        let busy = plan.hosts.iter().filter(|host| !host.steps.is_empty());
        let hosts = busy.map(|host| {
            let state = HostState {
                body: body(host.host.as_str()).map(|body| body.id.clone()).unwrap_or_default(),
                batch: batch(host.host.as_str()).map_or(0, |at| at + 1),
                groups: host.steps.iter().map(|step| step.group.clone()).collect(),
                began: None,
                result: HostResult::Done,
                error: None,
            };
            (host.host.to_string(), state)
        });
        let state = State { file, hosts: hosts.collect(), unreachable: unreachable.len() };
        Self { vault, state: RefCell::new(state) }
    }

    /// Records what ends a host, or a part of it that failed.
    pub(super) fn see(&self, event: &Event) {
        let mut state = self.state.borrow_mut();
        let State { file, hosts, .. } = &mut *state;
        let Some(host) = hosts.get_mut(event.host.as_str()) else { return };
        match &event.kind {
            EventKind::StepStarted { .. } => drop(host.began.get_or_insert_with(Instant::now)),
            EventKind::StepFailed { why, .. } => host.error = Some(why.clone()),
            EventKind::GroupEnded { group, end, .. } => {
                host.groups.remove(group);
                host.result = host.result.max(result(*end));
                if host.groups.is_empty() || *end != GroupEnd::Done {
                    let line = host.line(event.host.as_str());
                    self.write(file, &line);
                }
            }
            _ => {}
        }
    }

    /// Ends the record with what became of the hosts that no event told of.
    pub(super) fn end(&self, outcome: &Outcome) {
        let mut state = self.state.borrow_mut();
        let State { file, hosts, unreachable } = &mut *state;
        let (result, unreachable) = ("done".to_owned(), *unreachable);
        let mut end = End { t: now(), result, unreachable, ..End::default() };
        for (name, host) in hosts.iter_mut() {
            let became = outcome.hosts.iter().find(|one| one.host.as_str() == name);
            let became = became.map_or(HostResult::Skipped, of_host);
            if became != HostResult::Skipped && (host.result != became || !host.groups.is_empty()) {
                host.result = became;
                let line = host.line(name);
                self.write(file, &line);
            }
            match became {
                HostResult::Done => end.done += 1,
                HostResult::RolledBack => end.rolled_back += 1,
                HostResult::Skipped => end.skipped += 1,
                HostResult::Failed | HostResult::Unreachable | HostResult::Unknown => end.failed += 1,
            }
        }
        if let Some(problems) = &outcome.failure {
            end.result = problems.code().word().to_owned();
        }
        self.write(file, &Line::End(end));
        if let Some(Err(problems)) = file.as_ref().map(RunFile::sync) {
            warn(self.vault, &problems.to_string());
        }
        *file = None;
    }

    fn write(&self, file: &mut Option<RunFile>, line: &Line) {
        let Some(open) = file else { return };
        if let Err(problems) = open.append(&line.written()) {
            warn(self.vault, &problems.to_string());
            *file = None;
        }
    }
}

impl HostState {
    fn line(&self, host: &str) -> Line {
        let took = self.began.map_or(0, |began| began.elapsed().as_millis());
        let failed = matches!(self.result, HostResult::RolledBack | HostResult::Failed);
        Line::Host(HostEnd {
            t: now(),
            host: host.to_owned(),
            batch: self.batch,
            body: self.body.clone(),
            end: self.result,
            took_ms: u64::try_from(took).unwrap_or(u64::MAX),
            error: self.error.clone().filter(|_| failed),
        })
    }
}

fn warn(vault: &Vault<'_>, why: &str) {
    vault.session().operator.warn(format_args!("this run is not recorded: {why}"));
}

fn now() -> String {
    // Of one length, so that the names of files are in the order of time.
    format!("{:.3}", Timestamp::now())
}

/// Makes the file of a run and writes what is known when it begins.
fn first_lines(
    vault: &Vault<'_>,
    command: &str,
    terms: &[String],
    bodies: &[Body],
    unreachable: &[HostName],
) -> Result<RunFile> {
    let session = vault.session();
    let begin = Begin {
        v: VERSION,
        t: now(),
        run: new_id()?,
        workspace: vault.name().to_string(),
        command: command.to_owned(),
        by: session.env.user.clone(),
        from: session.env.machine.clone(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        git: commit(vault),
        host: terms.to_vec(),
        hosts: bodies.iter().map(|body| body.hosts.len()).sum(),
    };
    let folder = folder(vault)?;
    let config = session.config()?;
    let oldest = Timestamp::now().as_second() - i64::from(config.runs_days) * 24 * 3600;
    let oldest =
        Timestamp::from_second(oldest).map(|time| time.to_string().replace(':', "-")).unwrap_or_default();
    let mut file = RunFile::create(&folder, &record::file_name(&begin))?;
    file.append(&Line::Run(begin).written())?;
    for body in bodies {
        file.append(&Line::Body(body.clone()).written())?;
    }
    for host in unreachable {
        file.append(&left_out(host).written())?;
    }
    file.sync()?;
    store::prune_runs(&folder, usize::from(config.runs_keep), &oldest)?;
    Ok(file)
}

/// The line of a host that is left out because it cannot be reached.
fn left_out(host: &HostName) -> Line {
    Line::Host(HostEnd {
        t: now(),
        host: host.to_string(),
        batch: 0,
        body: String::new(),
        end: HostResult::Unreachable,
        took_ms: 0,
        error: None,
    })
}

/// Where the records of a workspace are.
pub(super) fn folder(vault: &Vault<'_>) -> Result<std::path::PathBuf> {
    Ok(vault.session().paths()?.runs.join(vault.owner().scope()))
}

fn new_id() -> Result<String> {
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes)
        .map_err(|error| Problem::failed("the system gives no random numbers").cause(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The commit of the workspace, if it is in git.
fn commit(vault: &Vault<'_>) -> Option<String> {
    let git = Git::around(vault.session(), vault.workspace().root()).ok()?;
    let said = git.ask(["rev-parse", "--verify", "--short=12", "HEAD"], b"").ok()?;
    let commit = String::from_utf8(said).ok()?.trim().to_owned();
    commit.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(commit).filter(|commit| !commit.is_empty())
}

fn result(end: GroupEnd) -> HostResult {
    match end {
        GroupEnd::Done => HostResult::Done,
        GroupEnd::Skipped => HostResult::Skipped,
        GroupEnd::RolledBack => HostResult::RolledBack,
        GroupEnd::Interrupted | GroupEnd::Failed | GroupEnd::RollbackFailed => HostResult::Failed,
    }
}

fn of_host(outcome: &HostOutcome) -> HostResult {
    outcome.groups.iter().map(|(_, end)| result(*end)).max().unwrap_or(HostResult::Done)
}
