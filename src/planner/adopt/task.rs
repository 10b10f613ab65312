//! Tasks of a project that Compose ran: one that ended well, as it is declared, is not run again.

use super::is_image;
use crate::desired::{Desired, DesiredTask};
use crate::observed::{Container, Image, Label, Observed, OwnVolumes};
use crate::planner::context::PlanContext;
use crate::planner::decide::source::Source;
use crate::planner::decide::task::{Here, of};
use crate::planner::options::Options;
use crate::problem::Result;
use std::collections::{BTreeMap, BTreeSet};

/// A container that ran what a task is to run.
#[derive(Debug)]
pub struct TaskCandidate<'a> {
    /// The task.
    pub task: &'a DesiredTask,
    /// The container, in full.
    pub container: Container,
    desired: &'a Desired,
    observed: &'a Observed,
}

/// What is recorded of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanBefore {
    /// The volume that says so.
    pub volume: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl<'a> TaskCandidate<'a> {
    /// The container of a task on a host.
    pub fn new(
        task: &'a DesiredTask,
        container: Container,
        desired: &'a Desired,
        observed: &'a Observed,
    ) -> Self {
        Self { task, container, desired, observed }
    }

    /// What is recorded; or why the next apply runs it. `sealed` as for a candidate.
    ///
    /// # Errors
    /// Where the wanted image cannot be resolved.
    pub fn compare(
        &self,
        image: Option<&Image>,
        sealed: &BTreeSet<String>,
    ) -> Result<std::result::Result<RanBefore, String>> {
        let options = Options::default();
        let context = PlanContext::new(self.desired, self.observed, &options);
        let wanted = &self.task.container;
        let source = Source::of(&context, wanted)?;
        match of(&self.container) {
            Some(Here::Ended) => {}
            Some(_) => return Ok(Err("it still runs".to_owned())),
            None => return Ok(Err(format!("it ended with {}", self.container.state.exit_code))),
        }
        let image = (!is_image(&source, image, &self.container)).then(|| "image".to_owned());
        let differ = wanted.spec.drift(&self.container.inspect);
        let differ: Vec<String> = image.into_iter().chain(differ).chain(sealed.iter().cloned()).collect();
        if !differ.is_empty() {
            return Ok(Err(format!("{} not what it ran with", listed(&differ))));
        }
        let (name, owner) = (wanted.name.as_str(), &self.desired.workspace);
        let fingerprint = self.task.fingerprint(&source.label);
        let own = [
            (Label::TASK, name.to_owned()),
            (Label::RAN, fingerprint.clone()),
            (Label::VERSION, source.version),
            (Label::RAN_ON, self.observed.host.to_string()),
        ];
        let labels = Label::of(owner).chain(own).map(|(label, value)| (label.to_owned(), value));
        let volume = OwnVolumes::of_task(owner, name, &fingerprint);
        Ok(Ok(RanBefore { volume, labels: labels.collect() }))
    }
}

fn listed(fields: &[String]) -> String {
    match fields {
        [one] => format!("{one} is"),
        all => format!("{} are", all.join(", ")),
    }
}
