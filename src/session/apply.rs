//! Applying a plan: locks first, then execution, with its events shown.

use super::credentials::{HelperAnswers, Keychain};
use super::locks::{Held, HostLock};
use super::pipeline::Pipeline;
use super::plan::{PlannedHost, PlannedHosts};
use crate::engine::docker::Docker;
use crate::execute::{Command, Host, Outcome, execute};
use crate::plan::HostPlan;
use crate::problem::Result;

impl Pipeline<'_> {
    /// Applies the plans of all hosts that have something to do. `first` is done when all locks are held and
    /// nothing is changed yet.
    ///
    /// # Errors
    /// Where a lock cannot be had, and those of `first`: then nothing was changed anywhere. What happens after
    /// that is in the outcome. `None`: locks of other runs were waited for, and it is to be planned again.
    pub async fn apply(
        &self,
        command: Command<'_>,
        planned: &PlannedHosts,
        first: impl FnOnce() -> Result<()>,
    ) -> Result<Option<Outcome>> {
        let session = self.vault.session();
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
            let keychain = Keychain {
                vault: self.vault,
                hosts: busy.iter().map(|(plan, host)| (&plan.host, &host.credentials)).collect(),
                secrets: busy.iter().map(|(plan, host)| (&plan.host, host.secrets.as_slice())).collect(),
                helper_answers: HelperAnswers::default(),
            };
            Ok(execute(command, &hosts, &keychain, &|event| progress.show(&event), self.interrupt).await)
        })
        .await
    }
}
