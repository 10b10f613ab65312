//! Comparing a container that pillarbox did not make with what is declared, and recording on its host that it
//! is ours from now on.

use super::credentials::{HelperAnswers, Keychain};
use super::locks::HostLock;
use super::observe::Observation;
use super::pipeline::Pipeline;
use crate::desired::container_file::field_of;
use crate::desired::secret_file::FOLDER;
use crate::desired::{DesiredContainer, DesiredTask};
use crate::engine::{Engine as _, EngineError};
use crate::execute::{differing_env, wanted_files};
use crate::lock::Lock;
use crate::observe::alone;
use crate::observed::{Container, Image, Label, Record};
use crate::planner::adopt::{Adoption, Candidate, RanBefore, TaskCandidate};
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use std::collections::{BTreeMap, BTreeSet};

impl Pipeline<'_> {
    /// Compares a container field by field. Where secrets are declared in its environment they are opened,
    /// to be compared with what it has.
    ///
    /// # Errors
    /// Where another workspace adopted it; where a secret does not open: then it is not known whether it would be
    /// replaced.
    pub async fn compare(&self, seen: &Observation<'_>, candidate: &Candidate<'_>) -> Result<Adoption> {
        let container = candidate.container;
        elsewhere(self, seen, container).await?;
        let sealed = self.sealed(seen, candidate.want, container).await?;
        let image: Option<Image> =
            seen.engine.image(&container.image_id).await.map_err(|error| -> Problem {
                error.problem(format!(
                    "the image of container {} on host {} cannot be read",
                    container.name, seen.host.name
                ))
            })?;
        candidate.compare(image.as_ref(), &sealed)
    }

    /// Compares a container of Compose with the task that it ran; `None` where it is gone meanwhile.
    ///
    /// # Errors
    /// As for a container that is adopted.
    pub async fn compare_task(
        &self,
        seen: &Observation<'_>,
        task: &DesiredTask,
        container: &Container,
    ) -> Result<Option<std::result::Result<RanBefore, String>>> {
        let (host, name) = (&seen.host.name, &container.name);
        let failed = |error: EngineError| -> Problem {
            error.problem(format!("container {name} on host {host} cannot be read"))
        };
        let Some(found) = seen.engine.container(&container.id).await.map_err(failed)? else {
            return Ok(None);
        };
        let found = alone(found);
        let sealed = self.sealed(seen, &task.container, &found).await?;
        let image = seen.engine.image(&found.image_id).await.map_err(failed)?;
        TaskCandidate::new(task, found, &seen.desired, &seen.observed)
            .compare(image.as_ref(), &sealed)
            .map(Some)
    }

    /// The fields with secrets, and the files, that a container does not have as declared.
    async fn sealed(
        &self,
        seen: &Observation<'_>,
        want: &DesiredContainer,
        container: &Container,
    ) -> Result<BTreeSet<String>> {
        let keychain = Keychain {
            vault: self.vault,
            hosts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            helper_answers: HelperAnswers::default(),
        };
        let name = want.name.as_str();
        let spec = &want.spec;
        let known = |problems: Problems| problems.map(|problem| unopened(problem, name));
        let differs = differing_env(&spec.env, name, &container.inspect, &keychain).map_err(known)?;
        let mut sealed: BTreeSet<String> =
            differs.into_iter().map(|variable| format!("env.{variable}")).collect();
        for (file, wanted) in wanted_files(&spec.secrets, name, &keychain).map_err(known)? {
            let path = format!("{FOLDER}/{file}");
            let found = seen.engine.file(&container.id, &path).await.map_err(|error| -> Problem {
                error.problem(format!("{path} of container {name} on host {} cannot be read", seen.host.name))
            })?;
            if found.is_none_or(|found| found.reveal() != wanted.reveal()) {
                sealed.insert(format!("secrets.{file}"));
            }
        }
        for (path, file) in &spec.files {
            let found = seen.engine.file(&container.id, path).await.map_err(|error| -> Problem {
                error.problem(format!("{path} of container {name} on host {} cannot be read", seen.host.name))
            })?;
            // One with a secret lies elsewhere in a container that others made.
            let same =
                file.clear().zip(found).is_some_and(|(wanted, found)| found.reveal() == wanted.bytes());
            if !same {
                sealed.insert(field_of(path));
            }
        }
        Ok(sealed)
    }

    /// Records adoptions under the lock of the host. One call makes each so: whatever happens before it, the
    /// container is still a stranger. That none of them was changed is looked at before the first is recorded.
    ///
    /// # Errors
    /// [`Code::Locked`]; [`Code::Stale`] where a container is not the one that was compared any more.
    pub async fn adopt(
        &self,
        seen: &Observation<'_>,
        adoptions: &[(&Container, &Adoption)],
        tasks: &[&RanBefore],
    ) -> Result<()> {
        loop {
            let locks = vec![HostLock::new(&seen.host.name, &seen.engine)];
            let done = self.under_locks(locks, "adopt", async |held| {
                let [held] = held else { return Ok(()) };
                write_all(seen, held.lock, adoptions, tasks).await
            });
            // That they are still what was compared is looked at under the lock.
            if done.await?.is_some() {
                return Ok(());
            }
        }
    }
}

