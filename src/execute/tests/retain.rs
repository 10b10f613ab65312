//! Laws of what is kept for a rollback: whatever was deployed, rolled back and cut off, and whenever.

use super::stage::{Stage, runtime};
use super::trouble::{Trouble, live_through, trouble};
use crate::desired::{DesiredState, Item, Order, RollbackTarget};
use crate::engine::Engine as _;
use crate::name::ImageRef;
use crate::observed::InstanceRole;
use crate::planner::tests::start_first::{host, service};
use crate::state::Text;
use proptest::prelude::*;

/// What is desired of `api`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared {
    /// The fourth never becomes healthy.
    pub(super) version: u32,
    pub(super) log: u8,
    pub(super) replicas: usize,
    pub(super) retain: u32,
    pub(super) start_first: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) declared: Declared,
    /// Back to the so many-th of what is kept, instead of the version.
    pub(super) back: Option<usize>,
    pub(super) trouble: Trouble,
}

pub(super) fn declared(versions: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = Declared> {
    (versions, 0..2u8, 1..=2usize, 0..=2u32, any::<bool>()).prop_map(
        |(version, log, replicas, retain, start_first)| Declared {
            version,
            log,
            replicas,
            retain,
            start_first,
        },
    )
}

pub(super) fn round() -> impl Strategy<Value = Round> {
    (declared(1..=4), proptest::option::weighted(0.4, 0..3usize), trouble(1..40))
        .prop_map(|(declared, back, trouble)| Round { declared, back, trouble })
}

pub(super) fn items(declared: Declared) -> Vec<Item> {
    let mut items = service(declared.version, declared.replicas);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        want.spec.env.insert("LOG".to_owned(), Text::clear(format!("level {}", declared.log)));
        let Some(replica) = &mut want.replica else { continue };
        replica.retain = declared.retain;
        replica.order = if declared.start_first { Order::StartFirst } else { Order::StopFirst };
    }
    items
}

/// The same, but each container goes back to the `nth` of those that are kept of it, if there is one.
pub(crate) async fn back_to(stage: &Stage, nth: usize) -> Stage {
    let observed = stage.observe().await;
    let mut items = stage.items.clone();
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        let slot = want.name.as_str();
        let of_slot = observed.containers.iter().filter(|one| one.ours.is_some() && one.slot() == slot);
        let mut kept: Vec<_> = of_slot
            .filter(|one| matches!(one.role(), InstanceRole::Kept | InstanceRole::Returning))
            .collect();
        kept.sort_by_key(|one| one.generation());
        let Some(chosen) = kept.get(nth % kept.len().max(1)) else { continue };
        let Some(labels) = &chosen.ours else { continue };
        want.image = ImageRef {
            tag: Some(labels.version.clone()),
            ..ImageRef::parse(&labels.image).expect("a label")
        };
        let Some(replica) = &mut want.replica else { continue };
        replica.back =
            Some(RollbackTarget { generation: labels.generation, container: Some(chosen.id.clone()) });
    }
    Stage { items, ..stage.clone() }
}

/// Names of kept ones, and everything else with its status.
async fn kept_and_others(stage: &Stage) -> (Vec<String>, Vec<String>) {
    let observed = stage.observe().await;
    let (kept, others): (Vec<_>, Vec<_>) =
        observed.containers.iter().partition(|one| one.role() == InstanceRole::Kept);
    let mut others: Vec<String> =
        others.iter().map(|one| format!("{} {}", one.name, one.state.status)).collect();
    others.sort();
    assert!(kept.iter().all(|one| !one.state.running), "a kept one runs: {:?}", stage.statuses());
    (kept.iter().map(|one| one.name.clone()).collect(), others)
}

