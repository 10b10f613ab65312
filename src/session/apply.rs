//! Applying a plan: locks first, then execution in batches, with its events shown.

use super::credentials::{HelperAnswers, Keychain};
use super::locks::{Held, HostLock};
use super::operator::{Operator, Progress};
use super::pipeline::Pipeline;
use super::plan::{PlannedHost, PlannedHosts};
use super::recording::Recording;
use crate::engine::docker::Docker;
use crate::execute::{Ahead, Command, Host, Interrupt, Outcome, Rollout, Stages, Wait, roll_out};
use crate::name::in_ranges;
use crate::plan::HostPlan;
use crate::problem::{Problem, Result};
use crate::rollout::Share;
use futures_util::future::LocalBoxFuture;
use std::time::Duration;

/// Columns that the names of a batch may take.
const ROOM: usize = 70;

/// When a run goes on with its next batch, and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What is between two batches.
    pub wait: Wait,
    /// After so many batches it ends for now.
    pub most_batches: Option<usize>,
    /// So many of the hosts that change may fail.
    pub most_failures: Share,
}

impl Default for Pace {
    fn default() -> Self {
        Self { wait: Wait::default(), most_batches: None, most_failures: Share::Hosts(0) }
    }
}

impl Pipeline<'_> {
    /// Applies the plans of all hosts that have something to do. `first` is done when all locks are held and
    /// nothing is changed yet.
    ///
    /// # Errors
    /// Where a person is to be asked and cannot be, where a lock cannot be had, and those of `first`: then nothing was
    /// changed anywhere. What happens after that is in the outcome. `None`: locks of other runs were waited for, and it
    /// is to be planned again.
    pub async fn apply(
        &self,
        command: Command<'_>,
        planned: &PlannedHosts,
        pace: Pace,
        first: impl FnOnce() -> Result<()>,
    ) -> Result<Option<Outcome>> {
        let session = self.vault.session();
        if pace.wait == Wait::Ask {
            let cannot = |why| Problem::usage("`--batch-wait ask` asks on a terminal").cause(why);
            session.operator.can_answer().map_err(cannot)?;
        }
        let busy: Vec<(&HostPlan, &PlannedHost)> = planned
            .plan
            .hosts
            .iter()
            .zip(&planned.hosts)
            .filter(|(plan, _)| !plan.steps.is_empty())
            .collect();
        let locks: Vec<_> = busy.iter().map(|(plan, host)| HostLock::new(&plan.host, &host.engine)).collect();
        self.under_locks(locks, command.name, async |held| {
            for ((plan, _), run) in
                busy.iter().zip(held).filter_map(|(one, held)| Some((one, held.lock.left_by()?)))
            {
                session.operator.say(format_args!(
                    "the lock of host {} was left by an apply that ended early ({run}): taken over",
                    plan.host
                ));
            }
            first()?;
            let hosts: Vec<Host<'_, Docker, Held<'_, Docker>>> = busy
                .iter()
                .zip(held)
                .map(|((plan, host), guard)| Host { plan, engine: &host.engine, guard })
                .collect();
            let progress = session.operator.progress(&planned.plan);
            let recording =
                Recording::begin(self.vault, command.name, self.terms, &planned.plan, &planned.left_out);
            let keychain = Keychain {
                vault: self.vault,
                hosts: busy.iter().map(|(plan, host)| (&plan.host, &host.credentials)).collect(),
                secrets: busy.iter().map(|(plan, host)| (&plan.host, host.secrets.as_slice())).collect(),
                helper_answers: HelperAnswers::default(),
            };
            let told = Told { progress: &*progress, operator: &*session.operator, interrupt: self.interrupt };
            let rollout = Rollout {
                batches: &planned.plan.batches,
                most_failures: pace.most_failures.of(hosts.len()),
                most_batches: pace.most_batches,
                wait: pace.wait,
                stages: &told,
            };
            let watch = |event| {
                progress.show(&event);
                recording.see(&event);
            };
            let outcome = roll_out(command, &hosts, rollout, &keychain, &watch, self.interrupt).await;
            recording.end(&outcome);
            Ok(outcome)
        })
        .await
    }
}

/// Tells the operator of batches, and asks before the next one.
struct Told<'t> {
    progress: &'t dyn Progress,
    operator: &'t dyn Operator,
    interrupt: &'t Interrupt,
}

impl Stages for Told<'_> {
    fn begins(&self, ahead: &Ahead<'_>) {
        if ahead.of > 1 {
            self.progress.line(&in_words(ahead));
        }
    }

    fn waits(&self, ahead: &Ahead<'_>, time: Duration) {
        let time = humantime::format_duration(time);
        self.progress.line(&format!("waiting {time} before batch {} of {}", ahead.number, ahead.of));
    }

    fn asks<'s>(&'s self, ahead: &'s Ahead<'s>) -> LocalBoxFuture<'s, bool> {
        Box::pin(async move {
            self.progress.pause();
            let question = format!("Go on with {}?", in_words(ahead));
            self.operator.confirm(&question, self.interrupt).await.is_ok()
        })
    }
}

/// `batch 2 of 6: web0001..0100, 899 left`.
fn in_words(ahead: &Ahead<'_>) -> String {
    let names: Vec<&str> = ahead.hosts.iter().map(crate::name::HostName::as_str).collect();
    let mut words = format!("batch {} of {}: {}", ahead.number, ahead.of, in_ranges(&names, ROOM));
    let left = ahead.left.saturating_sub(ahead.hosts.len());
    if left > 0 {
        words.push_str(&format!(", {left} left"));
    }
    if ahead.failed > 0 {
        words.push_str(&format!(", {} failed", ahead.failed));
    }
    words
}
