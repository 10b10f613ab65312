//! Reading every host once, and deciding once.

use super::keychain::{Delegated, credential};
use super::reach::{self, Reached};
use super::{NewHosts, PlanOptions, Wished, sorted_out, trust};
use crate::check;
use crate::cli::Context;
use crate::cli::vault::Vault;
use crate::desired::Desired;
use crate::engine::docker::Docker;
use crate::execute::Interrupt;
use crate::name::ImageName;
use crate::observe::{Ask, Resolved, What, observe};
use crate::observed::Observed;
use crate::plan::{FORMAT_VERSION, HostPlan, Plan};
use crate::planner::{Options, Part, assign, plan_host};
use crate::problem::{Problem, Result};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use std::collections::BTreeMap;

/// Hosts that are read at the same time.
const AT_ONCE: usize = 16;

/// How to look and decide.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Survey {
    /// What the plan depends on.
    pub options: PlanOptions,
    /// No registry is asked.
    pub offline: bool,
    /// What is done about new hosts.
    pub new_hosts: NewHosts,
}

/// A host that was read.
pub(in crate::cli) struct Seen<'v> {
    /// What is written for it.
    pub wished: Wished<'v>,
    /// Its Engine.
    pub engine: Docker,
    /// How it was.
    pub observed: Observed,
    /// What is wanted.
    pub desired: Desired,
}

/// A host that was read, and what is to be done there.
pub(in crate::cli) struct Surveyed<'v> {
    /// How it was.
    pub seen: Seen<'v>,
    /// What is to be done.
    pub plan: HostPlan,
}

/// Reads and plans all hosts; what is wrong with some does not keep the others from being looked at.
pub(in crate::cli) async fn survey<'v>(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'v>>,
    survey: &Survey,
    interrupt: &Interrupt,
) -> (Vec<Surveyed<'v>>, Vec<Problem>) {
    let (seen, mut wrong) = look(ctx, vault, wishes, survey, interrupt).await;
    let parts = match parts(&seen) {
        Ok(parts) => parts,
        Err(problems) => {
            wrong.extend(problems.into_vec());
            return (Vec::new(), wrong);
        }
    };
    let planned = seen.into_iter().zip(parts);
    let planned =
        planned.map(|(seen, parts)| Ok(Surveyed { plan: seen.plan(&survey.options, parts)?, seen }));
    let (surveyed, more) = sorted_out(planned);
    wrong.extend(more);
    (surveyed, wrong)
}

/// Reads all hosts that can be read, and asks no registry; what is wrong with the others comes beside them.
///
/// # Errors
/// [`Code::Interrupted`](crate::problem::Code::Interrupted).
pub(in crate::cli) async fn look_offline<'v>(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'v>>,
    new_hosts: NewHosts,
    interrupt: &Interrupt,
) -> Result<(Vec<Seen<'v>>, Vec<Problem>)> {
    let survey = Survey { options: PlanOptions::default(), offline: true, new_hosts };
    let looking = async { Ok(look(ctx, vault, wishes, &survey, interrupt).await) };
    super::unless_interrupted(interrupt, looking).await
}

/// Reads all hosts that can be read.
pub(in crate::cli) async fn look<'v>(
    ctx: &Context,
    vault: &Vault<'_>,
    wishes: Vec<Wished<'v>>,
    survey: &Survey,
    interrupt: &Interrupt,
) -> (Vec<Seen<'v>>, Vec<Problem>) {
    let (reached, mut wrong) = reach::all(ctx, vault, wishes).await;
    let mut trusted = Vec::new();
    for one in reached {
        let sends = !survey.offline && trust::is_sent_secrets(&one);
        match trust::settle(ctx, vault, &one, sends, survey.new_hosts, interrupt).await {
            Ok(()) => trusted.push(one),
            Err(problems) => wrong.extend(problems.into_vec()),
        }
    }
    let (resolved, delegated) = (Resolved::default(), Delegated::default());
    // Podman cannot ask a registry, and takes what the others were told.
    let (waiting, asking): (Vec<_>, Vec<_>) =
        trusted.into_iter().enumerate().partition(|(_, one)| is_podman(one));
    let mut all = Vec::new();
    for hosts in [asking, waiting] {
        let reading = hosts.into_iter().map(|(at, one)| {
            let reading = read(vault, one, survey.offline, &resolved, &delegated);
            async move { (at, reading.await) }
        });
        all.extend(stream::iter(reading).buffered(AT_ONCE).collect::<Vec<_>>().await);
    }
    all.sort_by_key(|(at, _)| *at);
    let (seen, more) = sorted_out(all.into_iter().map(|(_, read)| read));
    wrong.extend(more);
    wrong.extend(resolved.disagreements());
    (seen, wrong)
}

fn is_podman(reached: &Reached<'_>) -> bool {
    reached.facts.engine_id == crate::observed::Facts::PODMAN
}

pub(super) async fn read<'v>(
    vault: &Vault<'_>,
    reached: Reached<'v>,
    offline: bool,
    resolved: &Resolved,
    delegated: &Delegated,
) -> Result<Seen<'v>> {
    let Reached { wished, desired, engine, facts, .. } = reached;
    let credentials = &wished.credentials;
    let keychain = |image: &ImageName| {
        let image = image.clone();
        async move { credential(vault, credentials, delegated, &image).await }.boxed_local()
    };
    let ask = Ask { offline, keychain: &keychain, resolved };
    let observed = observe(&engine, &wished.host.name, facts, &What::of(&desired), &ask).await?;
    Ok(Seen { wished, engine, observed, desired })
}

/// For each host, what the others do about its tasks.
///
/// # Errors
/// Where a task cannot run where it shall.
pub(in crate::cli) fn parts(seen: &[Seen<'_>]) -> Result<Vec<BTreeMap<String, Part>>> {
    assign(&seen.iter().map(|one| (&one.desired, &one.observed)).collect::<Vec<_>>())
}

impl Seen<'_> {
    /// What is wanted there.
    pub(in crate::cli) fn desired(&self) -> &Desired {
        &self.desired
    }

    /// What is to be done there; `parts` is what other hosts do about its tasks.
    ///
    /// # Errors
    /// All reasons why nothing can be planned for it.
    pub(in crate::cli) fn plan(
        &self,
        options: &PlanOptions,
        parts: BTreeMap<String, Part>,
    ) -> Result<HostPlan> {
        let options = Options { tasks: parts, ..self.options(options) };
        let plan = plan_host(&self.desired, &self.observed, &options)?;
        check::host(&plan, &self.desired, &self.observed)?;
        Ok(plan)
    }

    /// Options of planning this host.
    pub(in crate::cli) fn options(&self, options: &PlanOptions) -> Options {
        Options {
            engine: self.wished.host.engine.to_string(),
            fix_drift: options.fix_drift,
            prune: options.prune,
            tasks: BTreeMap::new(),
        }
    }
}

/// The plan of all hosts.
pub(in crate::cli) fn plan_of(vault: &Vault<'_>, surveyed: &[Surveyed<'_>]) -> Plan {
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        workspace: vault.name().clone(),
        hosts: surveyed.iter().map(|one| one.plan.clone()).collect(),
    }
}
