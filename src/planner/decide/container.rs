//! What is to become of a container, decided from what is seen alone; see the table at the planner.

use super::aside::Aside;
use super::choice::{Choice, choose, fallback};
use super::data::Data;
use super::files::{Rewriting, are_as_made};
use super::fits::{fits, live};
use super::foreign::held_by_others;
use super::instances::{Instances, runs};
use super::kept::{self, Surplus};
use super::names::Names;
use super::sharing::{self, Owner, Shared};
use super::source::Source;
use super::watch::PendingReaction;
use super::{needs, networks, overlap, platform, restart, secrets};
use crate::desired::container_file::lies_in;
use crate::desired::{DesiredContainer, Fingerprint, Order, Reaction, RollbackTarget, Run, Spec};
use crate::observed::{Container, InstanceRole, SeenFile};
use crate::planner::context::PlanContext;
use crate::problem::{Problems, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The decision for one container of a service, or for a container by itself.
pub(in crate::planner) struct ContainerDecision<'a> {
    pub(in crate::planner) desired: &'a DesiredContainer,
    /// The desired spec, with the plain name as an alias in its networks.
    pub(in crate::planner) spec: Spec,
    /// Of the desired spec.
    pub(in crate::planner) fingerprint: Fingerprint,
    pub(in crate::planner) source: Source,
    pub(in crate::planner) instances: Instances<'a>,
    /// Which container holds the plain name in the end.
    pub(in crate::planner) choice: Choice<'a>,
    /// Whether it runs in the end.
    pub(in crate::planner) runs: bool,
    /// Whether the new one works before the old one stops.
    pub(in crate::planner) start_first: bool,
    /// Running containers that are stopped before it starts, or for good.
    pub(in crate::planner) to_stop: Vec<&'a Container>,
    /// The container that is started again if the change fails.
    pub(in crate::planner) fallback: Option<&'a Container>,
    /// Live fields of an existing choice that are changed in place.
    pub(in crate::planner) live: Vec<String>,
    /// Networks of an existing choice that it joins or leaves.
    pub(in crate::planner) networks: Vec<String>,
    /// Fields of an existing choice that were changed by hand.
    pub(in crate::planner) drift: Vec<String>,
    /// Why the old one stops first, although it is declared start-first.
    pub(in crate::planner) obstacle: Option<String>,
    /// Tasks that it requires and that have run when it is made: the fingerprint of each.
    pub(in crate::planner) tasks: BTreeMap<String, String>,
    /// Ids of its containers whose volume of secrets is there.
    with_files: BTreeSet<String>,
    /// Files of an existing choice that are rewritten.
    pub(in crate::planner) rewriting: Rewriting,
    /// Files of the container that holds the plain name, as they were seen.
    pub(in crate::planner) seen: Option<&'a BTreeMap<String, SeenFile>>,
    /// What of its watches makes it do something.
    pub(in crate::planner) pending: Vec<PendingReaction<'a>>,
    /// What an existing choice that runs does because of them.
    pub(in crate::planner) reactions: Vec<Reaction>,
    /// Whether the Engine changes limits and restart policies in place.
    pub(in crate::planner) can_update: bool,
    /// What was kept for a rollback and goes in the end.
    pub(in crate::planner) surplus: Surplus<'a>,
    /// What is done about kept ones that are not left as they are.
    pub(in crate::planner) aside: Aside<'a>,
    /// The containers that it is made with.
    pub(in crate::planner) shared: Vec<Shared<'a>>,
    /// What becomes of the data in anonymous volumes.
    pub(in crate::planner) data: Data<'a>,
    /// The names that containers get on the way.
    pub(in crate::planner) names: Names,
    /// A new container is asked for, whatever is there.
    pub(in crate::planner) renewed: bool,
}

