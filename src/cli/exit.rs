//! Exit codes, documented in one place: `--help` prints this table.

use crate::problem::{Code, Problems};
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed; no host was changed.
    Failed,
    /// `--detailed-exitcode`, and `status --exit-code`: changes are present.
    Changes,
    /// Some host was changed and the rest failed, or was rolled back. Of `status --exit-code`: something that is
    /// wanted does not run.
    Partial,
    /// `--detailed-exitcode`: nothing but held changes.
    Held,
    /// A stored plan no longer fits.
    Stale,
    /// Another apply holds the lock.
    Locked,
    /// A registry refused the credential.
    Refused,
    /// A seal or a known key does not hold.
    Seal,
    /// A question was answered with no, or could not be asked.
    Declined,
    /// No identity at hand opens it.
    NoIdentity,
    /// The command line is wrong.
    Usage,
    /// A defect of pillarbox itself.
    Defect,
    /// Ctrl-C before anything was changed.
    Interrupted,
    /// SIGTERM before anything was changed.
    Terminated,
    /// That of a command that was run in a container.
    Of(u8),
}

/// The table of `--help`.
pub(super) const TABLE: &str = "\
Exit codes:
    0  done, or nothing to do
    1  failed, no host was changed
    2  changes are present (with --detailed-exitcode)
    3  some host was changed and the rest failed, or was rolled back
    4  nothing but held changes (with --detailed-exitcode)
    5  the stored plan no longer fits
    6  another apply holds the lock
    7  a registry refused the credential
    8  a seal or a known key does not hold: tampered, moved or changed
    9  declined, or there was no terminal to ask on
   10  no identity at hand opens it
   64  the command line is wrong
  130  interrupted before a change (143 by SIGTERM)
exec and run end with the code of their command; 125: they failed themselves, 126 and 127: no such command";

impl Exit {
    /// Its number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Partial => 3,
            Self::Held => 4,
            Self::Stale => 5,
            Self::Locked => 6,
            Self::Refused => 7,
            Self::Seal => 8,
            Self::Declined => 9,
            Self::NoIdentity => 10,
            Self::Usage => 64,
            Self::Defect => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::Of(code) => code,
        }
    }

    /// That of a command that is ended by Ctrl-C or SIGTERM and did what it should until then.
    pub(super) fn interrupted() -> Self {
        if super::signal::terminated() { Self::Terminated } else { Self::Interrupted }
    }

    /// The code of what went wrong; of several, the first in the order of [`Code`].
    pub fn of(problems: &Problems) -> Self {
        match problems.code() {
            Code::Usage => Self::Usage,
            Code::Declined => Self::Declined,
            Code::Locked => Self::Locked,
            Code::Partial => Self::Partial,
            Code::Seal => Self::Seal,
            Code::NoIdentity => Self::NoIdentity,
            Code::Refused => Self::Refused,
            Code::Stale => Self::Stale,
            Code::Interrupted => Self::interrupted(),
            Code::Failed | Code::Unreachable => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn every_kind_of_problem_has_the_code_of_the_table() {
        let codes = [
            (Code::Failed, 1),
            (Code::Unreachable, 1),
            (Code::Partial, 3),
            (Code::Stale, 5),
            (Code::Locked, 6),
            (Code::Refused, 7),
            (Code::Seal, 8),
            (Code::Declined, 9),
            (Code::NoIdentity, 10),
            (Code::Usage, 64),
            (Code::Interrupted, 130),
        ];
        for (code, number) in codes {
            let exit = Exit::of(&Problem::new(code, "x").into());
            assert_eq!(exit.code(), number, "{code:?}");
            assert!(TABLE.contains(&format!("{number:>5}  ")), "{number} is not in the table");
        }
    }

    #[test]
    fn of_several_problems_the_gravest_decides() {
        let order = [
            (Code::Usage, 64),
            (Code::Declined, 9),
            (Code::Locked, 6),
            (Code::Partial, 3),
            (Code::Seal, 8),
            (Code::NoIdentity, 10),
            (Code::Refused, 7),
            (Code::Stale, 5),
            (Code::Interrupted, 130),
            (Code::Failed, 1),
            (Code::Unreachable, 1),
        ];
        for first in 0..order.len() {
            let found = order[first..].iter().rev().map(|(code, _)| Problem::new(*code, "x")).collect();
            let problems = crate::problem::Problems::check(found).expect_err("there are some");
            assert_eq!(Exit::of(&problems).code(), order[first].1);
        }
    }
}
