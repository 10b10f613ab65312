//! The runs of a workspace that were started on this machine, as their records say.

use super::recording::folder;
use super::vault::Vault;
use crate::problem::{Problem, Result, escaped};
use crate::record::RunRecord;
use crate::store;

/// A run, and whether its process still writes its record.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Its record.
    pub record: RunRecord,
    /// Whether it goes on.
    pub runs: bool,
}

/// The runs of a workspace, the newest first. What is no record is skipped.
///
/// # Errors
/// Where the folder of records cannot be read.
pub fn recorded_runs(vault: &Vault<'_>) -> Result<Vec<RecordedRun>> {
    let files = store::run_files(&folder(vault)?)?;
    let read = files.into_iter().filter_map(|path| {
        // It may go on between the two: then it is shown as it was.
        let runs = store::is_being_written(&path);
        let record = RunRecord::parse(&store::read_text(&path).ok()?)?;
        Some(RecordedRun { record, runs })
    });
    Ok(read.collect())
}

/// The run of an id.
///
/// # Errors
/// Where there is none; where the folder cannot be read.
pub fn recorded_run(vault: &Vault<'_>, id: &str) -> Result<RecordedRun> {
    let runs = recorded_runs(vault)?;
    runs.into_iter().find(|run| run.record.begin.run == id).ok_or_else(|| {
        Problem::usage(format!("this machine has no record of a run {}", escaped(id)))
            .hint("see which there are: pillarbox history")
            .into()
    })
}

/// The hosts of the last run that failed on them, or left them.
///
/// # Errors
/// Where no run is recorded, or all hosts of the last one are done.
pub fn failed_hosts(vault: &Vault<'_>) -> Result<Vec<String>> {
    let runs = recorded_runs(vault)?;
    let Some(last) = runs.first() else {
        return Err(Problem::usage(
            "no run of this workspace is recorded on this machine, so --failed names no host",
        )
        .into());
    };
    let begin = &last.record.begin;
    let hosts = last.record.not_done();
    let known = |host: &&str| vault.inventory().hosts.keys().any(|name| name.as_str() == *host);
    let left: Vec<String> = hosts.iter().copied().filter(known).map(str::to_owned).collect();
    if left.is_empty() {
        let what = format!("no host is left of the last run: {} {}, {}", begin.command, begin.run, begin.t);
        return Err(Problem::usage(what).hint("see what became of each: pillarbox history").into());
    }
    Ok(left)
}