impl<'a> ContainerDecision<'a> {
    /// Decides. `shared` are the containers that it is made with, `pending` what it watches, `tasks` those
    /// that it requires and that have run by then.
    ///
    /// # Errors
    /// Where the plain name is held by a container of others, or the image is not known.
    pub(in crate::planner) fn of(
        context: &PlanContext<'a>,
        desired: &'a DesiredContainer,
        shared: Vec<Shared<'a>>,
        pending: Vec<PendingReaction<'a>>,
        tasks: BTreeMap<String, String>,
    ) -> Result<Self> {
        let (name, service) = (desired.name.as_str(), desired.service().as_str());
        let instances = Instances::of_slot(context, service, name);
        let source = Source::of(context, desired);
        let unknown = source.as_ref().err().into_iter().flat_map(|more| more.iter().cloned());
        let taken = held_by_others(context, &instances, name);
        let too_new = needs::api(context, desired).into_iter().chain(needs::passed_over(context, desired));
        Problems::check(taken.into_iter().chain(unknown).chain(too_new).collect())?;
        let source = source?;
        let fingerprint = desired.spec.fingerprint();
        let will_run = will_run(desired, &instances);
        let renewed = context.options.renew.contains(service);
        let once = will_run && networks::has_address(&desired.spec);
        let choice = choose(context, desired, (&instances, &source.label), will_run, |ours: &Container| {
            !renewed
                && (runs(ours) || !once)
                && fits(context, desired, &source, ours)
                && (ours.role() == InstanceRole::Committed || are_as_made(desired, ours))
                && sharing::moved(&shared, ours).is_none()
                && !pending.iter().any(|pending| pending.replaces(ours))
        });
        if let (Choice::New { .. }, true) = (&choice, will_run) {
            Problems::check(platform::unfit(context, desired, &source))?;
        }
        let others = instances.others.iter().chain(&instances.holder).copied();
        let to_stop: Vec<&Container> =
            others.filter(|ours| runs(ours) && (!will_run || !choice.is(ours))).collect();
        let own = match &choice {
            Choice::Existing(kept) if kept.role() != InstanceRole::Committed => {
                differing(desired, &fingerprint, kept)
            }
            _ => None,
        };
        let obstacle = own.as_ref().map_or_else(
            || overlap::obstacle(desired),
            |(spec, kept)| overlap::obstacle_of(desired, &spec.networks(), kept),
        );
        let fallback = fallback(&instances, &choice, &to_stop, will_run);
        let data = data(context, desired, &source, &instances, &choice, fallback);
        let obstacle = obstacle.or_else(|| overlap::data(desired, &choice, &to_stop, &data));
        let spec = own.map_or_else(|| desired.spec.clone(), |(spec, _)| spec);
        let spec = networks::named(&spec, [name, desired.alias()]);
        let differences = match choice {
            Choice::Existing(chosen) => Differences::of(desired, &spec, chosen),
            Choice::New { .. } => Differences::default(),
        };
        let with_files = instances.all().filter(|ours| secrets::has(context, ours));
        let with_files = with_files.map(|ours| ours.id.clone()).collect();
        let (pending, mut reactions) = react(pending, &choice, &instances, will_run);
        let rewriting = match choice {
            Choice::Existing(chosen) if back(desired).is_none() => Rewriting::of(context, desired, chosen),
            _ => Rewriting::default(),
        };
        if matches!(choice, Choice::Existing(chosen) if will_run && runs(chosen)) {
            reactions = all_reactions(reactions, rewriting.reactions(desired));
        }
        let seen = instances.holder.and_then(|holder| context.files_of(&holder.id));
        let can_update = context.can_update();
        let retain = desired.retain(can_update);
        let keeping = (retain, desired.images());
        let surplus =
            kept::surplus(context, name, keeping, &instances, (&choice, made_from(&choice, &source)));
        let goes = |ours: &&Container| goes(retain, &instances, &choice, &surplus, ours);
        let gone: Vec<&Container> = instances.everything().filter(goes).collect();
        Ok(Self {
            data: data.and_going(context, gone.into_iter()),
            start_first: obstacle.is_none()
                && will_run
                && is_start_first(desired, &instances, &choice, &to_stop),
            fallback,
            aside: Aside::of(&instances, &choice, retain, |ours| {
                !surplus.containers.iter().any(|gone| gone.id == ours.id)
            }),
            surplus,
            names: Names::of(context, name, retain, &instances, &choice),
            desired,
            spec,
            fingerprint,
            source,
            instances,
            choice,
            runs: will_run,
            to_stop,
            live: differences.live,
            networks: differences.networks,
            drift: differences.drift,
            obstacle,
            tasks,
            with_files,
            rewriting,
            seen,
            pending,
            reactions,
            can_update,
            renewed,
            shared,
        })
    }

    /// How many generations stay beside the one that runs.
    pub(in crate::planner) fn retain(&self) -> u32 {
        self.desired.retain(self.can_update)
    }

