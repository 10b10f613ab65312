//! The record of a run: lines of JSON that say what was planned where and what became of it. It holds no secret, as
//! the plan holds none, and neither arguments nor variables of the process.

mod read;

pub use read::RunRecord;

use crate::plan::{Change, Plan, Verb, alike};
use serde::{Deserialize, Serialize};

/// Version of the lines.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// The first: a run that has the locks of its hosts.
    Run(Begin),
    /// What is done on some hosts, each different plan once.
    Body(Body),
    /// A host, or a part of its plan that failed, has ended; the last line of a host counts.
    Host(HostEnd),
    /// The last: without it the run was cut off, or goes on.
    End(End),
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// [`VERSION`].
    pub v: u32,
    /// When, in UTC.
    pub t: String,
    /// Its id: six hexadecimal digits.
    pub run: String,
    /// The workspace.
    pub workspace: String,
    /// `apply`, `rollback`.
    pub command: String,
    /// Who, as they call themselves.
    pub by: String,
    /// On which machine.
    pub from: String,
    /// The version of pillarbox.
    pub tool: String,
    /// The commit of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// The terms that chose the hosts; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<String>,
    /// How many hosts have something to do.
    pub hosts: usize,
}

/// What is done on some hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// `b1`.
    pub id: String,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// What changes.
    pub changes: Vec<Changed>,
}

/// A change as it is recorded: no value of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// `container nginx`.
    pub address: String,
    /// `replace-start-first`.
    pub actions: Vec<String>,
    /// Why.
    pub cause: String,
}

/// What became of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostEnd {
    /// When, in UTC.
    pub t: String,
    /// The host.
    pub host: String,
    /// In which batch it was, counted from 1.
    #[serde(default)]
    pub batch: usize,
    /// The body that was its plan; empty for a host that was left out.
    #[serde(default)]
    pub body: String,
    /// What became of it.
    pub end: HostResult,
    /// Milliseconds; a number with a point cannot be read back from a line with a tag.
    pub took_ms: u64,
    /// Why, in one line, if something failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of a host, in a word. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostResult {
    /// All of it was done.
    Done,
    /// It was skipped.
    Skipped,
    /// It, or a part of it, failed and was rolled back.
    RolledBack,
    /// It failed, and is not as it was.
    Failed,
    /// It could not be reached, and was left out.
    Unreachable,
    /// A newer pillarbox says what.
    #[serde(other)]
    Unknown,
}

impl HostResult {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::RolledBack => "rolled back",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When, in UTC.
    pub t: String,
    /// `done`, or the code of the error as in `--json`.
    pub result: String,
    /// Hosts on which all was done.
    pub done: usize,
    /// Hosts on which something was rolled back.
    #[serde(default)]
    pub rolled_back: usize,
    /// Hosts that failed otherwise.
    #[serde(default)]
    pub failed: usize,
    /// Hosts that were skipped.
    #[serde(default)]
    pub skipped: usize,
    /// Hosts that could not be reached and were left out.
    #[serde(default)]
    pub unreachable: usize,
}

impl Line {
    /// As it is written, with its newline.
    pub fn written(&self) -> String {
        // Texts and numbers can always be written.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{json}\n")
    }
}

/// The bodies of a plan, for the hosts that have something to do.
pub fn bodies(plan: &Plan) -> Vec<Body> {
    let changes = |change: &Change| change.actions.iter().any(|verb| *verb != Verb::Unchanged);
    let groups = alike(&plan.hosts, changes).into_iter().filter(|hosts| !hosts[0].steps.is_empty());
    let body = |(at, hosts): (usize, Vec<&crate::plan::HostPlan>)| Body {
        id: format!("b{}", at + 1),
        hosts: hosts.iter().map(|host| host.host.to_string()).collect(),
        changes: hosts[0].changes.iter().filter(|one| changes(one)).map(changed).collect(),
    };
    groups.enumerate().map(body).collect()
}

fn changed(change: &Change) -> Changed {
    let action = |verb: &Verb| match serde_json::to_value(verb) {
        Ok(serde_json::Value::String(word)) => word,
        _ => verb.symbol().to_owned(),
    };
    let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
    Changed {
        address: change.address.clone(),
        actions: change.actions.iter().map(action).collect(),
        cause: causes.join("; "),
    }
}

/// Whether a text can be the id of a run.
pub fn is_id(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The name of the file of a run: files in the order of their names are in that of time.
pub fn file_name(begin: &Begin) -> String {
    format!("{}-{}.jsonl", begin.t.replace(':', "-"), begin.run)
}
