//! Containers of ours that were renamed by hand (`docker rename db db-old`). A second one beside them would
//! use the same volumes, so they get their names back, or nothing is planned.
//!
//! Everything else is planned as if they had those names already; the renames come first.

use crate::desired::{Desired, DesiredContainer, DesiredState};
use crate::observed::{Container, InstanceRole, Observed, Ownership, slot_of};
use crate::plan::Cause;
use crate::problem::{Problem, Problems, Result, escaped};

/// A container that gets its name back.
#[derive(Debug)]
pub(super) struct Renamed {
    pub(super) id: String,
    /// The name that it has.
    pub(super) from: String,
    /// The name that it gets.
    pub(super) to: String,
    pub(super) runs: bool,
}

impl Renamed {
    pub(super) fn cause(&self) -> Cause {
        Cause::Other(format!("by its labels it is {}, renamed by hand: it gets its name back", self.to))
    }
}

/// A host with containers that get their names back.
#[derive(Debug)]
pub(super) struct Restored {
    /// They are ours, and have the names that they have.
    pub(super) found: Observed,
    /// They have their names already.
    pub(super) planned: Observed,
    pub(super) renamed: Vec<Renamed>,
}

/// Finds the names for those of containers that are declared; `None` where there are none.
///
/// # Errors
/// Where a name is taken.
pub(super) fn restore(desired: &Desired, observed: &Observed) -> Result<Option<Restored>> {
    let renamed = observed.containers.iter().filter_map(|one| Some((one, one.renamed.as_ref()?)));
    let mut renamed: Vec<(&Container, &Ownership)> = renamed.collect();
    // The latest has the best claim to the plain name.
    renamed.sort_by_key(|(one, ours)| (!one.state.running, std::cmp::Reverse(ours.generation)));
    let (mut problems, mut back): (Vec<Problem>, Vec<Renamed>) = (Vec::new(), Vec::new());
    for (one, ours) in renamed {
        let Some(want) = declared(desired, ours) else { continue };
        match name_for(observed, want, one, ours, &back) {
            Ok(None) => {}
            Ok(Some(to)) => {
                let (id, from, runs) = (one.id.clone(), one.name.clone(), one.state.running);
                back.push(Renamed { id, from, to, runs });
            }
            Err(problem) => problems.push(*problem),
        }
    }
    Problems::check(problems)?;
    if back.is_empty() {
        return Ok(None);
    }
    let mut found = observed.clone();
    for one in found.containers.iter_mut().filter(|one| back.iter().any(|back| back.id == one.id)) {
        one.ours = one.renamed.take();
        one.impostor = false;
    }
    let mut planned = found.clone();
    for one in &mut planned.containers {
        if let Some(back) = back.iter().find(|back| back.id == one.id) {
            one.name.clone_from(&back.to);
        }
    }
    Ok(Some(Restored { found, planned, renamed: back }))
}

/// The declaration of the container that it is; `None` also where that is held.
fn declared<'a>(desired: &'a Desired, ours: &Ownership) -> Option<&'a DesiredContainer> {
    let slot = slot_of(&ours.instance);
    desired.items.iter().filter(|item| item.hold().is_none()).find_map(|item| match &item.want {
        DesiredState::Container(want)
            if want.name.as_str() == slot && *want.service().as_str() == ours.service =>
        {
            Some(want.as_ref())
        }
        _ => None,
    })
}

/// The name that it gets; `None`: it is left alone.
fn name_for(
    observed: &Observed,
    want: &DesiredContainer,
    one: &Container,
    ours: &Ownership,
    back: &[Renamed],
) -> Result<Option<String>, Box<Problem>> {
    let slot = want.name.as_str();
    let holder = observed.containers.iter().find(|other| other.name == slot);
    let is_free = |name: &str| {
        !observed.containers.iter().any(|other| other.name == name)
            && !back.iter().any(|back| back.to == name)
    };
    if is_free(slot) {
        return Ok(Some(slot.to_owned()));
    }
    let is_ours = holder.is_none_or(|holder| holder.ours.is_some());
    if is_ours && !one.state.running {
        let keeps = want.retain(observed.facts.can_update) > 0 && one.has_run();
        let mut names = (0..).map(|number| InstanceRole::kept(slot, ours.generation, number));
        return Ok(names.find(|name| is_free(name)).filter(|_| keeps));
    }
    // A later one of ours has the name: this one is a copy of its labels, or was left behind. A note says so.
    let later =
        |holder: &Container| holder.ours.as_ref().is_some_and(|holder| holder.generation > ours.generation);
    if holder.is_some_and(later) {
        return Ok(None);
    }
    let name = escaped(&one.name);
    let what = format!(
        "container {name} on host {} is {slot} by its labels, renamed by hand, and the name {slot} is taken",
        observed.host
    );
    let other = if is_ours {
        "by another one of the same service"
    } else {
        "by a container that pillarbox did not make"
    };
    Err(Box::new(
        Problem::failed(what)
            .cause(format!("{slot} is held {other}: two of them could use the same data"))
            .hint(format!(
                "if {name} is the right one: 'docker rm {slot}' (stop it before), then apply again"
            ))
            .hint(format!("if {slot} is: 'docker rm {name}' (stop it before)")),
    ))
}
