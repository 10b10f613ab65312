//! The law of start-first: whatever fails, and whenever, some container of the service works.

use super::stage::{Stage, runtime};
use super::trouble::{live_through, trouble};
use crate::planner::tests::start_first::{host, service};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    /// Through any history of versions (the fourth never becomes healthy), numbers of containers and
    /// troubles at least one container works and is known under the service's name after every call; and
    /// one apply without trouble makes everything as declared and leaves nothing over.
    #[test]
    fn a_service_works_at_every_moment_and_one_apply_converges(
        first in 1..=2usize,
        rounds in proptest::collection::vec((1..=4u32, 1..=3usize, trouble(1..40)), 1..5),
        (version, replicas) in (1..=3u32, 1..=3usize),
        updates in proptest::bool::weighted(0.7),
    ) {
        runtime().block_on(async {
            let stage = Stage { items: service(1, first), ..host() };
            stage.fake.set_facts(|facts| facts.can_update = updates);
            stage.settle().await;
            stage.fake.watch("api");
            for (version, replicas, trouble) in &rounds {
                let now = Stage { items: service(*version, *replicas), ..stage.clone() };
                live_through(&now, *trouble).await;
                assert!(stage.fake.least() >= 1, "{version} {replicas} {trouble:?}: {:#?}", stage.fake.changes());
            }
            let end = Stage { items: service(version, replicas), ..stage.clone() };
            end.settle().await;
            assert!(stage.fake.least() >= 1, "{:#?}", stage.fake.changes());
            let mut expected = vec!["api running".to_owned()];
            expected.extend((2..=replicas).map(|n| format!("api-{n} running")));
            assert_eq!(end.statuses(), expected);
            assert_eq!(end.image("api"), format!("r.example.com/nginx:{version}"));
        });
    }
}