    /// Whether a container that is not chosen stays for a rollback.
    pub(in crate::planner) fn stays(&self, ours: &Container) -> bool {
        kept::stays(self.retain(), &self.choice, ours)
    }

    /// Whether a container of it is removed.
    pub(in crate::planner) fn goes(&self, ours: &Container) -> bool {
        goes(self.retain(), &self.instances, &self.choice, &self.surplus, ours)
    }

    /// The generation that a rollback asks for.
    pub(in crate::planner) fn back(&self) -> Option<&'a RollbackTarget> {
        back(self.desired)
    }

    /// Whether the choice holds the plain name already.
    pub(in crate::planner) fn is_committed(&self) -> bool {
        matches!(self.choice, Choice::Existing(chosen) if chosen.role() == InstanceRole::Committed)
    }

    /// Whether the choice has the plain name, or will be made under it.
    pub(in crate::planner) fn has_plain_name(&self) -> bool {
        self.choice.name() == self.desired.name.as_str()
    }

    /// Whether it is created or recreated, or another container takes its place.
    pub(in crate::planner) fn makes(&self) -> bool {
        matches!(self.choice, Choice::New { .. }) || !self.has_plain_name()
    }

    /// Whether anything is done about it.
    pub(in crate::planner) fn changes(&self) -> bool {
        !self.stays_as_it_is() || !self.instances.others.is_empty() || !self.aside.is_empty()
    }

    /// Whether it stays as it is; what is left beside it may go.
    pub(in crate::planner) fn stays_as_it_is(&self) -> bool {
        let Choice::Existing(chosen) = self.choice else { return false };
        let differs = !self.live.is_empty() || !self.networks.is_empty() || self.runs != runs(chosen);
        self.is_committed() && !differs && self.pending.is_empty() && self.rewriting.is_empty()
    }

    /// The restart policy that it has in the end.
    pub(in crate::planner) fn policy(&self) -> Value {
        restart::policy(self.desired)
    }

    /// Whether a container of it has files in a volume of its own, and they are not there.
    pub(in crate::planner) fn lost_files(&self, container: &Container) -> bool {
        self.desired.spec.has_volume() && !self.with_files.contains(&container.id)
    }

    /// Whether a file of the new container is mounted: written into a volume that it has of its predecessor, it would
    /// be changed there as well.
    pub(in crate::planner) fn mounts_file(&self, path: &str) -> bool {
        self.desired.spec.is_mounted(path) || self.data.handed.iter().any(|one| lies_in(path, &one.path))
    }

    /// What it is to those that are made with it.
    pub(in crate::planner) fn owner(&self) -> Owner<'a> {
        match &self.choice {
            Choice::New { generation, .. } => Owner::new(&self.desired.name, *generation),
            Choice::Existing(chosen) => {
                let again = self.reactions.contains(&Reaction::Restart);
                Owner::existing(chosen, self.runs && (again || !runs(chosen)))
            }
        }
    }
}

/// The generation that a rollback asks for.
fn back(desired: &DesiredContainer) -> Option<&RollbackTarget> {
    desired.replica.as_ref()?.back.as_ref()
}

/// What it does because of what it watches and because of its files: started again, it needs no signal.
fn all_reactions(watched: Vec<Reaction>, of_files: impl Iterator<Item = Reaction>) -> Vec<Reaction> {
    let all: BTreeSet<Reaction> = watched.into_iter().chain(of_files).collect();
    if all.contains(&Reaction::Restart) { vec![Reaction::Restart] } else { all.into_iter().collect() }
}

/// Whether a container of it is removed.
fn goes(
    retain: u32,
    instances: &Instances<'_>,
    choice: &Choice<'_>,
    surplus: &Surplus<'_>,
    ours: &Container,
) -> bool {
    let stays = choice.is(ours) || kept::stays(retain, choice, ours);
    surplus.containers.iter().any(|gone| gone.id == ours.id)
        || (instances.all().any(|one| one.id == ours.id) && !stays)
}

/// What becomes of the data of the container that ran last. One that never ran has none.
fn data<'a>(
    context: &PlanContext<'a>,
    desired: &DesiredContainer,
    source: &Source,
    instances: &Instances<'a>,
    choice: &Choice<'a>,
    fallback: Option<&'a Container>,
) -> Data<'a> {
    let before = fallback.into_iter().chain(instances.holder).filter(|ours| ours.has_run());
    let before: Vec<&Container> = before.collect();
    let image = source.on_host(context).map(|image| image.volumes.as_slice());
    Data::handed(context, desired, image, choice, &before)
}

