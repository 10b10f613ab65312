//! Deciding once what is to be done on each host. What was read of a host is dropped as soon as its plan
//! stands: there may be a thousand. Only hosts with tasks wait for the others, because hosts share tasks.

use super::connect::{Connected, Reading};
use super::declared::Declared;
use super::hosts::{FailedHost, Hosts, at_once, each_once, leave_out_unreachable};
use super::observe::{Observation, Registries, Shared, each_read, observation};
use super::only::{having, of_services, only};
use super::pipeline::{Pipeline, unless_interrupted};
use super::plan_file::PlanOptions;
use super::services::Services;
use super::verify::is_sent_secrets;
use crate::desired::{Address, Desired, DesiredState};
use crate::engine::docker::Docker;
use crate::name::{HostName, folded};
use crate::observe::names;
use crate::plan::{Bodies, HostPlan, Plan, Verb};
use crate::planner::{Options, Part, assign, comparable, plan_host};
use crate::problem::{Problem, Problems, Result};
use crate::registry::Credentials;
use crate::state::SecretRef;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Hosts with what is to be done there.
pub struct PlannedHosts {
    /// What is to be done on each.
    pub plan: Plan,
    /// Hosts that have no plan, and why.
    pub failed: Vec<FailedHost>,
    /// Hosts that were left out because they cannot be reached.
    pub left_out: Vec<HostName>,
    /// The hosts of the plan, in its order.
    pub(super) hosts: Vec<PlannedHost>,
}

/// What a plan is made for: then more may be sent than while it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeFor {
    /// To be shown, or stored.
    Showing,
    /// To be carried out.
    Apply,
}

/// What is needed of a host to apply its plan.
pub(super) struct PlannedHost {
    pub(super) engine: Docker,
    pub(super) credentials: Credentials,
    /// Those that its containers are given by what is written.
    pub(super) secrets: Vec<SecretRef>,
}

/// How far planning a host is.
enum Progress<'v> {
    Planned(Box<(HostPlan, PlannedHost)>),
    /// It is planned when the other hosts with tasks were read.
    Waiting(Box<Observation<'v>>),
}

impl<'p> Pipeline<'p> {
    /// Connects to all hosts, makes sure that they may be sent what is meant for them, reads them and plans.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn plan(
        &self,
        declared: Vec<Declared<'p>>,
        options: &PlanOptions,
        made_for: MadeFor,
    ) -> Result<PlannedHosts> {
        unless_interrupted(self.interrupt, async {
            let connected = self.connect(declared, Reading::All).await;
            let connected = only(connected, &options.only, Services::new(self.vault))?;
            let (connected, services) = having(connected, &options.services, Services::new(self.vault))?;
            let options = &PlanOptions { services, ..options.clone() };
            let registries = if options.offline { Registries::NotAsked } else { Registries::Asked };
            let sends = |one: &Connected<'_>| {
                (registries == Registries::Asked || made_for == MadeFor::Apply) && is_sent_secrets(one)
            };
            let verified = self.verify(connected, sends).await;
            Ok(self.plan_verified(verified, options, registries).await)
        })
        .await
    }

    pub(super) async fn plan_verified(
        &self,
        verified: Hosts<Connected<'p>>,
        options: &PlanOptions,
        registries: Registries,
    ) -> PlannedHosts {
        let shared = Shared::default();
        let bodies = RefCell::new(Bodies::default());
        let stage = |one| async {
            let seen = observation(self.vault, one, registries, &shared).await?;
            if seen.has_tasks() {
                return Ok(Progress::Waiting(Box::new(seen)));
            }
            let (plan, host) = seen.into_planned(options, BTreeMap::new()).await?;
            Ok(Progress::Planned(Box::new((bodies.borrow_mut().share(plan), host))))
        };
        let hosts = each_read(verified, &shared, stage).await;
        self.planned(hosts, options).await
    }

    /// Plans those that waited.
    async fn planned(&self, hosts: Hosts<Progress<'p>>, options: &PlanOptions) -> PlannedHosts {
        let Hosts { ready, mut failed } = hosts;
        let waiting = ready.iter().filter_map(|one| match one {
            Progress::Planned(..) => None,
            Progress::Waiting(seen) => Some(&**seen),
        });
        let parts = parts(waiting);
        let mut next = parts.as_ref().map(|parts| parts.iter().cloned());
        let each = ready.into_iter().map(|one| {
            let parts = match (&one, &mut next) {
                (Progress::Planned(..), _) => Ok(BTreeMap::new()),
                (_, Ok(parts)) => Ok(parts.next().unwrap_or_default()),
                (_, Err(problems)) => Err(problems.clone()),
            };
            async move {
                match one {
                    Progress::Planned(planned) => Ok(*planned),
                    Progress::Waiting(seen) => {
                        let host = seen.host.name.clone();
                        let planned = match parts {
                            Ok(parts) => seen.into_planned(options, parts).await,
                            Err(problems) => Err(problems),
                        };
                        planned.map_err(|problems| FailedHost::new(host, problems))
                    }
                }
            }
        });
        let (mut plans, mut hosts) = (Vec::new(), Vec::new());
        for planned in at_once(each).await {
            match planned {
                Ok((plan, host)) => {
                    plans.push(plan);
                    hosts.push(host);
                }
                Err(without) => failed.push(without),
            }
        }
        self.one_plan(plans, hosts, failed, options.batch_size.as_ref())
    }
}

/// What an apply would do on a host, as far as that can be told.
pub struct Told {
    /// What it would do, or why nothing can be told at all.
    pub plan: Result<HostPlan>,
    /// Resources that cannot be compared, and why.
    pub untold: Vec<(Address, Problems)>,
}

