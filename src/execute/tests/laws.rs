//! Laws: whatever is desired one after the other, and whatever fails meanwhile.

use super::stage::{Stage, absent, item, running, runtime};
use super::trouble::{Trouble, live_through, trouble};
use crate::desired::{DesiredContainer, Run};
use crate::state::Text;
use crate::testing::fake::Behaviour;
use proptest::prelude::*;
use serde_json::json;

/// The desired state of one service.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// 1 to 3 work, 4 ends after a second, 5 is unhealthy, 6 cannot be started.
    version: u32,
    run: u8,
    log: u8,
    restart: u8,
    memory: u8,
    networks: u8,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    a: Option<Wanted>,
    b: Option<Wanted>,
    fix_drift: bool,
    prune: bool,
    trouble: Trouble,
}

const WORKING: std::ops::RangeInclusive<u32> = 1..=3;

fn wanted(versions: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = Wanted> {
    (versions, 0..4u8, 0..2u8, 0..4u8, 0..3u8, 0..4u8).prop_map(
        |(version, run, log, restart, memory, networks)| Wanted {
            version,
            run,
            log,
            restart,
            memory,
            networks,
        },
    )
}

fn round() -> impl Strategy<Value = Round> {
    let one = || proptest::option::weighted(0.8, wanted(1..=6));
    (one(), one(), any::<bool>(), any::<bool>(), trouble(1..24))
        .prop_map(|(a, b, fix_drift, prune, trouble)| Round { a, b, fix_drift, prune, trouble })
}

fn want(name: &str, wanted: Wanted) -> DesiredContainer {
    let mut want = running(name, &format!("r.example.com/nginx:{}", wanted.version));
    want.run = match wanted.run {
        0 | 1 => Run::Running,
        2 => Run::Created,
        _ => Run::Stopped,
    };
    // Both services want the port of the other now and then; only one of them has it.
    if name != "a" {
        want.spec.fixed.clear();
    }
    want.spec.env.insert("LOG".to_owned(), Text::clear(format!("level {}", wanted.log)));
    let policy = ["no", "always", "unless-stopped", "on-failure"][usize::from(wanted.restart)];
    want.spec.live.insert("restart".to_owned(), json!(policy));
    if wanted.memory > 0 {
        want.spec.fixed.insert("limits.memory".to_owned(), json!(true));
        want.spec.live.insert("memory".to_owned(), json!(i64::from(wanted.memory) << 24));
    }
    let networks = match wanted.networks {
        0 => return want,
        1 => json!({ "back": {} }),
        2 => json!({ "back": { "Aliases": ["x"] }, "front": {} }),
        _ => json!({ "front": {} }),
    };
    want.spec.live.insert("networks".to_owned(), networks);
    want
}

fn world() -> Stage {
    let stage = Stage::new();
    for n in WORKING {
        stage.publish(n);
    }
    stage.fake.publish("r.example.com/nginx:4", "ends", Behaviour::ends(1, 3));
    stage.fake.publish("r.example.com/nginx:5", "sick", Behaviour::unhealthy());
    let never = Behaviour {
        goes: crate::testing::fake::Goes::NotAtAll("exec format".to_owned()),
        ..Behaviour::fine()
    };
    stage.fake.publish("r.example.com/nginx:6", "never", never);
    for network in ["back", "front"] {
        stage.fake.add_network(network);
    }
    stage.fake.build("theirs:1", "theirs", Behaviour::fine());
    stage.fake.add_container("theirs", json!({ "Image": "theirs:1" }), true);
    stage.fake.add_container("a.g2", json!({ "Image": "theirs:1" }), false);
    stage
}

fn with(stage: &Stage, a: Option<Wanted>, b: Option<Wanted>) -> Stage {
    let one = |name: &str, wanted: Option<Wanted>| match wanted {
        Some(wanted) => item(want(name, wanted)),
        None => absent(name),
    };
    Stage { items: vec![one("a", a), one("b", b)], ..stage.clone() }
}

/// Whether it is sure that the old container runs after this, if it ran before.
fn keeps_what_runs(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Nothing
            | Trouble::Refused(_)
            | Trouble::AnswerLost(_)
            | Trouble::Restart(_)
            | Trouble::Interrupt(_)
    )
}

