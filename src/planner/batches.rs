//! In which batches hosts are changed. A batch takes a service away from no more of its hosts than it takes
//! hosts of all: half of the hosts are not the two that have the database.

use crate::name::HostName;
use crate::plan::{Batch, HostPlan, Verb};
use crate::rollout::{BatchSizes, Share};
use std::collections::{BTreeMap, BTreeSet};

/// A host to be changed, and what decides when.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// The host.
    pub host: &'a HostName,
    /// All hosts of earlier waves come before it.
    pub wave: usize,
    /// It comes before the others of its wave.
    pub canary: bool,
    /// What is changed there that other hosts have as well: `container api`.
    pub resources: BTreeSet<&'a str>,
    /// Its groups of which only so many hosts are changed at once.
    pub groups: Vec<(&'a str, Share)>,
}

/// The containers that a plan changes.
pub fn changed_containers(plan: &HostPlan) -> BTreeSet<&str> {
    let rest = |verb: &Verb| matches!(verb, Verb::Unchanged | Verb::Held);
    let changed = plan.changes.iter().filter(|change| !change.actions.iter().all(rest));
    changed
        .map(|change| change.address.as_str())
        .filter(|address| address.starts_with("container "))
        .collect()
}

/// Puts every host into one batch. Sizes count the hosts of a wave, and begin anew with each wave.
pub fn batches(turns: &[Turn<'_>], sizes: &BatchSizes) -> Vec<Batch> {
    let mut waves: BTreeMap<usize, Vec<&Turn<'_>>> = BTreeMap::new();
    for turn in turns {
        waves.entry(turn.wave).or_default().push(turn);
    }
    waves.into_iter().flat_map(|(wave, turns)| of_wave(wave, turns, sizes)).collect()
}

fn of_wave(wave: usize, mut left: Vec<&Turn<'_>>, sizes: &BatchSizes) -> Vec<Batch> {
    left.sort_by_key(|turn| (!turn.canary, turn.host));
    let limits = Limits::of(&left);
    let (all, mut batches) = (left.len(), Vec::new());
    while !left.is_empty() {
        let size = sizes.of(batches.len(), all);
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut hosts: BTreeSet<HostName> = BTreeSet::new();
        left.retain(|turn| {
            let most = |name: &str| limits.most(name, size, all);
            let of = turn.resources.iter().copied().chain(turn.groups.iter().map(|(group, _)| *group));
            let has_room = of.clone().all(|name| taken.get(name).copied().unwrap_or(0) < most(name));
            let goes = hosts.len() < size && has_room;
            if goes {
                hosts.insert(turn.host.clone());
                of.for_each(|name| *taken.entry(name).or_default() += 1);
            }
            !goes
        });
        batches.push(Batch { wave, hosts: hosts.into_iter().collect() });
    }
    batches
}

/// Of how many hosts of a wave a resource or a group may be changed at once. The names of the two cannot be the
/// same: a resource has a space in its name.
struct Limits<'a> {
    hosts: BTreeMap<&'a str, usize>,
    groups: BTreeMap<&'a str, Share>,
}

