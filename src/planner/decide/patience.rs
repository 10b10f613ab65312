//! What is known of a container's health check before it is made.

use super::choice::Choice;
use super::container::ContainerDecision;
use crate::observed::HealthCheck;
use crate::planner::context::PlanContext;
use serde_json::Value;

impl ContainerDecision<'_> {
    /// The check that it will have, as far as that is known: its image may not be on the host yet.
    pub(in crate::planner) fn health_check(&self, context: &PlanContext<'_>) -> Option<HealthCheck> {
        match &self.choice {
            Choice::Existing(container) => {
                HealthCheck::read(container.inspect.compare("/Config/Healthcheck")?, None)
            }
            Choice::New { .. } => {
                let image = self.source.on_host(context).and_then(|image| image.health_check);
                let body = self.spec.create_body();
                HealthCheck::read(body.get("Healthcheck").unwrap_or(&Value::Null), image.as_ref())
            }
        }
    }

    /// Seconds within which it must become healthy, where the declaration does not say.
    pub(in crate::planner) fn patience(&self, context: &PlanContext<'_>) -> u32 {
        HealthCheck::start_timeout(self.health_check(context).as_ref())
    }
}
