//! Networks, volumes and watches: laws over any history of wishes with faults.

use super::stage::{Stage, absent, item, resource, running, runtime, thing};
use super::trouble::{Trouble, live_through, trouble};
use crate::desired::{Address, Kind, Reaction, Requisites, Watch, Wish};
use crate::plan::Action;
use crate::problem::Place;
use crate::testing::fake::Behaviour;
use proptest::prelude::*;
use serde_json::json;

/// What is wanted in one round; 0 is absent, for containers 3 is not declared.
#[derive(Clone, Copy, Debug)]
struct Round {
    network: u8,
    volume: u8,
    db: u8,
    web: u8,
    reaction: u8,
    prune: bool,
    trouble: Trouble,
}

fn round() -> impl Strategy<Value = Round> {
    (0..4u8, 0..4u8, 0..4u8, 0..4u8, 0..4u8, any::<bool>(), trouble(1..20)).prop_map(
        |(network, volume, db, web, reaction, prune, trouble)| Round {
            network,
            volume,
            db,
            web,
            reaction,
            prune,
            trouble,
        },
    )
}

fn world() -> Stage {
    let stage = Stage::new();
    for n in 1..=2 {
        stage.publish(n);
    }
    stage.fake.build("theirs:1", "theirs", Behaviour::fine());
    stage.fake.add_network("theirs");
    stage.fake.add_volume(&json!({ "Name": "theirs" }));
    let body = json!({ "Image": "theirs:1", "HostConfig": { "Binds": ["theirs:/data"] } });
    stage.fake.add_container("theirs", body, true);
    stage
}

