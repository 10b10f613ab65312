//! A one-off command in a container of its own: made by a plan, as everything is, and removed again whatever became
//! of it.

use super::connect::{Connected, Reading};
use super::credentials::{HelperAnswers, Keychain};
use super::declared::Declared;
use super::locks::HostLock;
use super::pipeline::{Pipeline, unless_interrupted};
use super::vault::Vault;
use crate::desired::{DesiredContainer, DesiredState};
use crate::engine::docker::Docker;
use crate::engine::{Engine as _, EngineError, EngineResult, ErrorKind};
use crate::execute::{Command, Guard, Host, Interrupt, Unguarded, execute};
use crate::inventory;
use crate::name::HostName;
use crate::plan::{HostPlan, PlanBody};
use crate::planner::{OneOff, OneOffSteps, one_off};
use crate::problem::{Problem, Problems, Result, escaped};
use crate::state::SecretRef;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How long an Engine may take to remove a container that has ended.
const REMOVAL: Duration = Duration::from_secs(10);
/// How often one looks meanwhile.
const GLANCE: Duration = Duration::from_millis(100);

/// A container that was made for one command, and is not started yet.
pub struct PreparedOneOff<'p> {
    vault: &'p Vault<'p>,
    interrupt: &'p Interrupt,
    host: &'p inventory::Host,
    engine_id: String,
    want: DesiredContainer,
    steps: OneOffSteps,
    /// Its Engine.
    pub engine: Docker,
    /// Its full id.
    pub id: String,
}

impl<'p> Pipeline<'p> {
    /// Makes the container of a one-off command on a host, from an image that is there: `repo@sha256:…` or
    /// `id:sha256:…`.
    ///
    /// # Errors
    /// Where no state of the host declares the service, it may not be sent the secrets, one does not open, or the
    /// Engine refuses; then nothing is left.
    pub async fn prepare_one_off(
        &self,
        declared: Vec<Declared<'p>>,
        service: &str,
        image: &str,
        asked: &OneOff,
    ) -> Result<PreparedOneOff<'p>> {
        let connecting = async {
            let connected = self.connect(declared, Reading::Facts).await;
            let sends =
                |one: &Connected<'_>| wanted(one, service).is_some_and(|want| secrets(want).next().is_some());
            self.verify(connected, sends).await.all()
        };
        let mut ready = unless_interrupted(self.interrupt, connecting).await?;
        let Some(one) = ready.pop() else {
            return Err(Problem::failed("there is no host to run it on").into());
        };
        let Some(want) = wanted(&one, service).cloned() else {
            let what =
                format!("no state of host {} declares the service {}", one.host.name, escaped(service));
            return Err(Problem::failed(what)
                .cause("a one-off command has the options, secrets and networks that are declared")
                .into());
        };
        let steps = one_off(self.vault.owner(), &want, image, asked)?;
        let mut prepared = PreparedOneOff {
            vault: self.vault,
            interrupt: self.interrupt,
            host: one.host,
            engine_id: one.facts.engine_id.clone(),
            want,
            steps,
            engine: one.engine,
            id: String::new(),
        };
        prepared.id.clone_from(&prepared.steps.name);
        prepared.make(self).await?;
        let wrong = match prepared.engine.container(&prepared.id).await {
            Ok(Some(made)) => {
                prepared.id = made.id;
                return Ok(prepared);
            }
            Ok(None) => Problem::failed(format!("{} is gone", prepared.title())),
            Err(error) => error.problem(format!("{} cannot be looked at", prepared.title())),
        };
        let wrong = Problems::from(wrong);
        Err(match prepared.remove().await {
            Ok(()) => wrong,
            Err(left) => wrong.and(left),
        })
    }
}

/// What is declared of a service on a host, of its first container.
fn wanted<'a>(connected: &'a Connected<'_>, service: &str) -> Option<&'a DesiredContainer> {
    connected.desired.items.iter().find_map(|item| match &item.want {
        DesiredState::Container(want) if want.service().as_str() == service => Some(want.as_ref()),
        _ => None,
    })
}

