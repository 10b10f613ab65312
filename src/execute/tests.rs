//! Planning, checking and applying, on the Engine in memory.

mod batches;
mod container_files;
mod data;
mod ends;
mod faults;
mod files;
mod laws;
mod left_out;
mod resources;
pub(crate) mod retain;
mod secret_values;
pub(crate) mod stage;
mod start_first;
mod tasks;
mod trouble;

use crate::plan::HostPlan;
use stage::{Stage, running};

/// A plan that creates one container with a secret in a variable.
pub(super) fn plan_with_secret(name: &str) -> HostPlan {
    stage::runtime().block_on(async {
        let mut want = running("nginx", "r.example.com/nginx:1");
        want.spec.env.insert(name.to_owned(), stage::secret("db.password"));
        let stage = Stage::new().with(vec![want]);
        stage.publish(1);
        stage.plan().await.expect("planned")
    })
}
