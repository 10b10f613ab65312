//! In which batches the hosts of a plan are changed, as the inventory and the options say.

use super::hosts::FailedHost;
use super::pipeline::Pipeline;
use super::plan::{PlannedHost, PlannedHosts};
use crate::plan::{FORMAT_VERSION, HostPlan, Plan};
use crate::planner::{Turn, batches, changed_containers};
use crate::rollout::BatchSizes;

impl Pipeline<'_> {
    /// The plans of some hosts as one plan; `sizes` as it was asked for.
    pub(super) fn one_plan(
        &self,
        plans: Vec<HostPlan>,
        hosts: Vec<PlannedHost>,
        failed: Vec<FailedHost>,
        sizes: Option<&BatchSizes>,
    ) -> PlannedHosts {
        let inventory = self.vault.inventory();
        let busy = plans.iter().filter(|plan| !plan.steps.is_empty());
        let turns: Vec<Turn<'_>> = busy
            .map(|plan| {
                let host = inventory.hosts.get(&plan.host);
                Turn {
                    host: &plan.host,
                    wave: host.map_or(0, |host| inventory.wave(host)),
                    canary: host.is_some_and(|host| inventory.is_canary(host)),
                    resources: changed_containers(plan),
                    // What is asked for on the command line counts before what is written.
                    groups: host
                        .filter(|_| sizes.is_none())
                        .map(|host| inventory.bounds_of(host))
                        .unwrap_or_default(),
                }
            })
            .collect();
        let batches = batches(&turns, &sizes.cloned().unwrap_or_default());
        let plan = Plan {
            format_version: FORMAT_VERSION.to_owned(),
            workspace: self.vault.name().clone(),
            hosts: plans,
            batches,
            paused: Vec::new(),
        };
        PlannedHosts { plan, failed, left_out: Vec::new(), hosts }
    }
}