fn secrets(want: &DesiredContainer) -> impl Iterator<Item = &SecretRef> {
    want.spec.texts().flat_map(|(_, text)| text.secrets())
}

impl PreparedOneOff<'_> {
    /// `web1/pillarbox-run.shop.api.5f3a`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.host.name, escaped(&self.steps.name))
    }

    /// Seconds between its stop signal and its being killed.
    pub fn stop_timeout(&self) -> Option<u32> {
        self.want.stop_timeout
    }

    async fn make(&self, pipeline: &Pipeline<'_>) -> Result<()> {
        // An apply removes what seems to be left of files of secrets: none may run while they are put there.
        if self.steps.secrets.is_none() {
            return self.carry_out(&Unguarded).await;
        }
        loop {
            let locks = vec![HostLock::new(&self.host.name, &self.engine)];
            let made = pipeline.under_locks(locks, "run", async |held| {
                let [guard] = held else { return Ok(()) };
                self.carry_out(guard).await
            });
            // What is made depends on nothing that another run changes.
            if made.await?.is_some() {
                return Ok(());
            }
        }
    }

    async fn carry_out(&self, guard: &impl Guard) -> Result<()> {
        let plan = HostPlan {
            host: self.host.name.clone(),
            engine: self.host.engine.to_string(),
            engine_id: self.engine_id.clone(),
            body: Arc::new(PlanBody { steps: self.steps.prepare.clone(), ..PlanBody::default() }),
        };
        let secrets: Vec<SecretRef> = secrets(&self.want).cloned().collect();
        let keychain = Keychain {
            vault: self.vault,
            hosts: BTreeMap::new(),
            secrets: BTreeMap::from([(&self.host.name, secrets.as_slice())]),
            helper_answers: HelperAnswers::default(),
        };
        let hosts = [Host { plan: &plan, engine: &self.engine, guard }];
        let command = Command { name: "run", again: "pillarbox run", whole: true, pulls: Command::PULLS };
        let outcome = execute(command, &hosts, &keychain, &|_| {}, self.interrupt).await;
        match outcome.failure {
            // What it says of the host is of an apply; here nothing was changed that stays.
            Some(problems) => {
                let mut all = problems.into_vec();
                if all.len() > 1 && all[0].code == crate::problem::Code::Partial {
                    all.remove(0);
                }
                Problems::check(all)
            }
            None => Ok(()),
        }
    }

    /// Starts it.
    ///
    /// # Errors
    /// Where the Engine cannot.
    pub async fn start(&self) -> Result<()> {
        let started = self.engine.start(&self.id).await;
        Ok(started.map_err(|error| error.problem(format!("{} cannot be started", self.title())))?)
    }

    /// Removes it with all that was made for it; fine if it is gone already. One that runs is stopped before.
    ///
    /// # Errors
    /// Where something stays.
    pub async fn remove(&self) -> Result<()> {
        let removed = async {
            absent(self.engine.stop(&self.id, self.want.stop_timeout).await)?;
            gone(&self.engine, &self.id).await?;
            if let Some(volume) = &self.steps.secrets {
                gone(&self.engine, volume).await?;
                self.engine.remove_volume(volume).await?;
            }
            Ok(())
        };
        removed.await.map_err(|error: EngineError| {
            let problem = error.problem(format!("{} stays, of a one-off command", self.title()));
            problem.hint("see it: pillarbox status").into()
        })
    }

    /// The host.
    pub fn host(&self) -> &HostName {
        &self.host.name
    }

    /// The name of its container.
    pub fn name(&self) -> &str {
        &self.steps.name
    }
}

/// Removes a container; the Engine may be doing that already.
async fn gone(engine: &Docker, id: &str) -> EngineResult<()> {
    let mut waited = Duration::ZERO;
    loop {
        match engine.remove_with_volumes(id).await {
            Err(error) if error.kind == ErrorKind::Conflict && waited < REMOVAL => {
                sleep(GLANCE).await;
                waited += GLANCE;
            }
            other => return absent(other),
        }
    }
}

fn absent(done: EngineResult<()>) -> EngineResult<()> {
    match done {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        // It ended meanwhile, and is being removed.
        Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
        other => other,
    }
}
