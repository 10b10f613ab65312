//! Pulls.

use super::steps::Steps;
use crate::name::ImageRef;
use crate::plan::{Action, Cause};
use crate::planner::context::PlanContext;
use crate::planner::decide::decision::{Decided, Decision};
use crate::planner::decide::platform;
use std::collections::{BTreeMap, BTreeSet};

/// Pulls of a host, each image once for each platform.
#[derive(Default)]
pub(super) struct Pulls {
    steps: BTreeMap<(ImageRef, Option<String>), u32>,
    /// Images of containers that declare no platform.
    run: BTreeSet<ImageRef>,
}

impl Pulls {
    /// Of these decisions.
    pub(super) fn of(decided: &[Decided<'_>]) -> Self {
        let run = decided.iter().filter_map(|one| match &one.decision {
            Decision::Container(container) if container.desired.spec.platform().is_none() => {
                container.source.pull.clone()
            }
            Decision::Task(task) if task.desired.container.spec.platform().is_none() => {
                task.source.pull.clone()
            }
            _ => None,
        });
        Self { steps: BTreeMap::new(), run: run.collect() }
    }

    /// Plans that an image will be on the host; answers the step to wait for, if there is one.
    pub(super) fn want(
        &mut self,
        context: &PlanContext<'_>,
        steps: &mut Steps,
        image: &ImageRef,
        platform: Option<&str>,
        cause: &Cause,
    ) -> Option<u32> {
        let digest = image.digest.as_ref()?;
        if context.by_digest(image, digest).is_some_and(|there| platform::is(there, platform)) {
            return None;
        }
        let pull = image.by_digest(digest);
        let wanted = (pull.clone(), platform.map(str::to_owned));
        if let Some(step) = self.steps.get(&wanted) {
            return Some(*step);
        }
        let group = format!("pull {pull}");
        let runs = platform.is_none() && self.run.contains(&pull);
        let facts = context.facts();
        let runs_on = runs.then(|| format!("{}/{}", facts.os, facts.arch));
        let action = Action::Pull { image: pull, platform: wanted.1.clone(), runs_on };
        let step = steps.push(&group, action, cause, Vec::new());
        self.steps.insert(wanted, step);
        Some(step)
    }
}
