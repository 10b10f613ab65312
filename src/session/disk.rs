//! What takes room on hosts.

use super::declared::Declared;
use super::hosts::Hosts;
use super::observe::{Observation, Registries};
use super::pipeline::{Pipeline, unless_interrupted};
use super::plan_file::PlanOptions;
use crate::engine::{Disk, Engine as _};
use crate::observed::Observed;
use crate::plan::{Action, HostPlan, Target};
use crate::planner::Clean;
use crate::problem::{Result, escaped};
use std::collections::BTreeSet;

/// The disk of a host, and what is ours on it.
pub struct DiskUse {
    /// The host.
    pub host: String,
    /// What is there.
    pub observed: Observed,
    /// What it takes.
    pub disk: Disk,
    /// What `clean` would do.
    pub clean: WouldClean,
}

/// What `clean` would do.
pub struct WouldClean {
    /// Each in words: `container api.g3: …`.
    pub changes: Vec<String>,
    /// What goes.
    pub removed: Removed,
}

/// Ids of what goes.
#[derive(Default)]
pub struct Removed {
    /// Containers.
    pub containers: BTreeSet<String>,
    /// Images.
    pub images: BTreeSet<String>,
}

impl<'p> Pipeline<'p> {
    /// Reads what takes room on hosts.
    ///
    /// # Errors
    /// [`Code::Interrupted`](crate::problem::Code::Interrupted).
    pub async fn disks(&self, declared: Vec<Declared<'p>>) -> Result<Hosts<DiskUse>> {
        let seen = self.observe(declared, Registries::NotAsked).await?;
        unless_interrupted(self.interrupt, async {
            Ok(seen.next(|one: &Observation<'_>| &one.host.name, disk_use).await)
        })
        .await
    }
}

async fn disk_use(mut seen: Observation<'_>) -> Result<DiskUse> {
    let failed = |error: crate::engine::EngineError| {
        error.problem(format!("what takes room on host {} cannot be read", seen.host.name))
    };
    let disk = seen.engine.disk().await.map_err(failed)?;
    let options = seen.options(&PlanOptions { offline: true, ..PlanOptions::default() });
    let plan = seen.cleaned(Clean::default(), options).await?;
    let clean = WouldClean::of(&plan, &seen.observed);
    Ok(DiskUse { host: seen.host.name.to_string(), observed: seen.observed, disk, clean })
}

impl WouldClean {
    fn of(plan: &HostPlan, observed: &Observed) -> Self {
        let changes = plan.changes.iter().map(|change| {
            let cause = change.cause.first().map(ToString::to_string).unwrap_or_default();
            format!("{}: {cause}", escaped(&change.address))
        });
        let mut removed = Removed::default();
        for step in &plan.steps {
            match &step.action {
                Action::Remove { container: Target::Id(id), .. }
                | Action::Discard { container: Target::Id(id), .. } => {
                    removed.containers.insert(id.clone());
                }
                Action::RemoveImage { image } => {
                    let kept = observed.kept_images.values();
                    let found = kept.filter(|one| one.repo_digests.contains(image)).map(|one| one.id.clone());
                    removed.images.extend(found);
                }
                _ => {}
            }
        }
        Self { changes: changes.collect(), removed }
    }
}
