//! What became of a run.

use crate::name::HostName;
use crate::problem::{Code, Problem, Problems};

/// What became of all hosts, and why it ended early if it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// In the order of the plan.
    pub hosts: Vec<HostOutcome>,
    /// Why it did not come to its end. Where something was changed, the first of them is
    /// [`Code::Partial`] and says what runs where; the others say why.
    pub failure: Option<Problems>,
}

/// What became of one host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostOutcome {
    /// The host.
    pub host: HostName,
    /// Whether anything but images that were pulled is, or may be, other than before.
    pub changed: bool,
    /// Its groups in order, with what became of each.
    pub groups: Vec<(String, GroupEnd)>,
}

/// What became of a group of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupEnd {
    /// Nothing of it was begun.
    NotBegun,
    /// It was begun and cut off; the next apply finishes it or takes it back.
    CutOff,
    /// All of it was done.
    Done,
    /// It failed, and all that was done was taken back.
    TakenBack,
    /// It failed where there is nothing to take back.
    Failed,
    /// It failed, and not all could be taken back.
    Broken,
}

impl GroupEnd {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::CutOff => "cut off",
            Self::Done => "done",
            Self::TakenBack => "failed and taken back",
            Self::Failed => "failed",
            Self::Broken => "failed and not all taken back",
        }
    }
}

impl Outcome {
    /// Whether anything was changed anywhere.
    pub fn changed(&self) -> bool {
        self.hosts.iter().any(|host| host.changed)
    }

    /// From what became of the hosts and what went wrong.
    pub(super) fn new(hosts: Vec<HostOutcome>, problems: Vec<Problem>) -> Self {
        let mut outcome = Self { hosts, failure: None };
        if problems.is_empty() {
            return outcome;
        }
        let mut all = Vec::new();
        if outcome.changed() {
            all.push(outcome.partial());
        }
        all.extend(problems);
        outcome.failure = Problems::check(all).err();
        outcome
    }

    fn partial(&self) -> Problem {
        let mut problem = Problem::new(Code::Partial, "the apply did not come to its end");
        for host in &self.hosts {
            let begun = host.groups.iter().filter(|(_, end)| *end != GroupEnd::NotBegun);
            let begun: Vec<String> = begun.map(|(group, end)| format!("{group}: {}", end.words())).collect();
            let left = host.groups.iter().filter(|(_, end)| *end == GroupEnd::NotBegun).count();
            let left = (left > 0).then(|| format!("{left} not begun"));
            let said: Vec<String> = begun.into_iter().chain(left).collect();
            let said = if said.is_empty() { "nothing to do".to_owned() } else { said.join(", ") };
            problem = problem.cause(format!("{}: {said}", host.host));
        }
        problem.hint("see what runs where: 'pillarbox status'; 'pillarbox apply' goes on from there")
    }
}
