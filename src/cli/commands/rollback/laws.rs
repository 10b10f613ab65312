//! Over any history of deployments, good and bad, rollbacks and prunes: `history`, `rollback`, `status` and
//! `plan` say the same, and no rollback takes away what works for what does not.

use super::choose::targets;
use super::gates::Gating;
use super::host::Host;
use crate::cli::output::history::{HostHistory, Left};
use crate::cli::output::status::{HostStatus, Verdict};
use crate::desired::{Desired, DesiredState, Item, Order};
use crate::engine::Engine as _;
use crate::execute::tests::stage::{Stage, runtime};
use crate::history::{Wanted, current, generations};
use crate::name::ContainerName;
use crate::planner::tests::start_first::{host, service};
use crate::session::Told;
use crate::state::Text;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Declared {
    /// The fourth never becomes healthy.
    version: u32,
    /// A variable.
    log: u8,
    replicas: usize,
}

fn declared(versions: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = Declared> {
    (versions, 0..2u8, 1..=2usize).prop_map(|(version, log, replicas)| Declared { version, log, replicas })
}

#[derive(Clone, Copy, Debug)]
enum Round {
    Deploy(Declared),
    Rollback,
    /// `docker container prune`.
    Prune,
}

fn round() -> impl Strategy<Value = Round> {
    prop_oneof![
        4 => declared(1..=4).prop_map(Round::Deploy),
        3 => Just(Round::Rollback),
        1 => Just(Round::Prune),
    ]
}

fn items(Declared { version, log, replicas }: Declared) -> Vec<Item> {
    let mut items = service(version, replicas);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        want.spec.env.insert("LOG".to_owned(), Text::clear(format!("level {log}")));
        let Some(replica) = &mut want.replica else { continue };
        (replica.retain, replica.order) = (2, Order::StartFirst);
    }
    items
}

fn slots(desired: &Desired) -> Vec<ContainerName> {
    let names = desired.items.iter().filter_map(|item| match &item.want {
        DesiredState::Container(want) => Some(want.name.clone()),
        _ => None,
    });
    names.collect()
}

/// What a rollback sees of the host.
async fn look(stage: &Stage) -> Host {
    let (desired, observed) = (stage.desired(), stage.observe().await);
    Host {
        name: desired.host.clone(),
        slots: slots(&desired),
        gating: Gating::Gate("api".to_owned()),
        wanted: Wanted::of(&desired, "api").expect("it is declared"),
        generations: generations(&observed, &desired.workspace, "api"),
        desired,
    }
}

/// Where the service goes by `rollback`, which `history` says as well.
async fn rollback_target(stage: &Stage) -> Option<u64> {
    let host = look(stage).await;
    let rollback = targets("api", std::slice::from_ref(&host), None).ok().map(|targets| targets[0].number);
    let left = Left {
        host: host.name.clone(),
        generations: host.generations.clone(),
        wanted: Some(host.wanted.clone()),
    };
    let history = HostHistory::of(&[left]);
    assert_eq!(history[0].rollback(), rollback, "{:#?}", host.generations);
    rollback
}

/// `status` says that all is up to date exactly where `plan` has nothing to do.
async fn status_is_that_of_the_plan(stage: &Stage) {
    let plan = stage.plan().await.expect("planned");
    let is_empty = plan.steps.is_empty();
    let told = Told { plan: Ok(plan), untold: Vec::new() };
    let status = HostStatus::of(&stage.observe().await, &stage.desired(), "local".to_owned(), &told);
    assert_eq!(status.verdict() == Verdict::AsWanted, is_empty, "{status:#?}");
    assert_ne!(status.verdict(), Verdict::Down, "some version works all the time");
}

async fn holder(stage: &Stage) -> String {
    let observed = stage.observe().await;
    observed.containers.iter().find(|one| one.name == "api").map(|one| one.id.clone()).expect("it is there")
}

async fn prune(stage: &Stage) {
    let observed = stage.observe().await;
    for one in observed.containers.iter().filter(|one| !one.state.running) {
        stage.fake.remove(&one.id).await.expect("removed");
    }
}

/// Rolls back, and says which version is declared then.
async fn roll_back(stage: &Stage, declared: Declared) -> Declared {
    let host = look(stage).await;
    let Ok(found) = targets("api", std::slice::from_ref(&host), None) else { return declared };
    let target = found[0];
    let asked = host.goal("api", target).asked_of(&host.desired);
    let done = Stage { items: asked.items, ..stage.clone() }.apply().await;
    assert!(done.outcome.failure.is_none(), "what was in service works: {:#?}", done.outcome.failure);
    let after = look(stage).await;
    let serves = current(&after.generations).expect("it runs");
    assert_eq!(serves.image, target.image, "{:#?}", after.generations);
    let version = target.version.as_ref().and_then(|version| version.parse().ok());
    version.map_or(declared, |version| Declared { version, ..declared })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn status_history_rollback_and_plan_agree(
        first in declared(1..=3),
        rounds in proptest::collection::vec(round(), 1..8),
    ) {
        runtime().block_on(async {
            let stage = host();
            let at = |declared| Stage { items: items(declared), ..stage.clone() };
            let mut declared = first;
            at(declared).settle().await;
            for round in rounds {
                match round {
                    Round::Deploy(now) => {
                        declared = now;
                        let before = holder(&stage).await;
                        let failed = at(declared).apply().await.outcome.failure.is_some();
                        if failed {
                            // The law of all: what works stays, by the very container.
                            roll_back(&at(declared), declared).await;
                            assert_eq!(holder(&stage).await, before);
                        }
                    }
                    Round::Rollback => declared = roll_back(&at(declared), declared).await,
                    Round::Prune => prune(&at(declared)).await,
                }
                rollback_target(&at(declared)).await;
                status_is_that_of_the_plan(&at(declared)).await;
            }
        });
    }
}
