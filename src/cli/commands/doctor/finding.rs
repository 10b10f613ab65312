//! What was found: one line each, with at most one command that puts it right.

use crate::cli::output::style;
use crate::problem::{Problem, Problems};
use std::fmt;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// To know; may be meant.
    Note,
    /// Something does not work, or is not safe.
    Problem,
}

/// One subject that was checked.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) state: State,
    pub(super) what: String,
    pub(super) fix: Option<String>,
}

/// Findings about one subject.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) findings: Vec<Finding>,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

impl Section {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), findings: Vec::new() }
    }

    pub(super) fn ok(&mut self, what: impl Into<String>) {
        self.findings.push(Finding { state: State::Ok, what: what.into(), fix: None });
    }

    pub(super) fn note(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding { state: State::Note, what: what.into(), fix: Some(fix.into()) });
    }

    pub(super) fn problem(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding { state: State::Problem, what: what.into(), fix: Some(fix.into()) });
    }

    /// What went wrong elsewhere, with the command among its hints.
    pub(super) fn problems(&mut self, problems: Problems) {
        for problem in problems.into_vec() {
            let (what, fix) = (shown(&problem), fix_of(&problem));
            self.findings.push(Finding { state: State::Problem, what, fix });
        }
    }

    pub(super) fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let one = |finding: &Finding| serde_json::json!({ "state": finding.state.word(), "what": finding.what, "fix": finding.fix });
        serde_json::json!({
            "section": self.title,
            "findings": self.findings.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = style::HOST;
        write!(f, "{title}{}{title:#}", self.title)?;
        for Finding { state, what, fix } in &self.findings {
            let style = match state {
                State::Ok => style::GOOD,
                State::Note => style::WARNING,
                State::Problem => style::ERROR,
            };
            write!(f, "\n  {style}{:7}{style:#}  {what}", state.word())?;
            if let Some(fix) = fix {
                let hint = style::HINT;
                write!(f, "\n           {hint}fix:{hint:#} {fix}")?;
            }
        }
        Ok(())
    }
}

fn shown(problem: &Problem) -> String {
    match problem.causes.first() {
        Some(cause) => format!("{problem}: {cause}"),
        None => problem.to_string(),
    }
}

/// The first command among the hints, without the words that lead to it; else the first hint.
fn fix_of(problem: &Problem) -> Option<String> {
    const COMMANDS: [&str; 9] =
        ["pillarbox ", "chmod ", "mv ", "git ", "export ", "docker ", "systemctl ", "ls ", "fuser "];
    let command = |hint: &String| {
        let at = COMMANDS.iter().filter_map(|command| {
            hint.match_indices(command)
                .map(|(at, _)| at)
                .find(|at| *at == 0 || hint[..*at].ends_with([' ', '\'', '`']))
        });
        at.min().map(|at| {
            let text = hint[at..].trim_end();
            if hint[..at].ends_with('\'') { text.trim_end_matches('\'').to_owned() } else { text.to_owned() }
        })
    };
    problem.hints.iter().find_map(command).or_else(|| problem.hints.first().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_taken_out_of_a_hint() {
        let fix = |hints: &[&str]| {
            fix_of(&hints.iter().fold(Problem::failed("x"), |problem, hint| problem.hint(*hint)))
        };
        assert_eq!(
            fix(&["if the file is right: pillarbox reader rekey"]).as_deref(),
            Some("pillarbox reader rekey")
        );
        assert_eq!(fix(&["take it back", "move it: mv 'a b' ~/c"]).as_deref(), Some("mv 'a b' ~/c"));
        assert_eq!(fix(&["run 'pillarbox identity new'"]).as_deref(), Some("pillarbox identity new"));
        assert_eq!(fix(&["take it back from there"]).as_deref(), Some("take it back from there"));
        assert_eq!(fix(&[]), None);
    }
}
