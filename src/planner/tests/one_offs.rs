//! What `run --keep` leaves, and a `run` that was killed.

use super::operate::down;
use super::start_first::{host, service};
use crate::desired::{DesiredState, SecretFile};
use crate::engine::Engine as _;
use crate::execute::Interrupt;
use crate::execute::tests::stage::{Open, Stage, secret};
use crate::plan::{HostPlan, PlanBody};
use crate::planner::{Clean, OneOff, one_off, plan_clean};
use std::sync::Arc;

const LEFT: &str = "pillarbox-run.shop.api.5f3a";

/// A service with a file of a secret, and the container of a one-off command beside it, not started.
async fn with_one_off() -> Stage {
    let mut stage = Stage { tidies: true, items: service(1, 1), ..host() };
    for item in &mut stage.items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        want.spec.secrets.insert("key".to_owned(), SecretFile::of(secret("api.key")));
    }
    stage.settle().await;
    let want = stage.items.iter().find_map(|item| item.want.container()).expect("a container");
    let running = stage.observe().await.containers;
    let image = &running[0].ours.as_ref().expect("ours").image;
    let asked = OneOff { token: "5f3a".to_owned(), ..OneOff::default() };
    let steps = one_off(&stage.owner, want, image, &asked).expect("planned").prepare;
    let mut plan = stage.plan().await.expect("planned");
    plan = HostPlan { body: Arc::new(PlanBody { steps, ..PlanBody::default() }), ..plan };
    assert!(stage.carry_out(plan, &Open, &Interrupt::new(), |_| false).await.outcome.failure.is_none());
    assert_eq!(stage.statuses(), ["api running".to_owned(), format!("{LEFT} created")]);
    assert_eq!(stage.fake.volume_names().len(), 2);
    stage
}

async fn clean(stage: &Stage, clean: Clean) -> HostPlan {
    plan_clean(&stage.desired(), &stage.observe().await, &stage.options, clean).expect("planned")
}

fn changes(plan: &HostPlan) -> Vec<String> {
    plan.changes.iter().map(|change| format!("{}: {}", change.address, change.cause[0])).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_one_off_command_left_stays_in_every_apply_and_is_cleaned_with_its_secrets() {
    let stage = with_one_off().await;
    assert!(stage.plan().await.expect("planned").steps.is_empty());
    assert!(clean(&stage, Clean { images: true, ..Clean::default() }).await.steps.is_empty());
    assert!(clean(&stage, Clean { ended_before: Some(i64::MAX), ..Clean::default() }).await.steps.is_empty());
    stage.fake.start(LEFT).await.expect("started");
    assert!(clean(&stage, Clean::default()).await.steps.is_empty(), "it runs");
    stage.fake.stop(LEFT, Some(0)).await.expect("stopped");
    assert!(clean(&stage, Clean { ended_before: Some(0), ..Clean::default() }).await.steps.is_empty());
    assert_eq!(
        clean(&stage, Clean { ended_before: Some(i64::MAX), ..Clean::default() }).await.steps.len(),
        2
    );
    let plan = clean(&stage, Clean::default()).await;
    assert_eq!(
        changes(&plan),
        [
            format!("container {LEFT}: a one-off command of api that does not run"),
            "volume pillarbox-secrets.shop.api.run-5f3a: secrets of api.run-5f3a, which is not there"
                .to_owned(),
        ]
    );
    assert!(stage.carry_out(plan, &Open, &Interrupt::new(), |_| false).await.outcome.failure.is_none());
    assert_eq!(stage.statuses(), ["api running"]);
    assert_eq!(stage.fake.volume_names().len(), 1);
    assert!(clean(&stage, Clean::default()).await.steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_down_takes_its_one_off_commands_along_but_for_those_that_run() {
    let stage = with_one_off().await;
    stage.fake.start(LEFT).await.expect("started");
    let plan = down(&stage, Some("api"), false).await;
    assert!(!changes(&plan).iter().any(|change| change.contains(LEFT)), "{plan:#?}");
    stage.fake.stop(LEFT, Some(0)).await.expect("stopped");
    let plan = down(&stage, Some("api"), true).await;
    assert!(stage.carry_out(plan, &Open, &Interrupt::new(), |_| false).await.outcome.failure.is_none());
    assert_eq!((stage.statuses(), stage.fake.volume_names()), (Vec::new(), Vec::new()));
    // The image that both had went too.
    assert_eq!(stage.fake.image_names(), Vec::<String>::new());
}
