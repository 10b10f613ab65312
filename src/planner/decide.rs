//! From the desired and the observed state to decisions: complete values, one for each resource. Nothing here
//! says why, and nothing is filled in later.

mod absence;
pub(super) mod aside;
pub(super) mod choice;
pub(super) mod clean;
pub(super) mod container;
mod container_change;
pub(super) mod data;
pub(super) mod decision;
pub(super) mod files;
mod fits;
pub(super) mod foreign;
mod found;
mod held;
pub(super) mod image;
pub(super) mod images;
mod in_use;
pub(super) mod instances;
mod kept;
mod names;
mod needs;
pub(super) mod networks;
pub(super) mod one_offs;
pub(super) mod operate;
mod order;
mod overlap;
mod patience;
mod planned;
pub(super) mod platform;
mod preflight;
pub(super) mod resource;
pub(super) mod restart;
pub(super) mod secrets;
pub(super) mod sharing;
pub(super) mod source;
pub(super) mod task;
pub(super) mod users;
pub(super) mod watch;

pub(super) use absence::{Absence, AbsenceReason};
pub(super) use container_change::ContainerChange;
pub(super) use fits::live;
pub(super) use order::Turn;

use super::context::PlanContext;
use crate::desired::{Address, DesiredState, Item, Kind};
use crate::observed::Record;
use crate::problem::{Problems, Result};
use container::ContainerDecision;
use decision::{Decided, Decision, HeldBy, HeldDecision};
use held::Waiting;
use image::ImageDecision;
use images::Images;
use planned::PlannedChanges;
use resource::ResourceDecision;
use secrets::Leftovers;
use task::{TaskRun, Tasks};

/// Everything that is decided about a host.
pub(super) struct Decisions<'a> {
    /// What an apply that did not finish left.
    pub(super) leftovers: Leftovers<'a>,
    /// In the order of declaration.
    pub(super) decided: Vec<Decided<'a>>,
    /// In the order in which they are done.
    pub(super) turns: Vec<Turn>,
    /// Records of containers that were taken over and are gone.
    pub(super) gone: Vec<&'a Record>,
    /// What becomes of images that nothing needs in the end.
    pub(super) images: Images,
}

/// Decides.
///
/// # Errors
/// All reasons why nothing can be planned for the host.
pub(super) fn decide<'a>(context: &PlanContext<'a>) -> Result<Decisions<'a>> {
    let decided = all(context)?;
    Problems::check(preflight::check(context, &decided))?;
    let turns = order::turns(&decided);
    let leftovers = Leftovers::of(context, one_offs::taken_down(context));
    let decided = in_use::settle(context, decided, &turns, &leftovers)?;
    Ok(Decisions {
        images: Images::of(context, &decided, &leftovers),
        leftovers,
        decided,
        turns,
        gone: context.adopted().filter(|record| context.by_id(&record.container).is_none()).collect(),
    })
}

fn all<'a>(context: &PlanContext<'a>) -> Result<Vec<Decided<'a>>> {
    let (decided, problems) = each(context);
    let problems = problems.into_iter().flat_map(|(_, problems)| problems.into_vec());
    Problems::check(problems.collect())?;
    Ok(decided)
}

/// Resources about which nothing can be decided, and why.
pub(super) fn undecided(context: &PlanContext<'_>) -> Vec<(Address, Problems)> {
    each(context).1
}

