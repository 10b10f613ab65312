//! Planning what is asked for of one service as it is there: stop, start, restart, down. No registry is asked, and no
//! gate holds it.

use super::connect::{Connected, Reading};
use super::declared::Declared;
use super::hosts::{FailedHost, Hosts};
use super::observe::{Observation, Registries, Shared, each_read, observation};
use super::pipeline::{Pipeline, unless_interrupted};
use super::plan::{PlannedHost, PlannedHosts};
use super::plan_file::PlanOptions;
use super::services::Services;
use super::verify::is_sent_secrets;
use crate::engine::Engine as _;
use crate::observe::names;
use crate::observed::Observed;
use crate::plan::HostPlan;
use crate::planner::{
    AskedStop, Clean, Operation, Options, plan_clean, plan_host, plan_operation, plan_renewal, service_alone,
    taken_down,
};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::rollout::BatchSizes;
use std::time::Duration;

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Requested {
    /// Stop it, and keep it so.
    Stop {
        /// Why, in people's words.
        why: Option<String>,
        /// For how long; `None`: until it is started.
        time: Option<Duration>,
    },
    /// Start what was stopped.
    Start,
    /// Stop and start each of its containers.
    Restart,
    /// Replace each of its containers by a new one as it is declared.
    Renew,
    /// Remove what is of use to nothing any more.
    Clean {
        /// Images alone.
        images: bool,
        /// Of failed attempts those that ended so long ago.
        older: Option<Duration>,
    },
    /// Remove what is there of it.
    Down {
        /// Its volumes, too.
        volumes: bool,
    },
}

/// What is done on each host that has the service.
pub struct OperationPlan {
    /// Its name on hosts; `None`: all services of the workspace.
    pub service: Option<String>,
    /// What is done.
    pub planned: PlannedHosts,
}

impl<'p> Pipeline<'p> {
    /// Reads the hosts and plans what is asked for of a service; `None`: of all.
    ///
    /// # Errors
    /// Where no host has it; [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn plan_requested(
        &self,
        declared: Vec<Declared<'p>>,
        text: Option<&str>,
        asked: &Requested,
        sizes: Option<&BatchSizes>,
    ) -> Result<OperationPlan> {
        unless_interrupted(self.interrupt, async {
            let connected = self.connect(declared, Reading::All).await;
            let sends = |one: &Connected<'_>| matches!(asked, Requested::Renew) && is_sent_secrets(one);
            let verified = self.verify(connected, sends).await;
            let shared = Shared::default();
            let read = async |one| observation(self.vault, one, Registries::NotAsked, &shared).await;
            let Hosts { ready, mut failed } = each_read(verified, &shared, read).await;
            let mut services = Services::new(self.vault);
            for one in &ready {
                services.declare(&one.desired);
                services.observe(&one.observed);
            }
            // A host that could not be read may be the one that has it.
            let service = match text.map(|text| services.name(text)).transpose() {
                Err(_) if !failed.is_empty() => text.map(str::to_owned),
                found => found?,
            };
            let (mut plans, mut hosts) = (Vec::new(), Vec::new());
            let there = ready.into_iter().filter(|one| one.has(service.as_deref()));
            for one in there.collect::<Vec<_>>() {
                let host = one.host.name.clone();
                match one.into_asked(self, service.as_deref(), asked).await {
                    Ok((plan, host)) => {
                        plans.push(plan);
                        hosts.push(host);
                    }
                    Err(problems) => failed.push(FailedHost::new(host, problems)),
                }
            }
            if let (Some(service), true) = (&service, plans.is_empty() && failed.is_empty()) {
                let what = format!("no host of this run has a container of {}", escaped(service));
                return Err(Problem::failed(what).hint("create what is declared: pillarbox apply").into());
            }
            Ok(OperationPlan { service, planned: self.one_plan(plans, hosts, failed, sizes) })
        })
        .await
    }
}