fn runs(wanted: Option<Wanted>) -> bool {
    wanted.is_some_and(|wanted| wanted.run < 3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    /// After any history of desired states and troubles one apply without trouble makes everything as desired,
    /// leaves nothing over, touches nothing foreign, and the next plan is empty.
    #[test]
    fn one_apply_converges_after_any_history(
        rounds in proptest::collection::vec(round(), 1..5),
        a in proptest::option::weighted(0.9, wanted(WORKING)),
        b in proptest::option::weighted(0.9, wanted(WORKING)),
        updates in proptest::bool::weighted(0.7),
        adopted in proptest::option::weighted(0.3, wanted(WORKING)),
    ) {
        runtime().block_on(async {
            let stage = world();
            stage.fake.set_facts(|facts| facts.can_update = updates);
            if let Some(wanted) = adopted {
                stage.fake.preload("r.example.com/nginx:1");
                stage.fake.add_container("b", json!({ "Image": "r.example.com/nginx:1" }), wanted.log > 0);
                with(&stage, None, Some(wanted)).adopt("b").await;
            }
            for round in &rounds {
                let mut now = with(&stage, round.a, round.b);
                now.options.fix_drift = round.fix_drift;
                now.options.prune = round.prune;
                live_through(&now, round.trouble).await;
            }
            let end = with(&stage, a, b);
            end.settle().await;
            let mut expected = vec!["a.g2 created".to_owned()];
            for (name, wanted) in [("a", a), ("b", b)] {
                let Some(wanted) = wanted else { continue };
                let status = end.fake.statuses()[name].clone();
                match wanted.run {
                    0 | 1 => assert_eq!(status, "running"),
                    2 => {}
                    _ => assert_ne!(status, "running"),
                }
                assert_eq!(end.image(name), format!("r.example.com/nginx:{}", wanted.version));
                expected.push(format!("{name} {status}"));
            }
            expected.push("theirs running".to_owned());
            let mut statuses = end.statuses();
            statuses.sort();
            expected.sort();
            assert_eq!(statuses, expected);
            let there = end.fake.ids();
            assert!(end.records().await.iter().all(|record| there.contains(record)), "a record is left over");
        });
    }

    /// A service that ran goes on running whatever is tried with it, through every trouble in which the
    /// rollback can be gone; and where the process or the link died, after the next apply, however that
    /// one ends.
    #[test]
    fn a_service_that_ran_runs_after_every_failed_apply(
        first in wanted(WORKING),
        tries in proptest::collection::vec((wanted(1..=6), trouble(1..24)), 1..5),
        updates in proptest::bool::weighted(0.7),
    ) {
        let first = Wanted { run: 0, ..first };
        runtime().block_on(async {
            let stage = world();
            stage.fake.set_facts(|facts| facts.can_update = updates);
            with(&stage, Some(first), None).settle().await;
            for (wanted, trouble) in tries {
                let wanted = Wanted { run: wanted.run % 3, ..wanted };
                let now = with(&stage, Some(wanted), None);
                live_through(&now, trouble).await;
                if !keeps_what_runs(trouble) {
                    now.apply().await;
                }
                assert!(runs(Some(wanted)));
                assert_eq!(stage.running("a"), 1, "{wanted:?} {trouble:?}: {:?}", stage.statuses());
            }
        });
    }

    /// The same values make the same plan, and it says the same when it is stored and read again.
    #[test]
    fn a_plan_is_a_function_of_its_values(round in round(), later in round()) {
        runtime().block_on(async {
            let stage = world();
            live_through(&with(&stage, round.a, round.b), round.trouble).await;
            let now = with(&stage, later.a, later.b);
            let (one, two) = (now.plan().await.expect("planned"), now.plan().await.expect("planned"));
            assert_eq!(one, two);
            let workspace = now.desired().workspace.name;
            let plan = crate::plan::Plan::new(workspace, vec![one]);
            let stored: serde_json::Value =
                serde_json::from_str(&serde_json::to_string(&plan).expect("JSON")).expect("JSON");
            assert_eq!(crate::plan::compare(&stored, &plan), Ok(()));
        });
    }
}