/// In what a container that stays differs from what is desired.
#[derive(Default)]
struct Differences {
    live: Vec<String>,
    networks: Vec<String>,
    drift: Vec<String>,
}

impl Differences {
    fn of(desired: &DesiredContainer, spec: &Spec, container: &Container) -> Self {
        let networks = spec.live_differences(&container.inspect);
        let networks = networks.iter().filter_map(|field| field.strip_prefix("networks."));
        let mut drift = spec.drift(&container.inspect);
        drift.retain(|field| was_declared(desired, container, field));
        Self { networks: networks.map(str::to_owned).collect(), live: live(desired, container), drift }
    }
}

/// The image of the choice, as its label names it.
fn made_from<'c>(choice: &Choice<'c>, source: &'c Source) -> &'c str {
    match choice {
        Choice::Existing(chosen) => chosen.ours.as_ref().map_or("", |ours| &ours.image),
        Choice::New { .. } => &source.label,
    }
}

/// Whether a container was created with the value of a field that is declared. One that a rollback keeps in
/// service may have been created from another declaration: where that differs nothing was changed by hand.
fn was_declared(desired: &DesiredContainer, container: &Container, field: &str) -> bool {
    container.ours.as_ref().is_none_or(|ours| {
        desired.spec.has_made(&ours.spec, &ours.fields)
            || ours.fields.get(field) == desired.spec.field_fingerprints().get(field)
    })
}

fn will_run(desired: &DesiredContainer, instances: &Instances<'_>) -> bool {
    match desired.run {
        Run::Running => true,
        Run::Stopped => false,
        // As it is; and where a replacement was interrupted, as it was.
        Run::Created => {
            instances.all().any(runs)
                || (!instances.others.is_empty() && instances.all().any(Container::has_run))
        }
    }
}

/// Whether it is declared start-first, and there are two containers of which one can start first.
fn is_start_first(
    desired: &DesiredContainer,
    instances: &Instances<'_>,
    choice: &Choice<'_>,
    to_stop: &[&Container],
) -> bool {
    let declared = desired.replica.as_ref().is_some_and(|replica| replica.order == Order::StartFirst);
    let possible = match choice {
        Choice::New { .. } => true,
        Choice::Existing(chosen) => {
            let holds = instances.holder.is_some_and(|holder| choice.is(holder));
            !(holds && runs(chosen)) && (!to_stop.is_empty() || runs(chosen))
        }
    };
    declared && possible
}

/// A kept container whose declaration is not today's is started again as it is: its spec as far as it
/// matters to that, its networks. `None` where it was made from the desired spec.
fn differing<'a>(
    desired: &DesiredContainer,
    fingerprint: &Fingerprint,
    kept: &'a Container,
) -> Option<(Spec, &'a Container)> {
    kept.ours.as_ref().filter(|ours| ours.spec != *fingerprint)?;
    let mut spec = Spec::default();
    spec.live.insert("networks".to_owned(), networks::of_both(kept, &desired.spec));
    spec.live.extend(desired.spec.live.get("restart").map(|policy| ("restart".to_owned(), policy.clone())));
    Some((spec, kept))
}

/// What it does because of what it watches: the watches that count, and what a container that stays does.
fn react<'a>(
    pending: Vec<PendingReaction<'a>>,
    choice: &Choice<'a>,
    instances: &Instances<'a>,
    will_run: bool,
) -> (Vec<PendingReaction<'a>>, Vec<Reaction>) {
    match choice {
        Choice::New { .. } => {
            let replaces = |one: &PendingReaction<'a>| instances.all().any(|ours| one.replaces(ours));
            (pending.into_iter().filter(replaces).collect(), Vec::new())
        }
        Choice::Existing(chosen) if will_run && runs(chosen) => {
            let pending: Vec<PendingReaction<'a>> =
                pending.into_iter().filter(|one| one.asks(chosen).is_some()).collect();
            let mut asked: Vec<Reaction> =
                pending.iter().filter_map(|one| one.asks(chosen).cloned()).collect();
            asked.sort();
            asked.dedup();
            // Started again, it needs no signal.
            let restart = asked.contains(&Reaction::Restart);
            (pending, if restart { vec![Reaction::Restart] } else { asked })
        }
        Choice::Existing(_) => (Vec::new(), Vec::new()),
    }
}
