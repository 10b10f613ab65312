//! One action, one Engine call or one wait.

use super::away::Away;
use super::health::{self, NotHealthy, Wanted};
use super::interrupt::Interrupt;
use super::redact::Redactor;
use super::secrets::{Opened, Secrets};
use super::slots::CallSlots;
use crate::desired::secret_file::FOLDER;
use crate::engine::{
    CreateBody, Engine, EngineError, EngineResult, ErrorKind, Filling, Inspected, Pause, Paused, PullProgress,
};
use crate::name::{HostName, ImageRef, RegistryHost};
use crate::observed::{Image, Platforms};
use crate::plan::{Action, Create, FILLED, KEEP, Target};
use crate::planner::unfit_for;
use crate::problem::{Code, Problem, Problems, escaped};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

/// The pauses of registries that give nothing for now.
#[derive(Default)]
pub(super) struct Pauses(RefCell<BTreeMap<RegistryHost, Rc<Pause>>>);

impl Pauses {
    fn of(&self, registry: &RegistryHost) -> Rc<Pause> {
        Rc::clone(self.0.borrow_mut().entry(registry.clone()).or_default())
    }
}

/// How often one pull is asked for at most, however often others succeed meanwhile.
const PULL_TRIES: u32 = 20;

/// What calls on one host share.
pub(super) struct Caller<'a, E> {
    pub(super) host: &'a HostName,
    pub(super) engine: &'a E,
    pub(super) secrets: &'a dyn Secrets,
    pub(super) opened: &'a Opened,
    pub(super) redactor: &'a Redactor,
    pub(super) interrupt: &'a Interrupt,
    pub(super) away: Away<'a>,
    /// Slots of the Engine for calls.
    pub(super) slots: CallSlots,
    /// Ids of the containers that were created, by step.
    pub(super) created: RefCell<BTreeMap<u32, String>>,
    /// Images that their registries do not give.
    pub(super) withheld: RefCell<BTreeSet<ImageRef>>,
    /// Of each registry, for all hosts of the run.
    pub(super) pauses: &'a Pauses,
    /// Told when a registry is waited for.
    pub(super) waits: Box<dyn Fn(String) + 'a>,
}

/// Why a call did not do what it should.
pub(super) struct CallFailure {
    /// What is reported.
    pub(super) problems: Problems,
    /// The Engine's answer says for sure that nothing was done.
    pub(super) refused: bool,
    /// The Engine refused because of what is there, or is not: it may have moved.
    pub(super) moved: bool,
    /// The step did not fail: it was interrupted.
    pub(super) interrupted: bool,
}

impl From<Problem> for CallFailure {
    fn from(problem: Problem) -> Self {
        Self { problems: problem.into(), refused: true, moved: false, interrupted: false }
    }
}

impl CallFailure {
    /// It failed before anything was asked of the Engine.
    fn before(problems: Problems) -> Self {
        Self { problems, refused: true, moved: false, interrupted: false }
    }
}

/// For how long a command in a container may run.
const EXEC_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn interrupted(action: &Action) -> CallFailure {
    let problem = Problem::new(Code::Interrupted, format!("interrupted: {action}"));
    CallFailure { interrupted: true, ..CallFailure::from(problem) }
}

