//! What keeps a resource from being changed: its gate; its image, where it is not known what that stands for; a
//! resource that it requires, which is not there and waits itself.

use super::decision::{Decision, HeldBy};
use crate::desired::{Address, DesiredState, Item, PullPolicy};
use crate::name::ImageRef;
use crate::planner::context::PlanContext;
use crate::problem::{Problem, Result};
use std::collections::BTreeSet;

/// Resources that wait, and are not there meanwhile.
#[derive(Default)]
pub(in crate::planner) struct Waiting(BTreeSet<Address>);

impl Waiting {
    /// What other than a gate holds a resource of which this was decided.
    pub(in crate::planner) fn hold<'a>(
        &mut self,
        context: &PlanContext<'a>,
        item: &'a Item,
        decision: &Result<Decision<'a>>,
    ) -> Option<HeldBy<'a>> {
        let by = no_image(context, item, decision).or_else(|| self.needs(item, decision))?;
        if !is_there(context, item, decision) {
            self.0.insert(item.address.clone());
        }
        Some(by)
    }

    /// What does not change needs nothing.
    fn needs<'a>(&self, item: &Item, decision: &Result<Decision<'_>>) -> Option<HeldBy<'a>> {
        let changes = decision.as_ref().is_ok_and(Decision::changes);
        let unmet = item.needs.iter().find(|needed| self.0.contains(needed)).filter(|_| changes)?;
        Some(HeldBy::Needs(unmet.clone()))
    }
}

/// The image that a resource is made from, if a registry may be asked for it.
fn image(item: &Item) -> Option<&ImageRef> {
    match &item.want {
        DesiredState::ImagePulled { image, .. } => Some(image),
        want => want.container().filter(|want| want.pull == PullPolicy::Missing).map(|want| &want.image),
    }
}

fn no_image<'a>(
    context: &PlanContext<'a>,
    item: &Item,
    decision: &Result<Decision<'a>>,
) -> Option<HeldBy<'a>> {
    let image = image(item)?;
    if let Some(problems) = context.unresolved(image) {
        return Some(HeldBy::Image(problems.clone()));
    }
    if !context.options.offline {
        return None;
    }
    let unknown = decision.is_err() && image.digest.is_none() && context.resolution(image).is_none();
    if !unknown {
        return None;
    }
    let host = context.host();
    let what = format!("no registry is asked what {image} stands for, and host {host} does not know");
    let hint = format!("pin it with a digest ({}@sha256:…), or leave --offline out", image.name);
    Some(HeldBy::Image(Problem::failed(what).hint(hint).into()))
}

/// Whether what requires a resource can go on although it is not changed.
fn is_there(context: &PlanContext<'_>, item: &Item, decision: &Result<Decision<'_>>) -> bool {
    match (&item.want, decision) {
        (DesiredState::Container(want), _) => {
            context.of_slot(want.name.as_str()).any(|(ours, _)| ours.state.running)
        }
        (DesiredState::Task(_), Ok(Decision::Task(task))) => task.is_known(),
        (DesiredState::Task(_), _) => false,
        (DesiredState::ImagePulled { image, .. }, Err(_)) => context.by_tag(image).is_some(),
        (_, Ok(decision)) => decision.is_there(),
        (_, Err(_)) => false,
    }
}