fn each<'a>(context: &PlanContext<'a>) -> (Vec<Decided<'a>>, Vec<(Address, Problems)>) {
    let mut problems = Vec::new();
    let mut decided = undeclared(context);
    let tasks = Tasks::of(context);
    let (mut planned, mut waiting) = (PlannedChanges::default(), Waiting::default());
    for item in context.items() {
        let decision = of(context, item, &tasks, &planned);
        let gate = item.hold().or_else(|| tasks.held_back(item));
        let stop = item.service().and_then(|service| context.stop_of(service.as_str()));
        if let Some(stop) = stop.filter(|_| is_asked_back(item)) {
            let cause = "whether what comes back works is seen while it runs";
            let problem = operate::stopped_problem(context, stop).cause(cause);
            problems.push((item.address.clone(), problem.into()));
            continue;
        }
        let gate = stop.map(HeldBy::Stopped).or(gate.map(|(app, hold)| HeldBy::Gate { app, hold }));
        let by = match gate {
            None => waiting.hold(context, item, &decision),
            gate => gate,
        };
        let decision = match by {
            Some(by) => Ok(Decision::Held(HeldDecision { by, otherwise: decision.map(Box::new) })),
            None => decision,
        };
        match decision {
            Ok(decision) => {
                let waits = planned.lets_wait(context, item, &decision);
                let decision = if waits { Decision::Waits(item) } else { decision };
                planned.note(&item.address, &decision);
                let (address, needs) = (item.address.clone(), item.needs.clone());
                decided.push(Decided { address, needs, decision });
            }
            Err(more) => problems.push((item.address.clone(), more)),
        }
    }
    (decided, problems)
}

/// Whether a rollback brings it back.
fn is_asked_back(item: &Item) -> bool {
    matches!(&item.want, DesiredState::Container(want)
        if want.replica.as_ref().is_some_and(|replica| replica.back.is_some()))
}

/// Ours that no state declares, if they are to go.
fn undeclared<'a>(context: &PlanContext<'a>) -> Vec<Decided<'a>> {
    if !context.options.prune {
        return Vec::new();
    }
    let of = |kind, name: &str, decision| {
        let address = Address { kind, name: name.to_owned() };
        Decided { address, needs: Vec::new(), decision }
    };
    let containers = context.undeclared().into_iter().map(|(service, slot)| {
        let absence = Absence::undeclared(context, service, slot);
        of(Kind::Container, slot, Decision::Absent(absence))
    });
    let networks = context.undeclared_networks().map(|network| {
        of(Kind::Network, &network.name, Decision::Resource(ResourceDecision::undeclared(network)))
    });
    containers.chain(networks).collect()
}

fn of<'a>(
    context: &PlanContext<'a>,
    item: &'a Item,
    tasks: &Tasks<'a>,
    planned: &PlannedChanges<'a>,
) -> Result<Decision<'a>> {
    Ok(match &item.want {
        DesiredState::Container(desired) => {
            let shared = planned.shared(context, &desired.spec);
            let pending = planned.pending(context, item);
            let before = tasks.before(item);
            let container = ContainerDecision::of(context, desired, shared, pending, before)?;
            Decision::Container(Box::new(container))
        }
        DesiredState::ContainerAbsent { name, stop_timeout } => {
            Decision::Absent(Absence::declared(context, name, *stop_timeout))
        }
        DesiredState::Surplus { service, keep, stop_timeout } => {
            Decision::Absent(Absence::surplus(context, service, keep, *stop_timeout))
        }
        DesiredState::Network(desired) => Decision::Resource(ResourceDecision::network(context, desired)?),
        DesiredState::NetworkAbsent { name } => {
            Decision::Resource(ResourceDecision::no_network(context, name)?)
        }
        DesiredState::Volume(desired) => Decision::Resource(ResourceDecision::volume(context, desired)?),
        DesiredState::VolumeAbsent { name } => Decision::Resource(ResourceDecision::no_volume(context, name)),
        DesiredState::ImagePulled { image, force } => {
            Decision::Image(ImageDecision::pulled(context, image, *force)?)
        }
        DesiredState::ImageAbsent { image } => Decision::Image(ImageDecision::absent(context, image)),
        DesiredState::Task(desired) => Decision::Task(Box::new(TaskRun::of(context, desired)?)),
        DesiredState::LeftOut { why } => Decision::LeftOut(why),
    })
}
