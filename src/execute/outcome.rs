//! What became of a run.

use crate::event::GroupEnd;
use crate::name::HostName;
use crate::problem::{Code, Problem, Problems};

/// Up to so many hosts are named where an apply failed; of more, only those where something failed.
const HOSTS_NAMED: usize = 12;

/// The command that is carried out, as it is named to people.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// `apply`, `rollback`.
    pub name: &'a str,
    /// What is typed to continue where it ended.
    pub again: &'a str,
    /// Whether nothing is begun where one image cannot be had; else what needs none of these goes on.
    pub whole: bool,
    /// Hosts that pull at the same time.
    pub pulls: usize,
}

impl Command<'_> {
    /// `pillarbox apply`.
    pub const APPLY: Self =
        Self { name: "apply", again: "pillarbox apply", whole: false, pulls: Self::PULLS };

    /// Hosts that pull at the same time, unless it is said otherwise.
    pub const PULLS: usize = 16;
}

/// What became of all hosts, and why it ended early if it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// In the order of the plan.
    pub hosts: Vec<HostOutcome>,
    /// Why it failed. Where something was changed, the first of them is
    /// [`Code::Partial`] and says what runs where; the others say why.
    pub failure: Option<Problems>,
    /// Hosts that are left because the run was to end before them.
    pub left: usize,
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

impl Outcome {
    /// Whether anything was changed anywhere.
    pub fn changed(&self) -> bool {
        self.hosts.iter().any(|host| host.changed)
    }

    /// From what became of the hosts and what went wrong.
    pub(super) fn new(command: Command<'_>, hosts: Vec<HostOutcome>, problems: Vec<Problem>) -> Self {
        let mut outcome = Self { hosts, failure: None, left: 0 };
        if problems.is_empty() {
            return outcome;
        }
        let mut all = Vec::new();
        if outcome.changed() {
            all.push(outcome.partial(command));
        }
        all.extend(problems);
        outcome.failure = Problems::check(all).err();
        outcome
    }

    /// With what was left out before it began.
    #[must_use]
    pub fn and(self, command: Command<'_>, left_out: Vec<Problem>) -> Self {
        match self.failure {
            _ if left_out.is_empty() => self,
            Some(failure) => {
                let problems = failure.into_vec().into_iter().chain(left_out).collect();
                Self { failure: Problems::check(problems).err(), ..self }
            }
            None => Self::new(command, self.hosts, left_out),
        }
    }

    fn partial(&self, command: Command<'_>) -> Problem {
        let mut groups = self.hosts.iter().flat_map(|host| &host.groups);
        let what = match groups.all(|(_, end)| matches!(end, GroupEnd::Done | GroupEnd::Skipped)) {
            true => format!("{} did not do everything", command.name),
            false => format!("{} failed", command.name),
        };
        let mut problem = Problem::new(Code::Partial, what);
        let name_all = self.hosts.len() <= HOSTS_NAMED;
        for host in self.hosts.iter().filter(|host| name_all || host.outright().is_none()) {
            problem = problem.cause(format!("{}: {}", host.host, host.summary()));
        }
        for end in [GroupEnd::Done, GroupEnd::Skipped].into_iter().filter(|_| !name_all) {
            let hosts = self.hosts.iter().filter(|host| host.outright() == Some(end)).count();
            if hosts > 0 {
                problem = problem.cause(format!("{hosts} hosts: {}", end.words()));
            }
        }
        problem
            .hint("see what runs where: pillarbox status")
            .hint(format!("continue from there: {}", command.again))
    }
}

impl HostOutcome {
    /// All of it was done, or all of it skipped.
    fn outright(&self) -> Option<GroupEnd> {
        let all = |wanted: GroupEnd| self.groups.iter().all(|(_, end)| *end == wanted);
        [GroupEnd::Done, GroupEnd::Skipped].into_iter().find(|end| all(*end))
    }

    /// `replace nginx: failed, rolled back; 3 done, 6 skipped`.
    fn summary(&self) -> String {
        let count = |wanted: GroupEnd| self.groups.iter().filter(|(_, end)| *end == wanted).count();
        let counted = [GroupEnd::Done, GroupEnd::Skipped];
        let failed = self.groups.iter().filter(|(_, end)| !counted.contains(end));
        let mut parts: Vec<String> = failed.map(|(group, end)| format!("{group}: {}", end.words())).collect();
        let counts = counted.map(|end| (count(end), end.words()));
        let counts: Vec<String> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")).collect();
        parts.extend((!counts.is_empty()).then(|| counts.join(", ")));
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: usize, ends: &[GroupEnd]) -> HostOutcome {
        let groups = ends.iter().enumerate().map(|(at, end)| (format!("replace s{at}"), *end)).collect();
        let host = HostName::parse(&format!("web{number}")).expect("a name");
        HostOutcome { host, changed: !ends.contains(&GroupEnd::Skipped), groups }
    }

    fn partial(command: Command<'_>, hosts: Vec<HostOutcome>) -> Problem {
        let outcome = Outcome::new(command, hosts, vec![Problem::failed("no")]);
        outcome.failure.expect("failed").iter().next().expect("one").clone()
    }

    fn causes(hosts: Vec<HostOutcome>) -> String {
        partial(Command::APPLY, hosts).causes.join("\n")
    }

    #[test]
    fn what_failed_is_continued_by_the_command_that_it_was() {
        let command = Command {
            name: "rollback",
            again: "pillarbox rollback 'api' --to '1.0' --once",
            whole: true,
            pulls: Command::PULLS,
        };
        let problem = partial(command, vec![host(1, &[GroupEnd::RolledBack])]);
        assert_eq!(problem.what, "rollback failed");
        assert_eq!(
            problem.hints,
            [
                "see what runs where: pillarbox status",
                "continue from there: pillarbox rollback 'api' --to '1.0' --once"
            ]
        );
    }

    #[test]
    fn what_failed_is_named_and_the_rest_is_counted() {
        use GroupEnd::{Done, RollbackFailed, RolledBack, Skipped};
        let some = vec![
            host(1, &[Done, Done]),
            host(2, &[Done, RolledBack, RollbackFailed, Skipped, Skipped]),
            host(3, &[Skipped]),
        ];
        insta::assert_snapshot!(causes(some), @r"
        web1: 2 done
        web2: replace s1: failed, rolled back; replace s2: failed, rollback incomplete; 1 done, 2 skipped
        web3: 1 skipped
        ");
        let many = (1..=1000).map(|number| match number {
            1..600 => host(number, &[Done]),
            600 => host(number, &[RolledBack, Done]),
            _ => host(number, &[Skipped]),
        });
        insta::assert_snapshot!(causes(many.collect()), @r"
        web600: replace s0: failed, rolled back; 1 done
        599 hosts: done
        400 hosts: skipped
        ");
    }
}
