//! Applying a plan: locks first, then execution, with its events shown.

use super::context::Session;
use super::credentials::{HelperAnswers, Keychain};
use super::pipeline::Pipeline;
use super::plan::{PlannedHost, PlannedHosts};
use crate::engine::docker::Docker;
use crate::execute::{Command, Guard, Host, Outcome, execute};
use crate::lock::{LEASE, Lock, Run};
use crate::plan::HostPlan;
use crate::problem::Result;
use std::pin::Pin;

/// A lock and the Engine it lies on.
struct LockedEngine<'a> {
    lock: Lock,
    engine: &'a Docker,
}

impl Guard for LockedEngine<'_> {
    async fn check(&self) -> Result<()> {
        self.lock.verify(self.engine).await
    }
}

impl Pipeline<'_> {
    /// Applies the plans of all hosts that have something to do. `first` is done when all locks are held and
    /// nothing is changed yet.
    ///
    /// # Errors
    /// Where a lock cannot be had, and those of `first`: then nothing was changed anywhere. What happens after
    /// that is in the outcome.
    pub async fn apply(
        &self,
        command: Command<'_>,
        planned: &PlannedHosts,
        first: impl FnOnce() -> Result<()>,
    ) -> Result<Outcome> {
        let session = self.vault.session();
        let busy: Vec<(&HostPlan, &PlannedHost)> = planned
            .plan
            .hosts
            .iter()
            .zip(&planned.hosts)
            .filter(|(plan, _)| !plan.steps.is_empty())
            .collect();
        let held = self.lock_all(command, &busy).await?;
        if let Err(problems) = first() {
            release_all(session, held).await;
            return Err(problems);
        }
        let hosts: Vec<Host<'_, Docker, LockedEngine<'_>>> = busy
            .iter()
            .zip(&held)
            .map(|((plan, host), guard)| Host { plan, engine: &host.engine, guard })
            .collect();
        let outcome = {
            let progress = session.operator.progress(&planned.plan);
            let keychain = Keychain {
                vault: self.vault,
                hosts: busy.iter().map(|(plan, host)| (&plan.host, &host.credentials)).collect(),
                secrets: busy.iter().map(|(plan, host)| (&plan.host, host.secrets.as_slice())).collect(),
                helper_answers: HelperAnswers::default(),
            };
            let show = |event| progress.show(&event);
            let mut work: Pin<Box<dyn Future<Output = Outcome> + '_>> =
                Box::pin(execute(command, &hosts, &keychain, &show, self.interrupt));
            for one in &held {
                work = Box::pin(one.lock.hold_while(one.engine, work));
            }
            work.await
        };
        release_all(session, held).await;
        Ok(outcome)
    }

    /// All locks, or none.
    async fn lock_all<'a>(
        &self,
        command: Command<'_>,
        busy: &[(&'a HostPlan, &'a PlannedHost)],
    ) -> Result<Vec<LockedEngine<'a>>> {
        let session = self.vault.session();
        let run = Run::new(&session.env.user, &session.env.machine, &format!("pillarbox {}", command.name))?;
        let mut held = Vec::new();
        for (plan, host) in busy {
            match Lock::acquire(&host.engine, &plan.host, self.vault.owner(), &run, LEASE).await {
                Ok(lock) => {
                    if let Some(run) = lock.left_by() {
                        session.operator.say(format_args!(
                            "the lock of host {} was left by an apply that ended early ({run}): taken over",
                            plan.host
                        ));
                    }
                    held.push(LockedEngine { lock, engine: &host.engine });
                }
                Err(problems) => {
                    release_all(session, held).await;
                    return Err(problems);
                }
            }
        }
        Ok(held)
    }
}

/// Gives locks back; one that cannot be given back ends by itself.
async fn release_all(session: &Session, held: Vec<LockedEngine<'_>>) {
    for one in held {
        if let Err(problems) = one.lock.release(one.engine).await {
            session.operator.warn(format_args!("{problems}; it ends by itself within {LEASE} seconds"));
        }
    }
}