impl<E: Engine> Caller<'_, E> {
    /// The id of a container; `None` if it was to be created and was not.
    pub(super) fn id(&self, target: &Target) -> Option<String> {
        match target {
            Target::Id(id) => Some(id.clone()),
            Target::CreatedBy(step) => self.created.borrow().get(step).cloned(),
        }
    }

    /// Looks at a container while a step waits for it: in a slot, which the wait itself does not hold.
    pub(super) async fn look(&self, id: &str) -> EngineResult<Option<Inspected>> {
        let look = async || {
            let _slot = self.slots.acquire(usize::MAX).await;
            self.engine.container(id).await
        };
        self.away.read(look).await
    }

    /// Does it; answers what the Engine has to say.
    pub(super) async fn call(
        &self,
        step: u32,
        action: &Action,
        progress: &dyn Fn(PullProgress),
    ) -> Result<Vec<String>, CallFailure> {
        let id = match action.target() {
            None => String::new(),
            Some(target) => self
                .id(target)
                .ok_or_else(|| Problem::failed(format!("{action}: the container was not created")))?,
        };
        let engine = self.engine;
        let done = match action {
            Action::Pull { image, platform, runs_on } => {
                let said = self.pull(image, platform.as_deref(), progress).await?;
                self.fits(image, runs_on.as_deref()).await?;
                return Ok(said);
            }
            Action::Create(create) => return self.create(step, create).await,
            Action::AwaitHealthy { .. } => return self.wait(action, &id).await,
            Action::Delay { seconds, .. } => {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs((*seconds).into())) => Ok(()),
                    () = self.interrupt.heard(1) => return Err(interrupted(action)),
                }
            }
            Action::Exec { command, .. } => {
                let ended = tokio::select! {
                    biased;
                    ended = engine.exec(&id, command, EXEC_TIMEOUT) => ended,
                    // The command itself goes on: an Engine has no call that ends one.
                    () = self.interrupt.heard(1) => return Err(interrupted(action)),
                };
                match ended {
                    Ok(0) => Ok(()),
                    Ok(code) => {
                        let problem = Problem::failed(format!("{action} failed on host {}", self.host));
                        return Err(problem.cause(format!("it ended with exit code {code}")).into());
                    }
                    Err(error) => Err(error),
                }
            }
            Action::Signal { signal, .. } => engine.signal(&id, signal).await,
            Action::CreateNetwork { name, body } => self.create_network(name, body).await,
            Action::RemoveNetwork { id, .. } => self.remove_network(id).await,
            Action::CreateVolume { name, body } => {
                return self.create_volume(action, name, body).await.map(|()| Vec::new());
            }
            Action::RemoveVolume { name, .. } => engine.remove_volume(name).await,
            Action::Forget { volume, .. } => engine.remove_volume(volume).await,
            Action::Update { body, .. } => match engine.update(&id, body).await {
                Ok(warnings) if warnings.is_empty() => Ok(()),
                Ok(warnings) => {
                    let mut failed = CallFailure::from(
                        warnings
                            .iter()
                            .fold(Problem::failed(format!("{action} was not done in full")), |p, w| {
                                p.cause(escaped(w))
                            }),
                    );
                    failed.refused = false;
                    return Err(failed);
                }
                Err(error) => Err(error),
            },
            Action::Tag { source, name } => engine.tag(source, name).await,
            Action::Untag { name } => match engine.untag(name).await {
                // It is gone already; and a tag of ours that is the last name of an image in use stays.
                Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
                Err(error) if error.kind == ErrorKind::Conflict && name.starts_with(KEEP) => Ok(()),
                other => other,
            },
            Action::RemoveImage { image } => match engine.untag(image).await {
                Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
                // A container was made from it since the plan was made.
                Err(error) if error.kind == ErrorKind::Conflict => {
                    return Ok(vec![format!("image {image} is in use and stays")]);
                }
                other => other,
            },
            Action::Connect { network, endpoint, .. } => engine.connect(&id, network, endpoint).await,
            Action::Disconnect { network, force, .. } => engine.disconnect(&id, network, *force).await,
            Action::Start { .. } => engine.start(&id).await,
            Action::Stop { timeout, .. } => engine.stop(&id, *timeout).await,
            Action::Remove { .. } => self.gone(&id, engine.remove(&id).await).await,
            Action::CreateOwnVolume { name, labels, memory } => {
                return self.create_own_volume(action, name, labels, *memory).await;
            }
            Action::RemoveOwnVolume { name } => match engine.remove_volume(name).await {
                // Another container has it mounted, or one of ours that is not known is still there.
                Err(error) if error.kind == ErrorKind::Conflict => {
                    return Ok(vec![format!("volume {name} is in use and stays")]);
                }
                other => other,
            },
            Action::RemoveAnonymousVolume { name, .. } => match engine.remove_volume(name).await {
                // Another container mounts it since the plan was made.
                Err(error) if error.kind == ErrorKind::Conflict => {
                    return Ok(vec![format!("volume {name} is in use and stays")]);
                }
                other => other,
            },
            Action::PutFiles { service, files, mounted, .. } => {
                let packed = self.opened.archive(files, mounted, service).map_err(CallFailure::before)?;
                engine.put_files(&id, FILLED, &packed.archive).await
            }
            Action::WriteFiles { name, files, .. } => {
                let packed = self.opened.root(files, name).map_err(CallFailure::before)?;
                engine.put_files(&id, "/", &packed).await
            }
            Action::StartFilled { filler, service, files, .. } => {
                let Some(filler) = self.id(filler) else {
                    let what = format!("{action}: the container that fills it was not created");
                    return Err(Problem::failed(what).into());
                };
                let none = BTreeMap::new();
                let packed = self.opened.archive(files, &none, service).map_err(CallFailure::before)?;
                let (last, size) = &packed.last;
                let filling = Filling {
                    filler: &filler,
                    folder: FILLED,
                    archive: &packed.archive,
                    last: &format!("{FOLDER}/{last}"),
                    size: u64::try_from(*size).unwrap_or(u64::MAX),
                };
                engine.start_filled(&id, filling).await
            }
            Action::Discard { .. } => self.gone(&id, engine.remove_with_volumes(&id).await).await,
            Action::AwaitExit { timeout, stop_timeout, .. } => {
                return self.end(action, &id, *timeout, *stop_timeout).await;
            }
            Action::Rename { to, .. } => match engine.rename(&id, to).await {
                Ok(()) => Ok(()),
                // Done already, or done and the answer was lost.
                Err(error) => match self.away.read(async || engine.container(&id).await).await {
                    Ok(Some(now)) if now.name == *to => Ok(()),
                    _ => Err(error),
                },
            },
        };
        done.map(|()| Vec::new()).map_err(|error| self.failed(action, &error))
    }

    /// What a removal comes to: done as well where it was done before.
    async fn gone(&self, id: &str, removed: EngineResult<()>) -> EngineResult<()> {
        match removed {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            // An interrupted apply asked for it before: the Engine is removing it.
            Err(error) if error.kind == ErrorKind::Conflict && self.goes(id).await => Ok(()),
            other => other,
        }
    }

    /// Waits for a container that is being removed; whether it is gone.
    async fn goes(&self, id: &str) -> bool {
        for _ in 0..50 {
            match self.engine.container(id).await {
                Ok(None) => return true,
                Ok(Some(seen)) if seen.state.status == "removing" => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                _ => return false,
            }
        }
        false
    }

    async fn pull(
        &self,
        image: &ImageRef,
        platform: Option<&str>,
        progress: &dyn Fn(PullProgress),
    ) -> Result<Vec<String>, CallFailure> {
        let auth = self.secrets.auth(self.host, &image.name).await.map_err(|problems| CallFailure {
            problems,
            refused: true,
            moved: false,
            interrupted: false,
        })?;
        let header = auth.as_ref().map(|auth| &auth.header);
        let registry = image.name.host();
        let pause = self.pauses.of(registry);
        let mut tries = 0;
        let error = loop {
            pause.over().await;
            let asked = tokio::time::Instant::now();
            // Twice the same is the same.
            let pull = async || self.engine.pull(image, platform, header, progress).await;
            let Err(error) = self.away.read(pull).await else {
                pause.gave();
                return Ok(Vec::new());
            };
            tries += 1;
            match pause.refused(&error, asked).filter(|_| tries < PULL_TRIES) {
                None => break error,
                Some(Paused::Already) => {}
                Some(Paused::Begun(time)) => (self.waits)(error.waiting(self.host, registry, time)),
            }
        };
        if error.is_of_registry() {
            self.withheld.borrow_mut().insert(image.clone());
        }
        let problem = error.registry_problem(self.host, image, auth.as_ref());
        Err(CallFailure { refused: error.kind != ErrorKind::Unreachable, ..CallFailure::from(problem) })
    }

    /// What a digest stands for may be made for another processor: the Engine pulls it all the same.
    async fn fits(&self, image: &ImageRef, runs_on: Option<&str>) -> Result<(), CallFailure> {
        let Some((os, arch)) = runs_on.and_then(|own| own.split_once('/')) else { return Ok(()) };
        let found = self.engine.image(&image.to_string()).await;
        // That it cannot be looked at is said where it is used.
        let Ok(Some(Image { platform: Some(there), .. })) = found else { return Ok(()) };
        let platforms = Platforms::new([there]);
        if platforms.fit(os, arch) {
            return Ok(());
        }
        let what = format!("image {image}, which is pinned by its digest,");
        Err(unfit_for(&what, self.host, &format!("{os}/{arch}"), &platforms).into())
    }

    async fn create(&self, step: u32, create: &Create) -> Result<Vec<String>, CallFailure> {
        let mut body = create.body.clone();
        body["Image"] = create.image.clone().into();
        let mut env = Vec::with_capacity(create.env.len());
        for (name, text) in &create.env {
            let value = self.opened.text(text, &format!("env.{name} of container {}", create.service));
            let value = value.map_err(|problems| CallFailure {
                problems,
                refused: true,
                moved: false,
                interrupted: false,
            })?;
            env.push(serde_json::Value::from(format!("{name}={}", value.as_str())));
        }
        body["Env"] = env.into();
        self.mount(create, &mut body).await?;
        let has_secrets = create.env.values().any(|text| text.as_clear().is_none());
        match self.engine.create(&create.name, CreateBody { body, has_secrets }).await {
            Ok((id, warnings)) => {
                self.created.borrow_mut().insert(step, id);
                Ok(warnings.iter().map(|warning| self.redactor.clean(warning)).collect())
            }
            Err(error) => Err(self.failed(&Action::Create(Box::new(create.clone())), &error)),
        }
    }

    /// Mounts files out of volumes: an Engine older than API 1.45 mounts no part of a volume, but the folder in which
    /// it keeps one, which only it knows, can be named.
    async fn mount(&self, create: &Create, body: &mut serde_json::Value) -> Result<(), CallFailure> {
        for (path, file) in &create.mounted {
            let volume = self.away.read(async || self.engine.volume(&file.volume).await).await;
            let volume =
                volume.map_err(|error| self.failed(&Action::Create(Box::new(create.clone())), &error))?;
            let folder = volume.as_ref().and_then(|volume| volume.inspect.compare("/Mountpoint"));
            let Some(folder) = folder.and_then(serde_json::Value::as_str).filter(|at| at.starts_with('/'))
            else {
                let what = format!("create {} failed on host {}", create.name, self.host);
                let cause = format!("the Engine does not say where volume {} lies", escaped(&file.volume));
                return Err(Problem::failed(what).cause(cause).into());
            };
            let mount = serde_json::json!({
                "Type": "bind", "Source": format!("{folder}/{}", file.file), "Target": path, "ReadOnly": true,
            });
            match body["HostConfig"]["Mounts"].as_array_mut() {
                Some(mounts) => mounts.push(mount),
                None => body["HostConfig"]["Mounts"] = serde_json::json!([mount]),
            }
        }
        Ok(())
    }

    async fn wait(&self, action: &Action, id: &str) -> Result<Vec<String>, CallFailure> {
        let Action::AwaitHealthy { name, monitor, timeout, follows_check, probes, declared, .. } = action
        else {
            return Ok(Vec::new());
        };
        let (monitor, timeout, follows_check, probes) = (*monitor, *timeout, *follows_check, *probes);
        let wanted = Wanted { monitor, timeout, follows_check, probes };
        let down = || Problem::failed(format!("container {name} on host {} did not come up", self.host));
        match health::wait(self, id, &wanted).await {
            Ok(()) => Ok(Vec::new()),
            Err(NotHealthy::Engine(error)) => Err(self.failed(action, &error)),
            Err(NotHealthy::Failed(why)) => Err(down().cause(self.redactor.clean(&why)).into()),
            Err(NotHealthy::Slow(seconds)) => {
                let place = declared.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
                let more = seconds.saturating_mul(2);
                let problem = down().cause(format!("it is not healthy after {seconds} seconds"));
                Err(problem
                    .hint(format!(
                        "if it needs longer, write start_timeout = \"{more}s\" in its declaration{place}"
                    ))
                    .into())
            }
            Err(NotHealthy::Interrupted) => Err(interrupted(action)),
        }
    }

    /// Lines of a container's log, fit to be shown; a note where its secrets cannot be told from other words.
    pub(super) fn clean_log(&self, see: &str, lines: &[String]) -> Vec<String> {
        let secrets = self.secrets.of_host(self.host);
        match self.opened.and(secrets.iter(), self.secrets) {
            Ok(opened) => Redactor::new(&opened).clean_lines(lines),
            Err(_) => vec![format!(
                "(not shown: its secrets do not open here, so they cannot be left out; see `{}`)",
                escaped(see)
            )],
        }
    }

    pub(super) fn failed(&self, action: &Action, error: &EngineError) -> CallFailure {
        let mut problem = error.problem(format!("{action} failed on host {}", self.host));
        problem.causes = problem.causes.iter().map(|cause| self.redactor.clean(cause)).collect();
        CallFailure {
            problems: problem.into(),
            refused: error.kind != ErrorKind::Unreachable,
            moved: matches!(error.kind, ErrorKind::Conflict | ErrorKind::NotFound),
            interrupted: false,
        }
    }
}