/// What an apply would do on each host of a run, in their order: one resource that cannot be compared does not
/// hide the others.
pub fn told(seen: &[Observation<'_>], options: &PlanOptions) -> Vec<Told> {
    let parts = parts(seen);
    let each = seen.iter().enumerate().map(|(at, one)| match &parts {
        Ok(parts) => one.told(&one.desired, options, &parts[at]),
        Err(problems) => {
            let (without, tasks) = without_tasks(&one.desired);
            let mut told = one.told(&without, options, &BTreeMap::new());
            told.untold.extend(tasks.into_iter().map(|task| (task, problems.clone())));
            told
        }
    });
    each.collect()
}

fn without_tasks(desired: &Desired) -> (Desired, Vec<Address>) {
    let (mut rest, mut tasks) = (desired.clone(), Vec::new());
    for item in rest.items.iter_mut().filter(|item| matches!(item.want, DesiredState::Task(_))) {
        item.want = DesiredState::LeftOut { why: "it is not known where it runs".to_owned() };
        tasks.push(item.address.clone());
    }
    (rest, tasks)
}

/// For each host, what the others do about its tasks.
///
/// # Errors
/// Where a task cannot run where it is declared.
fn parts<'s>(seen: impl IntoIterator<Item = &'s Observation<'s>>) -> Result<Vec<BTreeMap<String, Part>>> {
    assign(&seen.into_iter().map(|one| (&one.desired, &one.observed)).collect::<Vec<_>>())
}

impl PlannedHosts {
    /// Takes out the hosts that cannot be reached, where others can.
    pub fn leave_out_unreachable(&mut self) -> Vec<FailedHost> {
        let left_out = leave_out_unreachable(&mut self.failed, !self.plan.hosts.is_empty());
        self.left_out = left_out.iter().map(|one| one.host.clone()).collect();
        left_out
    }

    /// Why images cannot be had, of resources that are held because of it, each once.
    pub fn without_image(&self) -> Vec<Problem> {
        let hosts = self.plan.hosts.iter();
        each_once(hosts.flat_map(|host| &host.without_image).map(|one| one.problems.clone()))
    }

    /// All that is wrong with the hosts that have no plan, each once.
    pub fn problems(&self) -> Vec<Problem> {
        each_once(self.failed.iter().map(|failed| failed.problems.clone()))
    }
}

/// What would be done on a host if it were not for `--service`.
struct NotDone(Result<HostPlan>);

impl NotDone {
    /// The changes that a plan leaves out, in one line.
    fn said(self, plan: &HostPlan) -> Option<String> {
        let whole = match self.0 {
            Ok(whole) => whole,
            Err(problems) => {
                let why = problems.iter().next().map(ToString::to_string).unwrap_or_default();
                return Some(format!("what else would change cannot be told: {why}"));
            }
        };
        let here = |address: &String| plan.changes.iter().any(|change| change.address == *address);
        let changes = whole.changes.iter().filter(|change| change.actions != [Verb::Unchanged]);
        let left: Vec<&str> =
            changes.map(|change| &change.address).filter(|one| !here(one)).map(String::as_str).collect();
        (!left.is_empty()).then(|| format!("not done because of --service: {}", folded(&left)))
    }
}

impl Observation<'_> {
    /// What is to be done there; `parts` is what other hosts do about its tasks.
    ///
    /// # Errors
    /// All reasons why nothing can be planned for it.
    fn plan(&self, options: &PlanOptions, parts: BTreeMap<String, Part>) -> Result<HostPlan> {
        let options = Options { tasks: parts, ..self.options(options) };
        plan_host(&self.desired, &self.observed, &options)
    }

    fn told(&self, desired: &Desired, options: &PlanOptions, parts: &BTreeMap<String, Part>) -> Told {
        let options = Options { tasks: parts.clone(), ..self.options(options) };
        if let Ok(plan) = plan_host(desired, &self.observed, &options) {
            return Told { plan: Ok(plan), untold: Vec::new() };
        }
        let (rest, untold) = comparable(desired, &self.observed, &options);
        Told { plan: plan_host(&rest, &self.observed, &options), untold }
    }

    /// Options of planning this host.
    pub fn options(&self, options: &PlanOptions) -> Options {
        Options {
            engine: self.host.engine.to_string(),
            fix_drift: options.fix_drift,
            prune: options.prune,
            offline: options.offline,
            ..Options::default()
        }
    }

    fn has_tasks(&self) -> bool {
        self.desired.items.iter().any(|item| matches!(item.want, DesiredState::Task(_)))
    }

    /// Leaves some services in what is wanted, and what they require; with what would be done otherwise.
    fn narrow(&mut self, options: &PlanOptions, parts: &BTreeMap<String, Part>) -> NotDone {
        let whole = self.plan(options, parts.clone());
        self.desired = of_services(&self.desired, &options.services);
        NotDone(whole)
    }

    async fn into_planned(
        mut self,
        options: &PlanOptions,
        parts: BTreeMap<String, Part>,
    ) -> Result<(HostPlan, PlannedHost)> {
        let not_done = (!options.services.is_empty()).then(|| self.narrow(options, &parts));
        let mut plan = self.plan(options, parts.clone())?;
        if !plan.unread_images.is_empty() {
            let images = names(&self.engine, &self.host.name, &plan.unread_images).await?;
            self.observed.kept_images.extend(images);
            plan = self.plan(options, parts)?;
        }
        let said = not_done.and_then(|not_done| not_done.said(&plan));
        plan.notes.extend(said);
        let secrets = self.desired.secrets().cloned().collect();
        self.engine.end_reading();
        Ok((plan, PlannedHost { engine: self.engine, credentials: self.credentials, secrets }))
    }
}