fn with(stage: &Stage, round: Round) -> Stage {
    let mut items = Vec::new();
    match round.network {
        0 => items.push(thing(Kind::Network, "front", Wish::NetworkAbsent { name: "front".to_owned() })),
        3 => {}
        n => items.push(resource(Kind::Network, "front", &[("driver_opts.n", json!(n.to_string()))])),
    }
    match round.volume {
        0 => items.push(thing(Kind::Volume, "data", Wish::VolumeAbsent { name: "data".to_owned() })),
        3 => {}
        n => items.push(resource(Kind::Volume, "data", &[("driver_opts.n", json!(n.to_string()))])),
    }
    let present = |item: &&crate::desired::Item| matches!(item.wish, Wish::Network(_) | Wish::Volume(_));
    let made: Vec<Address> = items.iter().filter(present).map(|item| item.address.clone()).collect();
    let present = |n: u8| matches!(n, 1 | 2);
    for (name, version) in [("db", round.db), ("web", round.web)] {
        if version == 0 {
            items.push(absent(name));
            continue;
        }
        if version == 3 {
            continue;
        }
        let mut wish = running(name, &format!("r.example.com/nginx:{version}"));
        wish.spec.fixed.clear();
        if present(round.network) {
            wish.spec.live.insert("networks".to_owned(), json!({ "front": {} }));
        }
        if present(round.volume) && name == "db" {
            let data = json!({ "/data": { "source": "data", "options": [] } });
            wish.spec.fixed.insert("volumes".to_owned(), data);
        }
        let mut one = item(wish);
        one.needs.clone_from(&made);
        if name == "web" && round.reaction > 0 && present(round.db) {
            let db = Address { kind: Kind::Container, name: "db".to_owned() };
            let reaction = [Reaction::Replace, Reaction::Restart, Reaction::Signal("SIGHUP".to_owned())];
            let reaction = reaction[usize::from(round.reaction) - 1].clone();
            let place = Place::new("states/x.toml", 1);
            one.needs.push(db.clone());
            let watch = vec![Watch { id: "db".to_owned(), things: vec![db], reaction, place }];
            one.requisites = Requisites { watch, onchanges: Vec::new() };
        }
        items.push(one);
    }
    // What is taken away comes last, as it is compiled.
    items.sort_by_key(|item| matches!(item.wish, Wish::NetworkAbsent { .. } | Wish::VolumeAbsent { .. }));
    let mut stage = Stage { items, ..stage.clone() };
    stage.options.prune = round.prune;
    stage
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    /// Whatever was wished and went wrong: what can be planned settles in one apply, a volume is never lost
    /// or made anew unless a state says that it shall be absent, nobody else's things are touched, and in
    /// the end all can be taken away.
    #[test]
    fn networks_and_volumes_converge_and_no_data_is_lost(
        rounds in proptest::collection::vec(round(), 1..5),
        last in round(),
    ) {
        runtime().block_on(async {
            let stage = world();
            for round in rounds {
                let now = with(&stage, round);
                if now.plan().await.is_err() {
                    continue;
                }
                let before = now.fake.volume_paths();
                live_through(&now, round.trouble).await;
                let after = now.fake.volume_paths();
                for (name, path) in &before {
                    let away = name == "data" && round.volume == 0;
                    assert!(away || after.get(name) == Some(path), "{name} was lost: {round:?}");
                }
                tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            }
            let end = with(&stage, last);
            if end.plan().await.is_ok() {
                end.settle().await;
            }
            let nothing = Round { network: 0, volume: 0, db: 0, web: 0, reaction: 0, ..last };
            let nothing = with(&stage, nothing);
            nothing.settle().await;
            assert_eq!(nothing.statuses(), ["theirs running"]);
            assert_eq!(nothing.fake.network_names(), ["theirs"]);
            assert_eq!(nothing.fake.volume_paths().into_keys().collect::<Vec<_>>(), ["theirs"]);
        });
    }

    /// However an apply was cut off that made the watched container anew: after the next one that comes to
    /// its end, the watcher is younger than it, or has been started since.
    #[test]
    fn a_replacement_or_restart_that_is_owed_is_not_lost(
        reaction in 1..=2u8,
        cut in trouble(1..20),
        again in trouble(1..20),
    ) {
        runtime().block_on(async {
            let stage = world();
            let calm = Trouble::Nothing;
            let first =
                Round { network: 3, volume: 3, db: 1, web: 1, reaction, prune: false, trouble: calm };
            with(&stage, first).settle().await;
            let second = with(&stage, Round { db: 2, ..first });
            live_through(&second, cut).await;
            live_through(&second, again).await;
            second.settle().await;
            let observed = second.observe().await;
            let named = |name: &str| {
                observed.containers.iter().find(|one| one.name == name).expect("there").state.clone()
            };
            let (db, web) = (named("db"), named("web"));
            if reaction == 1 {
                assert!(web.created_at > db.created_at, "{web:?} {db:?}");
            }
            assert!(web.started_at > db.created_at, "{web:?} {db:?}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_somebody_makes_meanwhile_is_left_alone_and_said() {
    let mut stage = Stage::new();
    stage.items = vec![resource(Kind::Volume, "data", &[("driver_opts.n", json!("1"))])];
    let plan = stage.plan().await.expect("planned");
    stage.fake.add_volume(&json!({ "Name": "data" }));
    let path = stage.fake.volume_paths();
    let calm = crate::execute::Interrupt::new();
    let applied = stage.carry_out(plan, &super::stage::Open, &calm, |_| false).await;
    let failure = format!("{:?}", applied.outcome.failure.expect("failed"));
    assert!(failure.contains("volume data was created since the plan was made"), "{failure}");
    assert_eq!(stage.fake.volume_paths(), path);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_cannot_be_made_anew_is_made_again_as_it_was() {
    use crate::engine::{EngineError, ErrorKind};
    use crate::testing::fake::Fault;
    let mut stage = Stage::new();
    stage.items = vec![resource(Kind::Network, "front", &[("driver_opts.n", json!("1"))])];
    stage.settle().await;
    let old = stage.clone();
    stage.items = vec![resource(Kind::Network, "front", &[("driver_opts.n", json!("2"))])];
    stage.fake.fail(2, Fault::Refused(EngineError::new(ErrorKind::Other, 403, "pool overlaps")));
    let applied = stage.apply().await;
    let undo = |action: &Action| matches!(action, Action::CreateNetwork { .. });
    assert!(applied.plan.steps.iter().all(|step| step.undo.iter().all(undo)));
    assert!(applied.outcome.failure.is_some());
    assert!(old.plan().await.expect("planned").steps.is_empty(), "it is the old one");
    stage.settle().await;
}
