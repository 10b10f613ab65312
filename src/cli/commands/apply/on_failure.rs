//! `--on-failure rollback`: what a run that failed has deployed goes back to what ran before.

use super::super::rollback::{self, RollbackArgs};
use super::version_before::replaced;
use crate::cli::Context;
use crate::event::GroupEnd;
use crate::execute::Outcome;
use crate::name::{HostName, folded};
use crate::plan::Plan;
use crate::problem::{Code, Problem, Problems, Result, escaped};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the hosts that were changed before a run failed.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// They keep what they run now.
    #[default]
    Keep,
    /// They go back to what they ran before.
    Rollback,
}

/// What a run that failed has deployed.
#[derive(Debug, Default)]
pub(super) struct Deployed {
    /// All hosts of the run.
    all: Vec<HostName>,
    services: BTreeMap<String, Service>,
}

/// A service of which the run has replaced containers.
#[derive(Debug, Default)]
struct Service {
    /// Where that was done.
    hosts: BTreeSet<HostName>,
    /// What these hosts ran before.
    before: BTreeSet<Option<String>>,
}

impl Deployed {
    /// Nothing where a person interrupted it: who stops a run looks for oneself.
    pub(super) fn of(plan: &Plan, outcome: &Outcome) -> Self {
        let mut deployed = Self::default();
        let interrupted =
            |failure: &Problems| failure.iter().any(|problem| problem.code == Code::Interrupted);
        if outcome.failure.as_ref().is_none_or(interrupted) {
            return deployed;
        }
        for host in &plan.hosts {
            deployed.all.push(host.host.clone());
            let Some(ended) = outcome.hosts.iter().find(|ended| ended.host == host.host) else { continue };
            let done =
                |group: &str| ended.groups.iter().any(|(name, end)| name == group && *end == GroupEnd::Done);
            for one in replaced(host).into_iter().filter(|one| done(&one.group)) {
                let service = deployed.services.entry(one.service).or_default();
                service.hosts.insert(host.host.clone());
                service.before.insert(one.from);
            }
        }
        deployed
    }

    /// Rolls it back, and adds what became of that to why the run failed.
    pub(super) fn roll_back(&self, ctx: &Context, failure: Problems) -> Problems {
        let mut problems = failure.into_vec();
        for (service, one) in &self.services {
            let names: Vec<&str> = one.hosts.iter().map(HostName::as_str).collect();
            let of = format!("{} on {}", escaped(service), folded(&names));
            ctx.out.say(format_args!("rolling back {of}, because the run failed"));
            match self.one_back(ctx, service, one) {
                Ok(()) => {
                    if let Some(first) = problems.first_mut() {
                        *first = first.clone().cause(format!("rolled back afterwards: {of}"));
                    }
                }
                Err(more) => {
                    let what = format!("{of} could not be rolled back");
                    let hint = format!("try it again: pillarbox rollback {service}");
                    problems.push(Problem::new(Code::Partial, what).hint(hint));
                    problems.extend(more.into_vec());
                }
            }
        }
        Problems::check(problems).err().unwrap_or_else(|| Problem::failed("the run failed").into())
    }

    /// On all hosts of the run to one version, so that the gate of all goes back. Where the hosts ran several versions, or
    /// some of them never ran this one, each goes back to its own.
    fn one_back(&self, ctx: &Context, service: &str, one: &Service) -> Result<()> {
        let mut before = one.before.iter();
        if let (Some(Some(version)), None) = (before.next(), before.next()) {
            match rollback::run(&RollbackArgs::of(service, Some(version), &self.all), ctx) {
                Ok(_) => return Ok(()),
                // Some host never ran it, or cannot be asked: nothing was changed yet.
                Err(problems)
                    if matches!(problems.code(), Code::Failed | Code::Usage | Code::Unreachable) => {}
                Err(problems) => return Err(problems),
            }
        }
        rollback::run(&RollbackArgs::of(service, None, &one.hosts), ctx).map(drop)
    }
}
