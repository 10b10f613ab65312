//! What is to become of a service, decided from what is seen alone.

use super::adopt;
use super::context::PlanContext;
use super::create::{parked, same_policy};
use super::images::Source;
use super::instances::{Instances, generation, runs, slot, works};
use super::kept::{self, Surplus};
use super::needs;
use super::networks;
use super::overlap;
use super::platform;
use super::secrets;
use super::sharing::{self, Shared};
use super::watch::Owed;
use crate::desired::{Back, ContainerWish, Fingerprint, Order, Reaction, Run, Spec};
use crate::observed::{Container, Standing};
use crate::problem::{Problem, Problems, Result, escaped};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The decision for one service.
pub(super) struct Course<'a> {
    pub(super) wish: &'a ContainerWish,
    /// The wish's spec, with the plain name as an alias in its networks.
    pub(super) spec: Spec,
    /// Of the desired spec.
    pub(super) fingerprint: Fingerprint,
    pub(super) source: Source,
    pub(super) instances: Instances<'a>,
    /// Who holds the plain name in the end.
    pub(super) choice: Choice<'a>,
    /// Whether it runs in the end.
    pub(super) runs: bool,
    /// Running containers that are stopped before it starts.
    pub(super) retire: Vec<&'a Container>,
    /// Who is brought back if it does not work out.
    pub(super) fallback: Option<&'a Container>,
    /// Live fields of an existing choice that are changed in place.
    pub(super) live: Vec<String>,
    /// Networks of an existing choice that it joins or leaves.
    pub(super) networks: Vec<String>,
    /// Fields of an existing choice that somebody changed by hand.
    pub(super) drift: Vec<String>,
    /// Why the old one stops first, although it is declared start-first.
    pub(super) obstacle: Option<String>,
    /// Tasks that it requires and that have run when it is made: the fingerprint of each.
    pub(super) tasks: BTreeMap<String, String>,
    /// Ids of its containers whose volume of secrets is there.
    with_files: BTreeSet<String>,
    /// What of its watches makes it do something.
    pub(super) watched: Vec<Owed<'a>>,
    /// What an existing choice that runs does because of them.
    pub(super) reactions: Vec<Reaction>,
    /// Whether the Engine changes limits and restart policies in place.
    pub(super) can_update: bool,
    /// What was kept for a rollback and goes in the end.
    pub(super) surplus: Surplus<'a>,
    /// The containers that it is made with.
    pub(super) shared: Vec<Shared<'a>>,
}

/// Who holds the plain name in the end.
#[derive(Clone, Debug)]
pub(super) enum Choice<'a> {
    /// A container that is there.
    Existing(&'a Container),
    /// A new one.
    New {
        /// It counts from 1.
        generation: u64,
        /// The name that it is created under.
        name: String,
    },
}

