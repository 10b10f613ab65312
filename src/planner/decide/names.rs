//! The names that containers get while one takes the place of another.

use super::choice::Choice;
use super::instances::{Instances, generation};
use super::kept;
use crate::observed::InstanceRole;
use crate::planner::context::PlanContext;
use std::collections::BTreeMap;

/// Names that are free.
#[derive(Debug, Default)]
pub(in crate::planner) struct Names {
    /// Of who gives up the plain name.
    pub(in crate::planner) aside: Option<String>,
    /// Of the choice on its way to the plain name, where it was kept.
    pub(in crate::planner) returning: Option<Returning>,
    /// Of those that came back in vain and stay, by id.
    pub(in crate::planner) laid_down: BTreeMap<String, String>,
}

/// A kept container that is chosen.
#[derive(Debug)]
pub(in crate::planner) struct Returning {
    /// Its name on its way: wherever that is cut off, the next run knows that it was started by a rollback.
    pub(in crate::planner) name: String,
    /// Its name where it does not come back.
    pub(in crate::planner) rests_as: String,
}

impl Names {
    pub(in crate::planner) fn of(
        context: &PlanContext<'_>,
        slot: &str,
        retain: u32,
        instances: &Instances<'_>,
        choice: &Choice<'_>,
    ) -> Self {
        let free = |name: fn(&str, u64, u32) -> String, generation: u64| {
            context.first_free(|number| name(slot, generation, number))
        };
        let aside = instances.holder.filter(|_| choice.name() != slot).map(|holder| {
            match kept::stays(retain, choice, holder) {
                true => free(InstanceRole::kept, generation(holder)),
                false => context.free_name(slot, generation(holder), choice.name()).1,
            }
        });
        let returning = match choice {
            Choice::Existing(chosen) => match chosen.role() {
                InstanceRole::Committed | InstanceRole::Attempt => None,
                InstanceRole::Returning => Some(Returning {
                    name: chosen.name.clone(),
                    rests_as: free(InstanceRole::kept, generation(chosen)),
                }),
                InstanceRole::Kept => Some(Returning {
                    name: free(InstanceRole::returning, generation(chosen)),
                    rests_as: chosen.name.clone(),
                }),
            },
            Choice::New { .. } => None,
        };
        let stay = instances.all().filter(|ours| kept::stays(retain, choice, ours));
        let back = stay.filter(|ours| ours.role() == InstanceRole::Returning);
        let laid_down = back.map(|ours| (ours.id.clone(), free(InstanceRole::kept, generation(ours))));
        Self { aside, returning, laid_down: laid_down.collect() }
    }
}