impl<'a> Limits<'a> {
    fn of(turns: &[&Turn<'a>]) -> Self {
        let mut limits = Self { hosts: BTreeMap::new(), groups: BTreeMap::new() };
        for turn in turns {
            for name in turn.resources.iter().copied().chain(turn.groups.iter().map(|(group, _)| *group)) {
                *limits.hosts.entry(name).or_default() += 1;
            }
            limits.groups.extend(turn.groups.iter().copied());
        }
        limits
    }

    fn most(&self, name: &str, size: usize, all: usize) -> usize {
        let hosts = self.hosts.get(name).copied().unwrap_or(0);
        let most = match self.groups.get(name) {
            Some(share) => share.of(hosts),
            None => hosts.saturating_mul(size) / all,
        };
        most.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(count: usize) -> Vec<HostName> {
        (0..count).map(|number| HostName::parse(&format!("web{number:04}")).expect("a name")).collect()
    }

    fn turn(host: &HostName) -> Turn<'_> {
        Turn { host, wave: 0, canary: false, resources: BTreeSet::new(), groups: Vec::new() }
    }

    fn sizes(text: &str) -> BatchSizes {
        text.parse().expect("sizes")
    }

    fn in_words(batches: &[Batch]) -> String {
        let of = |batch: &Batch| batch.hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ");
        batches.iter().map(of).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn a_thousand_hosts_go_in_six_batches_and_four_one_by_one() {
        let hosts = names(1000);
        let turns: Vec<_> = hosts.iter().map(turn).collect();
        let made = batches(&turns, &BatchSizes::default());
        assert_eq!(
            made.iter().map(|batch| batch.hosts.len()).collect::<Vec<_>>(),
            [1, 100, 250, 250, 250, 149]
        );
        assert_eq!(
            in_words(&batches(&turns[..4], &BatchSizes::default())),
            "web0000 | web0001 | web0002 | web0003"
        );
    }

    #[test]
    fn a_service_of_two_hosts_is_never_changed_on_both_at_once() {
        let hosts = names(4);
        let mut turns: Vec<_> = hosts.iter().map(turn).collect();
        turns[0].resources.insert("container db");
        turns[1].resources.insert("container db");
        assert_eq!(in_words(&batches(&turns, &sizes("50%"))), "web0000 web0002 | web0001 web0003");
        // Who wants all at once gets that.
        assert_eq!(in_words(&batches(&turns, &sizes("100%"))), "web0000 web0001 web0002 web0003");
    }

    #[test]
    fn canaries_come_first_groups_have_their_own_bound_and_waves_follow_each_other() {
        let hosts = names(6);
        let mut turns: Vec<_> = hosts.iter().map(turn).collect();
        turns[4].canary = true;
        for at in [0, 1, 2] {
            turns[at].groups.push(("edge", Share::Hosts(1)));
        }
        turns[5].wave = 1;
        assert_eq!(
            in_words(&batches(&turns, &sizes("1,100%"))),
            "web0004 | web0000 web0003 | web0001 | web0002 | web0005"
        );
    }

    proptest! {
        #[test]
        fn every_host_is_in_one_batch_and_no_batch_is_larger_than_asked_for(
            hosts in prop::collection::vec((0_usize..3, any::<bool>(), 0_u8..8, 0_usize..4), 1..60),
            sizes in prop_oneof![Just("1,10%,25%"), Just("50%"), Just("3"), Just("100%"), Just("1,2,3,40%")],
        ) {
            let names = names(hosts.len());
            let turns: Vec<Turn<'_>> = names.iter().zip(&hosts).map(|(host, (wave, canary, services, group))| Turn {
                host,
                wave: *wave,
                canary: *canary,
                resources: ["container a", "container b", "container c"].into_iter().enumerate()
                    .filter(|(bit, _)| services & (1 << bit) != 0).map(|(_, name)| name).collect(),
                groups: [("g1", Share::Hosts(1)), ("g2", Share::Percent(34)), ("g3", Share::Hosts(5))]
                    .into_iter().filter(|(name, _)| *name == format!("g{group}")).collect(),
            }).collect();
            let sizes = self::sizes(sizes);
            let made = batches(&turns, &sizes);
            let mut all: Vec<&HostName> = made.iter().flat_map(|batch| &batch.hosts).collect();
            all.sort();
            prop_assert!(all.iter().copied().eq(&names));
            prop_assert!(made.iter().all(|batch| !batch.hosts.is_empty()));
            prop_assert!(made.iter().map(|batch| batch.wave).is_sorted());
            let of = |batch: &Batch| -> Vec<&Turn<'_>> {
                turns.iter().filter(|turn| batch.hosts.contains(turn.host)).collect()
            };
            for wave in 0..3 {
                let in_wave: Vec<&Turn<'_>> = turns.iter().filter(|turn| turn.wave == wave).collect();
                for (number, batch) in made.iter().filter(|batch| batch.wave == wave).enumerate() {
                    let size = sizes.of(number, in_wave.len());
                    prop_assert!(batch.hosts.len() <= size);
                    prop_assert!(of(batch).iter().all(|turn| turn.wave == wave));
                    for name in ["container a", "container b", "container c"] {
                        let count = |turns: &[&Turn<'_>]| turns.iter().filter(|turn| turn.resources.contains(name)).count();
                        let (has, goes) = (count(&in_wave), count(&of(batch)));
                        prop_assert!(goes <= 1.max(has * size / in_wave.len()), "{name}: {goes} of {has}");
                        // It stays on one host at least, unless all go at once.
                        prop_assert!(has < 2 || goes < has || size >= in_wave.len());
                    }
                }
            }
        }
    }
}