/// A rollback is cut off when both containers run; then a deployment to what came back fails.
#[tokio::test(start_paused = true)]
async fn one_that_was_halfway_back_is_laid_down_stopped_when_the_next_deployment_fails() {
    let declared = |version| Declared { version, log: 1, replicas: 1, retain: 1, start_first: false };
    let stage = host();
    let at = |declared| Stage { items: items(declared), ..stage.clone() };
    for version in [3, 2] {
        at(declared(version)).settle().await;
    }
    let observed = stage.observe().await;
    let kept = observed.containers.iter().find(|one| one.name == "api.g1.kept").expect("it is kept");
    stage.fake.rename(&kept.id, "api.g1.back").await.expect("renamed");
    stage.fake.start(&kept.id).await.expect("started");
    assert_eq!(stage.statuses(), ["api running", "api.g1.back running"]);
    live_through(&at(declared(3)), Trouble::AnswerLost(2)).await;
    assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    /// After any history of deployments, rollbacks and troubles one apply without trouble makes everything
    /// as declared and leaves nothing over but what is kept, with a tag each: at most `retain` versions and
    /// `retain` generations, on either side of what runs.
    #[test]
    fn one_apply_converges_with_what_is_kept(
        rounds in proptest::collection::vec(round(), 1..6),
        end in declared(1..=3),
    ) {
        runtime().block_on(async {
            let stage = Stage { tidies: true, ..host() };
            for round in &rounds {
                let now = Stage { items: items(round.declared), ..stage.clone() };
                let now = match round.back {
                    Some(nth) => back_to(&now, nth).await,
                    None => now,
                };
                live_through(&now, round.trouble).await;
            }
            let last = Stage { items: items(end), ..stage.clone() };
            last.settle().await;
            let (kept, others) = kept_and_others(&last).await;
            let mut expected = vec!["api running".to_owned()];
            expected.extend((2..=end.replicas).map(|n| format!("api-{n} running")));
            assert_eq!(others, expected);
            // The last action was a deployment or nothing: none is kept before what runs
            // unless it was rolled back to.
            for slot in 1..=end.replicas {
                let name = if slot == 1 { "api.g".to_owned() } else { format!("api-{slot}.g") };
                let of_slot = kept.iter().filter(|kept| kept.starts_with(&name)).count();
                assert!(of_slot <= 4 * end.retain as usize, "{kept:?}");
            }
            let tags = stage.fake.image_names();
            let tags = tags.iter().filter(|name| name.starts_with("pillarbox.invalid")).count();
            assert!(tags <= end.replicas * (1 + 4 * end.retain as usize), "{:?}", stage.fake.image_names());
        });
    }

    /// Through any history of deployments and rollbacks some container of the service works at every moment,
    /// where none of them stops first.
    #[test]
    fn a_service_works_at_every_moment_of_a_rollback(
        first in declared(1..=3),
        rounds in proptest::collection::vec(round(), 1..6),
    ) {
        runtime().block_on(async {
            let start_first = |declared: Declared| Declared { start_first: true, ..declared };
            let stage = host();
            Stage { items: items(start_first(first)), ..stage.clone() }.settle().await;
            stage.fake.watch("api");
            for round in &rounds {
                let now = Stage { items: items(start_first(round.declared)), ..stage.clone() };
                let now = match round.back {
                    Some(nth) => back_to(&now, nth).await,
                    None => now,
                };
                live_through(&now, round.trouble).await;
                assert!(stage.fake.least() >= 1, "{round:?}: {:#?}", stage.fake.changes());
            }
        });
    }

    /// Whatever fails, what was there to go back to is there afterwards: a rollback loses no generation,
    /// and neither does a deployment that fails.
    #[test]
    fn no_trouble_loses_what_is_kept(
        steps in proptest::collection::vec((1..=3u32, 0..2u8), 2..4),
        nth in 0..3usize,
        version in 1..=4u32,
        (rolls_back, start_first) in (any::<bool>(), any::<bool>()),
        trouble in trouble(1..40),
    ) {
        runtime().block_on(async {
            let stage = host();
            let declared = |version, log| Declared { version, log, replicas: 1, retain: 5, start_first };
            for (version, log) in &steps {
                Stage { items: items(declared(*version, *log)), ..stage.clone() }.settle().await;
            }
            let generations = || async {
                let observed = stage.observe().await;
                observed.containers.iter().map(|one| one.generation()).collect::<std::collections::BTreeSet<_>>()
            };
            let before = generations().await;
            let now = Stage { items: items(declared(version, 0)), ..stage.clone() };
            let now = if rolls_back { back_to(&now, nth).await } else { now };
            live_through(&now, trouble).await;
            prop_assert_lost(&before, &generations().await);
            // And the next apply of what was before loses none either.
            let (version, log) = steps[steps.len() - 1];
            Stage { items: items(declared(version, log)), ..stage.clone() }.settle().await;
            prop_assert_lost(&before, &generations().await);
        });
    }
}

fn prop_assert_lost(before: &std::collections::BTreeSet<u64>, after: &std::collections::BTreeSet<u64>) {
    assert!(before.is_subset(after), "{before:?} became {after:?}");
}

/// The instance that ran last is kept for a rollback, whatever ran in between.
#[tokio::test(start_paused = true)]
async fn what_is_kept_is_what_ran_last() {
    let stage = host();
    let declared = |version| Declared { version, log: 0, replicas: 1, retain: 1, start_first: true };
    for version in [1, 2, 3] {
        Stage { items: items(declared(version)), ..stage.clone() }.settle().await;
    }
    assert_eq!(stage.statuses(), ["api running", "api.g2.kept exited"]);
    let back = back_to(&Stage { items: items(declared(3)), ..stage.clone() }, 0).await;
    back.settle().await;
    // Nothing goes with a rollback: there is a way forward, too.
    assert_eq!(stage.statuses(), ["api running", "api.g3.kept exited"]);
    assert_eq!(stage.image("api"), "r.example.com/nginx:2");
    Stage { items: items(declared(1)), ..stage.clone() }.settle().await;
    // Generation 3 was rolled back from: it is no target of a rollback, though its number is higher.
    assert_eq!(stage.statuses(), ["api running", "api.g2.kept exited"]);
}

/// What runs when a plan is made ends later than what is down, whichever of them held the plain name.
#[tokio::test(start_paused = true)]
async fn what_is_kept_is_counted_in_the_order_in_which_it_will_have_ended() {
    let declared = |version, log, retain| Declared { version, log, replicas: 1, retain, start_first: false };
    let stage = host();
    let at = |declared| Stage { items: items(declared), ..stage.clone() };
    live_through(&at(declared(1, 0, 0)), Trouble::Restart(9)).await;
    live_through(&at(declared(3, 0, 1)), Trouble::Nothing).await;
    let now = back_to(&at(Declared { replicas: 2, start_first: true, ..declared(1, 0, 0) }), 0).await;
    live_through(&now, Trouble::AnswerLost(9)).await;
    let last = at(Declared { start_first: true, ..declared(3, 1, 1) });
    last.settle().await;
}