/// That no other workspace adopted a container: its record is a volume that this one does not read otherwise.
async fn elsewhere(pipeline: &Pipeline<'_>, seen: &Observation<'_>, container: &Container) -> Result<()> {
    let (host, name) = (&seen.host.name, &container.name);
    let records = seen.engine.volumes(Label::CONTAINER, &container.id).await;
    let records = records.map_err(|error| -> Problem {
        error.problem(format!("the volumes of host {host} cannot be read"))
    })?;
    let owner = pipeline.vault.owner();
    let mut others = records.iter().filter_map(|one| Record::elsewhere(owner, &one.name, &one.labels));
    let Some(other) = others.next() else { return Ok(()) };
    Err(Problem::failed(format!("container {name} on host {host} cannot be adopted"))
        .cause(format!("workspace {} adopted it", escaped(other)))
        .hint("take its state out there, or remove the record there: 'docker volume ls' names it")
        .into())
}

fn unopened(problem: Problem, name: &str) -> Problem {
    if problem.code != Code::NoIdentity {
        return problem;
    }
    problem
        .cause(format!("what container {name} has can only be compared with the secret itself"))
        .hint("give an identity that opens it: --identity FILE")
}

async fn write_all(
    seen: &Observation<'_>,
    lock: &Lock,
    adoptions: &[(&Container, &Adoption)],
    tasks: &[&RanBefore],
) -> Result<()> {
    for (container, _) in adoptions {
        unchanged(seen, container).await?;
    }
    // That a task ran stays true, whatever becomes of the rest.
    for task in tasks {
        lock.verify(&seen.engine).await?;
        seen.engine.create_volume(&task.volume, &task.labels).await.map_err(|error| {
            error.problem(format!("that a task ran on host {} was not recorded", seen.host.name))
        })?;
    }
    for (at, (container, adoption)) in adoptions.iter().enumerate() {
        if let Err(problems) = write(seen, lock, container, adoption).await {
            let left = take_back(seen, &adoptions[..=at]).await;
            return Err(problems.map(|problem| half(problem, seen, &left)));
        }
    }
    Ok(())
}

/// Removes the records that were written, so that all are adopted or none; answers the names of those that stay.
async fn take_back<'c>(seen: &Observation<'_>, written: &[(&'c Container, &Adoption)]) -> Vec<&'c str> {
    let mut left = Vec::new();
    for (container, adoption) in written {
        let record = &adoption.record;
        let gone = async {
            // One that says something else was there before.
            let found = seen.engine.volume(&record.volume).await?;
            if found.is_some_and(|volume| volume.labels == record.labels) {
                seen.engine.remove_volume(&record.volume).await?;
            }
            match &adoption.keep {
                Some(keep) => seen.engine.untag(keep).await,
                None => Ok(()),
            }
        };
        if gone.await.is_err() {
            left.push(container.name.as_str());
        }
    }
    left
}

/// What to do where the records that were written could not be removed.
fn half(problem: Problem, seen: &Observation<'_>, left: &[&str]) -> Problem {
    if left.is_empty() {
        return problem.hint("nothing was recorded: run the command again");
    }
    let (names, host) = (escaped(&left.join(", ")), &seen.host.name);
    problem.hint(format!(
        "{names} may be adopted on host {host} already: run the command again, and it adopts the rest"
    ))
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
