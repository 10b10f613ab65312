//! Comparing a container that pillarbox did not make with what is declared, and recording on its host that it
//! is ours from now on.

use super::credentials::{HelperAnswers, Keychain};
use super::observe::Observation;
use super::pipeline::Pipeline;
use crate::engine::{Engine as _, EngineError};
use crate::execute::differing_env;
use crate::lock::{LEASE, Lock, Run};
use crate::observed::{Container, Image};
use crate::planner::adopt::{Adoption, Candidate};
use crate::problem::{Code, Problem, Result, quoted};
use std::collections::BTreeMap;

impl Pipeline<'_> {
    /// Compares a container field by field. Where secrets are declared in its environment they are opened,
    /// to be compared with what it has.
    ///
    /// # Errors
    /// Where a secret does not open: then it is not known whether it would be replaced.
    pub async fn compare(&self, seen: &Observation<'_>, candidate: &Candidate<'_>) -> Result<Adoption> {
        let container = candidate.container;
        let keychain = Keychain {
            vault: self.vault,
            hosts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            helper_answers: HelperAnswers::default(),
        };
        let name = candidate.want.name.as_str();
        let sealed = differing_env(&candidate.want.spec.env, name, &container.inspect, &keychain);
        let sealed = sealed.map_err(|problems| problems.map(|problem| unopened(problem, name)))?;
        let image: Option<Image> =
            seen.engine.image(&container.image_id).await.map_err(|error| -> Problem {
                error.problem(format!(
                    "the image of container {name} on host {} cannot be read",
                    seen.host.name
                ))
            })?;
        candidate.compare(image.as_ref(), &sealed)
    }

    /// Records adoptions under the lock of the host. One call makes each so: whatever happens before it, the
    /// container is still a stranger. That none of them was changed is looked at before the first is recorded.
    ///
    /// # Errors
    /// [`Code::Locked`]; [`Code::Stale`] where a container is not the one that was compared any more.
    pub async fn adopt(&self, seen: &Observation<'_>, adoptions: &[(&Container, &Adoption)]) -> Result<()> {
        let session = self.vault.session();
        let run = Run::new(&session.env.user, &session.env.machine, "pillarbox adopt")?;
        let (engine, host) = (&seen.engine, &seen.host.name);
        let lock = Lock::acquire(engine, host, self.vault.owner(), &run, LEASE).await?;
        let done = write_all(seen, &lock, adoptions).await;
        if let Err(problems) = lock.release(engine).await {
            session.operator.warn(format_args!("{problems}; it ends by itself within {LEASE} seconds"));
        }
        done
    }
}

fn unopened(problem: Problem, name: &str) -> Problem {
    if problem.code != Code::NoIdentity {
        return problem;
    }
    problem
        .cause(format!("what container {name} has can only be compared with the secret itself"))
        .hint("give an identity that opens it: --identity FILE")
}

async fn write_all(seen: &Observation<'_>, lock: &Lock, adoptions: &[(&Container, &Adoption)]) -> Result<()> {
    for (container, _) in adoptions {
        unchanged(seen, container).await?;
    }
    for (container, adoption) in adoptions {
        write(seen, lock, container, adoption).await?;
    }
    Ok(())
}

async fn unchanged(seen: &Observation<'_>, container: &Container) -> Result<()> {
    let (engine, host, name) = (&seen.engine, &seen.host.name, &container.name);
    let failed =
        |error: EngineError| error.problem(format!("container {name} on host {host} was not adopted"));
    let now = engine.container(&container.id).await.map_err(failed)?;
    if now.is_none_or(|now| {
        now.name != *name || now.inspect.compare("/HostConfig") != container.inspect.compare("/HostConfig")
    }) {
        return Err(Problem::new(
            Code::Stale,
            format!("container {name} on host {host} was changed meanwhile"),
        )
        .hint(format!("look again: pillarbox adopt {name} --host {}", quoted(host.as_str())))
        .into());
    }
    Ok(())
}

async fn write(
    seen: &Observation<'_>,
    lock: &Lock,
    container: &Container,
    adoption: &Adoption,
) -> Result<()> {
    let (engine, host, name) = (&seen.engine, &seen.host.name, &container.name);
    let failed =
        |error: EngineError| error.problem(format!("container {name} on host {host} was not adopted"));
    lock.verify(engine).await?;
    // Before the record: without one the next container of this name gets the same tag.
    if let Some(keep) = &adoption.keep {
        engine.tag(&container.image_id, keep).await.map_err(failed)?;
    }
    lock.verify(engine).await?;
    let record = &adoption.record;
    let made = engine.create_volume(&record.volume, &record.labels).await.map_err(failed)?;
    if made.labels != record.labels {
        return Err(Problem::failed(format!("container {name} on host {host} was not adopted"))
            .cause(format!("the volume {} is there already and says something else", record.volume))
            .hint(format!("look at it there, and remove it: docker volume rm {}", record.volume))
            .into());
    }
    Ok(())
}
