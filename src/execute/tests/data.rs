//! Laws of the data in anonymous volumes: whatever was deployed, rolled back and cut off.

use super::retain::{Declared, Round, back_to, declared, items, round};
use super::stage::{Stage, runtime};
use super::trouble::live_through;
use crate::name::is_anonymous;
use crate::testing::fake::Behaviour;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Images with a volume at `/data`; the fourth never becomes healthy.
fn host() -> Stage {
    let stage = Stage::new();
    for n in 1..=4 {
        let base = if n == 4 { Behaviour::unhealthy() } else { Behaviour::fine() };
        let behaviour = Behaviour { volumes: vec!["/data".to_owned()], ..base };
        stage.fake.publish(&format!("r.example.com/nginx:{n}"), &format!("{n}"), behaviour);
    }
    stage.fake.add_network("back");
    stage
}

fn one(declared: Declared) -> Declared {
    Declared { replicas: 1, ..declared }
}

/// All anonymous volumes, and those that containers mount.
fn volumes(stage: &Stage) -> (BTreeSet<String>, BTreeSet<String>) {
    let all = stage.fake.volume_names().into_iter().filter(|name| is_anonymous(name)).collect();
    let names = stage.fake.statuses().into_keys();
    let mounted = names.flat_map(|name| stage.fake.anonymous(&name).into_values()).collect();
    (all, mounted)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    /// Through any history of deployments, rollbacks and troubles there is one volume: every container of the
    /// service mounts it, no two run on it at once, none is lost, and none is left over.
    #[test]
    fn one_data_folder_goes_through_any_history_of_a_service(
        first in declared(1..=3),
        rounds in proptest::collection::vec(round(), 1..6),
    ) {
        runtime().block_on(async {
            let stage = host();
            Stage { items: items(one(first)), ..stage.clone() }.settle().await;
            let data = stage.fake.anonymous("api")["/data"].clone();
            for Round { declared, back, trouble } in &rounds {
                let now = Stage { items: items(one(*declared)), ..stage.clone() };
                let now = match back {
                    Some(nth) => back_to(&now, *nth).await,
                    None => now,
                };
                live_through(&now, *trouble).await;
                for name in stage.fake.statuses().keys() {
                    assert_eq!(stage.fake.anonymous(name)["/data"], data, "{name}: {:#?}", stage.fake.changes());
                }
            }
            Stage { items: items(one(first)), ..stage.clone() }.settle().await;
            assert_eq!(volumes(&stage), (BTreeSet::from([data.clone()]), BTreeSet::from([data])));
            assert!(stage.fake.doubled().is_empty(), "{:?}", stage.fake.doubled());
        });
    }
}
