//! Who is said to receive a secret.

use crate::plan::HostPlan;
use crate::state::SecretRef;
use std::collections::BTreeSet;

/// Who is said to receive a secret.
pub(super) struct Receivers<'p>(BTreeSet<(&'p str, &'p str, &'p str)>);

impl<'p> Receivers<'p> {
    pub(super) fn of(plan: &'p HostPlan) -> Self {
        let each = plan.receivers.iter();
        Self(each.map(|said| (said.secret.as_str(), said.container.as_str(), said.field.as_str())).collect())
    }

    /// Whether it is said that a field of a container receives a secret.
    pub(super) fn say(&self, secret: &SecretRef, container: &str, field: &str) -> bool {
        self.0.contains(&(&secret.origin.key.to_string(), container, field))
    }
}