impl Observation<'_> {
    /// Whether something of a service is there; without a name, always.
    fn has(&self, service: Option<&str>) -> bool {
        let mut labels = self.observed.containers.iter().filter_map(|one| one.ours.as_ref());
        let Some(service) = service else { return true };
        labels.any(|labels| labels.service == service)
            || self.observed.own_volumes.stops.contains_key(service)
    }

    async fn into_asked(
        mut self,
        pipeline: &Pipeline<'_>,
        service: Option<&str>,
        asked: &Requested,
    ) -> Result<(HostPlan, PlannedHost)> {
        let options = self.options(&PlanOptions { offline: true, ..PlanOptions::default() });
        let operation = match asked {
            Requested::Stop { why, time } => Some(Operation::Stop(AskedStop {
                by: pipeline.who(),
                why: why.clone(),
                until: self.until(*time).await?,
            })),
            Requested::Start => Some(Operation::Start),
            Requested::Restart => Some(Operation::Restart),
            Requested::Renew | Requested::Down { .. } | Requested::Clean { .. } => None,
        };
        let plan = match (operation, asked, service) {
            (Some(operation), _, Some(service)) => {
                plan_operation(&self.desired, &self.observed, &options, service, &operation)?
            }
            (_, Requested::Renew, Some(service)) => self.renewed(service, options).await?,
            (_, Requested::Down { volumes }, _) => self.down(service, *volumes, options).await?,
            (_, Requested::Clean { images, older }, _) => {
                let now = self.until(older.map(|_| Duration::ZERO)).await?;
                let ended_before =
                    now.zip(*older).map(|(now, older)| now.saturating_sub_unsigned(older.as_secs()));
                self.cleaned(Clean { images: *images, ended_before }, options).await?
            }
            _ => return Err(Problem::usage("a service is needed").into()),
        };
        let secrets = self.desired.secrets().cloned().collect();
        self.engine.end_reading();
        Ok((plan, PlannedHost { engine: self.engine, credentials: self.credentials, secrets }))
    }

    /// The end of a time that begins now, by the Engine's clock.
    async fn until(&self, time: Option<Duration>) -> Result<Option<i64>> {
        let Some(time) = time else { return Ok(None) };
        let failed = |error: crate::engine::EngineError| {
            error.problem(format!("the clock of host {} cannot be read", self.host.name))
        };
        let now = self.engine.now().await.map_err(failed)?;
        Ok(Some(now.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))))
    }

    /// New containers of what runs.
    async fn renewed(&mut self, service: &str, options: Options) -> Result<HostPlan> {
        self.desired = service_alone(&self.desired, service);
        let desired = self.desired.clone();
        self.knowing(|observed| plan_renewal(&desired, observed, &options, service)).await
    }

    async fn down(&mut self, service: Option<&str>, volumes: bool, options: Options) -> Result<HostPlan> {
        let down = taken_down(&self.desired, &self.observed, service, volumes)?;
        let options = Options { down: true, forgets: down.forgets, ..options };
        self.knowing(|observed| plan_host(&down.desired, observed, &options)).await
    }

    /// What `clean` does.
    pub(super) async fn cleaned(&mut self, clean: Clean, options: Options) -> Result<HostPlan> {
        let desired = self.desired.clone();
        self.knowing(|observed| plan_clean(&desired, observed, &options, clean)).await
    }

    /// A plan that knows all names of images that could go.
    async fn knowing(&mut self, plan: impl Fn(&Observed) -> Result<HostPlan>) -> Result<HostPlan> {
        let first = plan(&self.observed)?;
        if first.unread_images.is_empty() {
            return Ok(first);
        }
        let images = names(&self.engine, &self.host.name, &first.unread_images).await?;
        self.observed.kept_images.extend(images);
        plan(&self.observed)
    }
}

impl Pipeline<'_> {
    /// Who runs this, on which machine.
    fn who(&self) -> String {
        let env = &self.vault.session().env;
        format!("{} on {}", env.user, env.machine)
    }
}

impl OperationPlan {
    /// All that is wrong with hosts that have no plan.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<()> {
        Problems::check(self.planned.problems())
    }
}