impl<'a> Course<'a> {
    /// Decides; see the table at [`super`].
    ///
    /// # Errors
    /// Where the plain name is held by somebody else, or the image is not known.
    pub(super) fn of(
        context: &PlanContext<'a>,
        wish: &'a ContainerWish,
        shared: Vec<Shared<'a>>,
        owed: Vec<Owed<'a>>,
    ) -> Result<Self> {
        let service = wish.name.as_str();
        let instances = Instances::of_slot(context, wish.service().as_str(), service);
        let fingerprint = wish.spec.fingerprint();
        let source = Source::of(context, wish);
        let unknown = source.as_ref().err().into_iter().flat_map(|more| more.iter().cloned());
        let taken = held_by_others(context, &instances, service);
        let too_new = needs::api(context, wish);
        Problems::check(taken.into_iter().chain(unknown).chain(too_new).collect())?;
        let source = source?;
        let run = shall_run(wish, &instances);
        let once = run && networks::has_address(&wish.spec);
        let fits = |ours: &Container| {
            let usable = runs(ours) || !once;
            usable
                && fits(context, wish, &fingerprint, &source, ours)
                && sharing::moved(&shared, ours).is_none()
                && !owed.iter().any(|owed| owed.replaces(ours))
        };
        let choice = choose(context, wish, &instances, run, fits);
        if let (Choice::New { .. }, true) = (&choice, run) {
            Problems::check(platform::unfit(context, wish, &source))?;
        }
        let retire: Vec<&Container> =
            instances.all().filter(|ours| runs(ours) && (!run || !choice.is(ours))).collect();
        let fallback = fallback(&instances, &choice, &retire, run);
        let own = match &choice {
            Choice::Existing(kept) if kept.standing() != Standing::Committed => {
                differing(wish, &fingerprint, kept)
            }
            _ => None,
        };
        let obstacle = own.as_ref().map_or_else(
            || overlap::obstacle(wish),
            |(spec, kept)| overlap::obstacle_of(wish, &spec.networks(), kept),
        );
        let spec = own.map_or_else(|| wish.spec.clone(), |(spec, _)| spec);
        let mut course = Self {
            wish,
            spec: networks::named(&spec, [service, wish.service().as_str()]),
            fingerprint,
            source,
            instances,
            choice,
            runs: run,
            retire,
            fallback,
            live: Vec::new(),
            networks: Vec::new(),
            drift: Vec::new(),
            obstacle,
            tasks: BTreeMap::new(),
            with_files: BTreeSet::new(),
            watched: Vec::new(),
            reactions: Vec::new(),
            can_update: context.can_update(),
            surplus: Surplus::default(),
            shared,
        };
        let with_files = course.instances.all().filter(|ours| secrets::of(context, ours).is_some());
        course.with_files = with_files.map(|ours| ours.id.clone()).collect();
        if let Choice::Existing(container) = course.choice {
            course.compare(container);
        }
        course.react(owed);
        course.surplus = kept::surplus(context, &course);
        Ok(course)
    }

    /// How many generations stay beside the one that runs.
    pub(super) fn retain(&self) -> u32 {
        self.wish.retain(self.can_update)
    }

    /// The generation that a rollback asks for.
    pub(super) fn back(&self) -> Option<&'a Back> {
        self.wish.replica.as_ref()?.back.as_ref()
    }

    /// Whether the choice holds the plain name already.
    pub(super) fn is_committed(&self) -> bool {
        matches!(self.choice, Choice::Existing(chosen) if chosen.standing() == Standing::Committed)
    }

    /// Whether the new one works before the old one stops.
    pub(super) fn is_start_first(&self) -> bool {
        let declared = self.wish.replica.as_ref().is_some_and(|replica| replica.order == Order::StartFirst);
        let possible = match &self.choice {
            Choice::New { .. } => true,
            Choice::Existing(chosen) => {
                let holds = self.instances.holder.is_some_and(|holder| self.choice.is(holder));
                !(holds && runs(chosen)) && (!self.retire.is_empty() || runs(chosen))
            }
        };
        declared && self.runs && possible && self.obstacle.is_none()
    }

    /// The restart policy that it has in the end.
    pub(super) fn policy(&self) -> Value {
        policy(self.wish)
    }

    /// Whether a container of it has files of secrets, and they are not there.
    pub(super) fn lost_files(&self, container: &Container) -> bool {
        !self.wish.spec.files.is_empty() && !self.with_files.contains(&container.id)
    }

    /// What it does because of what it watches.
    fn react(&mut self, owed: Vec<Owed<'a>>) {
        match self.choice {
            Choice::New { .. } => {
                let all: Vec<&Container> = self.instances.all().collect();
                let replaces = |owed: &Owed<'a>| all.iter().any(|ours| owed.replaces(ours));
                self.watched = owed.into_iter().filter(replaces).collect();
            }
            Choice::Existing(chosen) if self.runs && runs(chosen) => {
                self.watched = owed.into_iter().filter(|owed| owed.asks(chosen).is_some()).collect();
                let mut asked: Vec<Reaction> =
                    self.watched.iter().filter_map(|owed| owed.asks(chosen).cloned()).collect();
                asked.sort();
                asked.dedup();
                // Started again, it needs no signal.
                let restart = asked.contains(&Reaction::Restart);
                self.reactions = if restart { vec![Reaction::Restart] } else { asked };
            }
            Choice::Existing(_) => {}
        }
    }

    fn compare(&mut self, container: &Container) {
        let networks = self.spec.live_differences(&container.inspect);
        let networks = networks.iter().filter_map(|field| field.strip_prefix("networks."));
        self.networks.extend(networks.map(str::to_owned));
        self.live = live(self.wish, container);
        self.drift = self.spec.drift(&container.inspect);
    }
}

