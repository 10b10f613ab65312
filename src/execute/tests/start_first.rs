//! The law of start-first: whatever fails, and whenever, some container of the service works.

use super::stage::{Stage, runtime};
use crate::engine::fake::Fault;
use crate::engine::{EngineError, ErrorKind};
use crate::execute::Interrupt;
use crate::planner::tests::start_first::{host, service};
use proptest::prelude::*;

/// What goes wrong during an apply, at which call or event.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Nothing,
    Refused(usize),
    AnswerLost(usize),
    HangUpBefore(usize),
    HangUpAfter(usize),
    Interrupt(usize),
    TwoInterrupts(usize),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let at = 1..40usize;
    prop_oneof![
        Just(Trouble::Nothing),
        at.clone().prop_map(Trouble::Refused),
        at.clone().prop_map(Trouble::AnswerLost),
        at.clone().prop_map(Trouble::HangUpBefore),
        at.clone().prop_map(Trouble::HangUpAfter),
        at.clone().prop_map(Trouble::Interrupt),
        at.prop_map(Trouble::TwoInterrupts),
    ]
}

async fn live_through(stage: &Stage, trouble: Trouble) {
    stage.fake.forget_calls();
    let interrupt = Interrupt::new();
    let (mut at, mut twice) = (usize::MAX, false);
    match trouble {
        Trouble::Nothing => {}
        Trouble::Refused(n) => {
            stage.fake.fail(n, Fault::Refused(EngineError::new(ErrorKind::Other, 500, "no")));
        }
        Trouble::AnswerLost(n) => stage.fake.fail(n, Fault::AnswerLost),
        Trouble::HangUpBefore(n) => stage.fake.fail(n, Fault::HangUpBefore),
        Trouble::HangUpAfter(n) => stage.fake.fail(n, Fault::HangUpAfter),
        Trouble::Interrupt(n) => at = n,
        Trouble::TwoInterrupts(n) => (at, twice) = (n, true),
    }
    let (seen, again) = (std::cell::Cell::new(0), interrupt.clone());
    let when = |_: &crate::event::Happened| {
        seen.set(seen.get() + 1);
        if twice && seen.get() == at + 1 {
            again.raise();
        }
        seen.get() == at
    };
    stage.apply_until(&interrupt, when).await;
    stage.fake.heal();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    /// Through any history of versions (the fourth never becomes healthy), numbers of containers and
    /// troubles at least one container works and is known under the service's name after every call; and
    /// one apply without trouble makes everything as wished and leaves nothing over.
    #[test]
    fn a_service_works_at_every_moment_and_one_apply_converges(
        first in 1..=2usize,
        rounds in proptest::collection::vec((1..=4u32, 1..=3usize, trouble()), 1..5),
        (version, replicas) in (1..=3u32, 1..=3usize),
    ) {
        runtime().block_on(async {
            let stage = Stage { items: service(1, first), ..host() };
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
