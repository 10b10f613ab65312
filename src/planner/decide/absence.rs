//! What is to become of containers that are not to be there.

use super::data::Data;
use super::instances::Instances;
use super::kept;
use crate::name::ContainerName;
use crate::planner::context::PlanContext;
use std::collections::BTreeSet;

/// Containers of ours that go.
pub(in crate::planner) struct Absence<'a> {
    /// The container or service that they are of.
    pub(in crate::planner) name: String,
    pub(in crate::planner) reason: AbsenceReason,
    pub(in crate::planner) instances: Instances<'a>,
    /// What becomes of the data in their anonymous volumes.
    pub(in crate::planner) data: Data<'a>,
    /// Tags that keep images for containers that are gone already.
    pub(in crate::planner) tags: Vec<String>,
    /// Seconds to wait after the stop signal.
    pub(in crate::planner) timeout: Option<u32>,
}

/// Why they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::planner) enum AbsenceReason {
    /// A state says so.
    Declared,
    /// No state declares them any more.
    Undeclared,
    /// They are more than their service has.
    Surplus,
    /// They are taken down by request.
    Down,
    /// They are failed attempts, and their log is of use no more.
    Attempt,
}

impl<'a> Absence<'a> {
    /// A container that a state declares absent.
    pub(in crate::planner) fn declared(
        context: &PlanContext<'a>,
        name: &ContainerName,
        timeout: Option<u32>,
    ) -> Self {
        let instances = Instances::of(context, name.as_str());
        Self {
            name: name.to_string(),
            reason: AbsenceReason::Declared,
            data: Data::left(context, &instances),
            instances,
            tags: kept::tags_left(context, name, &BTreeSet::new()),
            timeout,
        }
    }

    /// Containers of a service beside those that it has.
    pub(in crate::planner) fn surplus(
        context: &PlanContext<'a>,
        service: &ContainerName,
        keep: &BTreeSet<ContainerName>,
        timeout: Option<u32>,
    ) -> Self {
        let instances = Instances::but(context, service.as_str(), keep);
        Self {
            name: service.to_string(),
            reason: if context.options.down { AbsenceReason::Down } else { AbsenceReason::Surplus },
            data: Data::left(context, &instances),
            instances,
            tags: kept::tags_left(context, service, keep),
            timeout,
        }
    }

    /// Containers of a plain name that no state declares any more.
    pub(in crate::planner) fn undeclared(context: &PlanContext<'a>, service: &str, slot: &str) -> Self {
        let instances = Instances::of_slot(context, service, slot);
        let alone = context.images_alone(slot).into_iter();
        Self {
            name: slot.to_owned(),
            reason: AbsenceReason::Undeclared,
            data: Data::left(context, &instances),
            instances,
            tags: alone
                .flat_map(|number| context.kept_tags(slot, number).iter().map(|tag| (*tag).to_owned()))
                .collect(),
            timeout: None,
        }
    }
}