/// The restart policy that a wish has in the end.
fn policy(wish: &ContainerWish) -> Value {
    let declared = wish.spec.restart_policy();
    // Stopped with `always` it would run again with its Engine.
    if wish.run == Run::Stopped { parked(&declared) } else { declared }
}

/// Limits that differ, and the restart policy if it is not what it is in the end.
pub(super) fn live(wish: &ContainerWish, container: &Container) -> Vec<String> {
    let mut found = wish.spec.live_differences(&container.inspect);
    found.retain(|field| !field.starts_with("networks.") && field != "restart");
    let observed = container.inspect.compare("/HostConfig/RestartPolicy").unwrap_or(&Value::Null);
    if !same_policy(observed, &policy(wish)) {
        found.push("restart".to_owned());
    }
    found
}

impl Choice<'_> {
    /// Whether it is this container.
    pub(super) fn is(&self, container: &Container) -> bool {
        matches!(self, Self::Existing(chosen) if chosen.id == container.id)
    }
}

/// Names that we do not take from anybody.
fn held_by_others(context: &PlanContext<'_>, instances: &Instances<'_>, service: &str) -> Option<Problem> {
    let holder = context.named(service)?;
    let host = context.host();
    if let Some(ours) = instances.holder {
        return (ours.state.status == "removing").then(|| {
            Problem::failed(format!("container {service} on host {host} is just being removed"))
                .hint("try again when it is gone")
        });
    }
    let namesake = holder.namesake(context.workspace());
    let who = match &holder.ours {
        _ if holder.impostor => {
            "carries our labels, but they came with its image or belong to another container".to_owned()
        }
        Some(labels) => format!("is an instance of {} that was renamed", escaped(&labels.service)),
        None => match &namesake {
            Some(namesake) => namesake.what.clone(),
            None => format!("was not made by workspace {}", context.workspace()),
        },
    };
    let problem =
        Problem::failed(format!("the name {service} on host {host} is taken by a container that {who}"))
            .hint(format!("rename it on the host: 'docker rename {service} {service}-old'"))
            .hint(format!("or remove it there: 'docker rm {service}' (stop it before)"));
    let hints = namesake.into_iter().flat_map(|namesake| namesake.hints);
    let problem = hints.fold(problem, Problem::hint);
    let adopt = holder.ours.is_none() && adopt::may_be_adopted(context, holder);
    Some(if adopt {
        problem.hint(format!("or take it over: pillarbox adopt {service} --host {host}"))
    } else {
        problem
    })
}

fn shall_run(wish: &ContainerWish, instances: &Instances<'_>) -> bool {
    match wish.run {
        Run::Running => true,
        Run::Stopped => false,
        // As it is; and where a replacement was interrupted, as it was.
        Run::Created => {
            instances.all().any(runs)
                || (!instances.others.is_empty() && instances.all().any(Container::has_run))
        }
    }
}

/// A kept container whose declaration is not today's is started again as it is: its spec as far as it
/// matters to that, its networks. `None` where the wish's own spec is what it was made from.
fn differing<'a>(
    wish: &ContainerWish,
    fingerprint: &Fingerprint,
    kept: &'a Container,
) -> Option<(Spec, &'a Container)> {
    kept.ours.as_ref().filter(|ours| ours.spec != *fingerprint)?;
    let mut spec = Spec::default();
    spec.live.insert("networks".to_owned(), networks::of_both(kept, &wish.spec));
    spec.live.extend(wish.spec.live.get("restart").map(|policy| ("restart".to_owned(), policy.clone())));
    Some((spec, kept))
}

