//! What containers use at the moment.

use super::hosts::at_once;
use super::observe::Observation;
use crate::engine::{Engine as _, Usage};
use crate::problem::{Problem, escaped};
use std::collections::BTreeMap;

/// What the running containers of this workspace use, by id.
#[derive(Clone, Debug, Default)]
pub struct Usages {
    /// Of each.
    pub of: BTreeMap<String, Usage>,
    /// Why it cannot be said of some.
    pub problems: Vec<Problem>,
}

impl Usages {
    /// Those of hosts, in their order.
    pub async fn of_all(seen: &[Observation<'_>]) -> Vec<Self> {
        at_once(seen.iter().map(Self::read)).await
    }

    /// Asks for one sample of each; an Engine takes a second or two for that.
    async fn read(seen: &Observation<'_>) -> Self {
        let ours = seen.observed.containers.iter();
        let ours = ours.filter(|one| one.ours.is_some() && !one.impostor && one.state.running);
        let asked = ours.map(|one| async move { (one, seen.engine.usage(&one.id).await) });
        let mut usages = Self::default();
        for (one, answer) in at_once(asked).await {
            match answer {
                Ok(usage) => usages.of.extend(usage.map(|usage| (one.id.clone(), usage))),
                Err(error) => {
                    let (name, host) = (escaped(&one.name), &seen.host.name);
                    let what = format!("what container {name} on host {host} uses cannot be read");
                    usages.problems.push(error.problem(what));
                }
            }
        }
        usages
    }
}
