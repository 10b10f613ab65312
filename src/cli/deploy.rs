//! Plan and apply, wired: find the workspace, compile, read the world once, decide once, ask, carry
//! out.

mod stored;

pub(in crate::cli) use stored::{PlanOptions, StoredPlan, to_json};