/// Whether a container is what is wished, and usable.
fn fits(
    context: &PlanContext<'_>,
    wish: &ContainerWish,
    fingerprint: &Fingerprint,
    source: &Source,
    container: &Container,
) -> bool {
    let back = wish.replica.as_ref().and_then(|replica| replica.back.as_ref());
    if let Some(id) = back.and_then(|back| back.container.as_ref()) {
        return container.id == *id;
    }
    let labels = container.ours.as_ref();
    let same = labels.is_some_and(|ours| ours.spec == *fingerprint && ours.image == source.label);
    let usable = !matches!(container.state.status.as_str(), "dead" | "removing");
    let whole = wish.spec.files.is_empty() || secrets::of(context, container).is_some();
    let changed = context.can_update() || live(wish, container).is_empty();
    let drifted = context.options.fix_drift && !wish.spec.drift(&container.inspect).is_empty();
    same && usable && whole && changed && !drifted && wish.spec.may_stay(container.first_network())
}

fn choose<'a>(
    context: &PlanContext<'a>,
    wish: &ContainerWish,
    instances: &Instances<'a>,
    run: bool,
    fits: impl Fn(&Container) -> bool,
) -> Choice<'a> {
    let holder = instances.holder.filter(|holder| fits(holder));
    let latest = |usable: fn(&Container) -> bool| {
        instances.others.iter().rev().copied().filter(|other| usable(other)).find(|other| fits(other))
    };
    let asked = || {
        let id = wish.replica.as_ref()?.back.as_ref()?.container.as_ref()?;
        instances.everything().find(|ours| ours.id == *id)
    };
    let existing = if let Some(asked) = asked() {
        Some(asked)
    } else if run {
        holder.filter(|holder| runs(holder)).or_else(|| latest(works)).or(holder)
    } else {
        holder.or_else(|| latest(|_| true))
    };
    if let Some(container) = existing {
        return Choice::Existing(container);
    }
    let service = wish.name.as_str();
    let (generation, temporary) = context.free_name(service, next(context, wish, instances, &fits), "");
    let name = if instances.is_empty() { service.to_owned() } else { temporary };
    Choice::New { generation, name }
}

/// The number of a new container: that of the same deployment where another container of the service
/// has it already, else the next one of the service.
fn next(
    context: &PlanContext<'_>,
    wish: &ContainerWish,
    instances: &Instances<'_>,
    fits: impl Fn(&Container) -> bool,
) -> u64 {
    let service = wish.service().as_str();
    let siblings = || context.of_service(service);
    let own = instances.highest();
    let committed = siblings().filter(|(ours, _)| ours.name == slot(ours) && fits(ours));
    let same = committed.map(|(ours, _)| generation(ours)).max().filter(|number| *number > own);
    let highest = siblings().map(|(ours, _)| generation(ours)).max().unwrap_or(0);
    same.unwrap_or_else(|| highest.max(own) + 1)
}

/// Who ran when we came; else who was committed, for it may have been us who stopped it.
fn fallback<'a>(
    instances: &Instances<'a>,
    choice: &Choice<'a>,
    retire: &[&'a Container],
    run: bool,
) -> Option<&'a Container> {
    let holder = instances.holder;
    if holder.is_some_and(|holder| choice.is(holder) && runs(holder)) {
        return None;
    }
    let retired = |usable: fn(&Container) -> bool| {
        let rest = retire.iter().copied().filter(|old| !choice.is(old) && usable(old));
        rest.max_by_key(|old| (instances.holder.is_some_and(|h| h.id == old.id), generation(old)))
    };
    let down = |old: &&Container| run && !choice.is(old) && !runs(old) && old.has_run();
    let holder_down = holder.filter(down);
    // Between the two renames nobody holds the plain name; who held it is the one of the kept that ran last.
    let cut = || {
        let kept = instances.kept.iter().copied().filter(down);
        let last = kept.max_by_key(|old| (old.ended(), generation(old)));
        last.filter(|_| holder.is_none() && !instances.others.is_empty())
    };
    // Where nothing is kept it is the oldest.
    let oldest = || {
        let found = instances.others.iter().copied().find(down);
        found.filter(|_| holder.is_none())
    };
    let running_holder = retire.iter().copied().find(|old| holder.is_some_and(|h| h.id == old.id));
    running_holder
        .filter(|old| !choice.is(old))
        .or_else(|| retired(works))
        .or(holder_down)
        .or_else(cut)
        .or_else(|| retired(|_| true))
        .or_else(oldest)
}
